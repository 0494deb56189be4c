import type { Sharp } from 'sharp';
import type { Limits, Order, Rendered, RenderedOutput, Variant } from '../model.ts';
import { assertUnchanged, type Source } from './open.ts';
import { type Geometry, plan, type Size } from './plan.ts';
import { type Decoded, decode } from './steps/decode.ts';
import { dominantColor } from './steps/dominant.ts';
import { assertEncodable, encode } from './steps/encode.ts';
import { flatten } from './steps/flatten.ts';
import { grayscale } from './steps/grayscale.ts';
import type { Header } from './steps/header.ts';
import { from, type Pixels } from './steps/pixels.ts';
import { resize } from './steps/resize.ts';
import { sharpen } from './steps/sharpen.ts';
import { write } from './steps/write.ts';
import { ENCODER } from './vips.ts';

/** What happens to each variant's pixels once they have their size, in this order. */
const STEPS: readonly ((pipeline: Sharp, variant: Variant) => Sharp)[] = [
  flatten,
  grayscale,
  sharpen,
  encode,
];

/**
 * Renders all orders, decoding once for all that share a base, and writes each to its staged file. When it rejects, nothing is being written
 * any more. Errors: `corrupt`, `too_large`, `unsupported_format`, `source_changed`, those of writing.
 */
export async function render(
  source: Source,
  header: Header,
  orders: readonly Order[],
  limits: Limits,
): Promise<Rendered> {
  const variants = orders.map(({ variant }) => variant);
  const geometries = plan(header, header.format, variants);
  geometries.forEach((geometry, i) => {
    assertEncodable(orders[i]!.variant, geometry);
  });
  const started = performance.now();
  const bases = new Map<string, Decoded>();
  for (const { base } of geometries) {
    if (!bases.has(sizeKey(base))) bases.set(sizeKey(base), await decode(source, header, base, limits));
  }
  if (source.bytes === null) await assertUnchanged(source);
  const decoded = performance.now();
  const sized = shared(bases);
  const outputs = await all(geometries.map((geometry, i) => output(sized(geometry), orders[i]!)));
  const color = dominantColor(await sized(smallest(geometries)));
  const ms = { decode: Math.round(decoded - started), encode: Math.round(performance.now() - decoded) };
  const degraded = [...bases.values()].some((one) => one.degraded);
  return { outputs, dominantColor: color, encoder: ENCODER, degraded, ms };
}

async function output(sized: Promise<Pixels>, { variant, path }: Order): Promise<RenderedOutput> {
  const pixels = await sized;
  const pipeline = STEPS.reduce((so, step) => step(so, variant), from(pixels));
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  return write(data, { width: info.width, height: info.height }, path, variant.name);
}

/** Pixels by geometry: variants of equal geometry share them. */
function shared(bases: ReadonlyMap<string, Decoded>): (geometry: Geometry) => Promise<Pixels> {
  const made = new Map<string, Promise<Pixels>>();
  return (geometry) => {
    const { cut, whole, base } = geometry;
    const key = [sizeKey(geometry), cut, sizeKey(whole), sizeKey(base)].join(' ');
    const pixels = made.get(key) ?? resize(bases.get(sizeKey(base))!.pixels, geometry);
    made.set(key, pixels);
    return pixels;
  };
}

const sizeKey = ({ width, height }: Size): string => `${width}x${height}`;

const smallest = (geometries: readonly Geometry[]): Geometry =>
  geometries.reduce((min, each) => (each.width * each.height < min.width * min.height ? each : min));

/** Like Promise.all, but a failure is told only once all have come to an end. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
