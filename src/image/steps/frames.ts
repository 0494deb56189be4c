import type { Sharp } from 'sharp';
import { ImgtoolError } from '../../errors.ts';
import type { PixelSize } from '../../model.ts';
import type { ByContent } from '../../variants/words.ts';
import type { Offset } from '../fit.ts';
import { between, type Geometry } from '../plan.ts';
import { sharp } from '../vips.ts';

/** 8-bit sRGB, page below page; width and height are those of one page. With 2 or 4 channels, the last is alpha. */
export interface Frames extends PixelSize {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
  readonly pages: number;
  /** Milliseconds that each page is shown. Empty for a still picture. */
  readonly delays: readonly number[];
  /** How often an animation plays; 0 means without end. */
  readonly loop: number;
}

/** How the pages of a picture follow each other. */
export type Motion = Pick<Frames, 'pages' | 'delays' | 'loop'>;

/** The pages of a still picture. */
export const STILL = { pages: 1, delays: [], loop: 0 } as const;

export function from({ data, width, height, channels, pages }: Frames): Sharp {
  const raw = { width, height: height * pages, channels, ...(pages > 1 ? { pageHeight: height } : {}) };
  return sharp(data, { raw, limitInputPixels: false });
}

/**
 * Runs a pipeline. The pages are timed like those of `like`. `ushort` samples take 2 bytes in this machine's byte order.
 * Errors: `unsupported_format`.
 */
export async function raw(
  pipeline: Sharp,
  { delays, loop }: Pick<Frames, 'delays' | 'loop'> = STILL,
  depth: 'uchar' | 'ushort' = 'uchar',
): Promise<Frames> {
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  const { width, pageHeight: height = info.height, channels } = info;
  if (channels <= 4) return { data, width, height, channels, pages: info.height / height, delays, loop };
  const message = `the picture has ${channels} colour channels, at most 4 can be read`;
  const fix = 'save it as an RGB picture without extra channels first';
  throw new ImgtoolError('unsupported_format', message, { fix });
}

/**
 * Resizes each page of the base with Lanczos and cuts it. Returns the base itself when it already fits. Pages are resized
 * one by one: libvips resizes them as one tall picture, and they would bleed into each other.
 */
export async function resize(base: Frames, geometry: Geometry): Promise<Frames> {
  const { whole, cut } = geometry;
  if (cut === null && base.width === whole.width && base.height === whole.height) return base;
  return pageByPage(base, (page) => resizePage(page, geometry));
}

/** Changes each page as a still picture. */
export async function pageByPage(frames: Frames, change: (page: Frames) => Promise<Frames>): Promise<Frames> {
  const made: Frames[] = [];
  for (const page of pagesOf(frames)) made.push(await change(page));
  const [first] = made;
  if (made.length === 1) return first!;
  const { pages, delays, loop } = frames;
  return { ...first!, data: Buffer.concat(made.map(({ data }) => data)), pages, delays, loop };
}

async function resizePage(page: Frames, geometry: Geometry): Promise<Frames> {
  const { whole, cut, linear } = geometry;
  const first = between(geometry);
  // The cubic kernel makes few values that have to be clipped between the steps.
  const close =
    first === null ? page : await raw(from(page).resize({ ...first, fit: 'fill', kernel: 'cubic' }));
  // Samples of scRGB are floating-point numbers in linear light.
  const pipeline = linear ? from(close).pipelineColourspace('scrgb') : from(close);
  // Both sides are exact, from the source's ratio; the base's ratio is rounded.
  const scaled = pipeline.resize({ ...whole, fit: 'fill', kernel: 'lanczos3' });
  if (cut === null) return raw(scaled);
  const { at, width, height } = cut;
  // Only what is kept is scaled.
  if (typeof at !== 'string') return raw(scaled.extract({ ...at, width, height }));
  return raw(from(await raw(scaled)).resize({ width, height, fit: 'cover', position: at }));
}

/** Where a cut by content lies in the scaled picture. */
export async function contentPlace(
  page: Frames,
  { whole, cut }: Geometry,
  position: ByContent,
): Promise<Offset> {
  const scaled = from(await raw(from(page).resize({ ...whole, fit: 'fill', kernel: 'lanczos3' })));
  const { width, height } = cut ?? whole;
  const { info } = await scaled
    .resize({ width, height, fit: 'cover', position })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // sharp states by how much the picture moves.
  return { left: -(info.cropOffsetLeft ?? 0), top: -(info.cropOffsetTop ?? 0) };
}

/** The pages as still pictures, without copying their pixels. */
function pagesOf(frames: Frames): Frames[] {
  const { data, width, height, channels, pages } = frames;
  const size = width * height * channels;
  return Array.from({ length: pages }, (_, i) => {
    return { ...frames, ...STILL, data: data.subarray(i * size, (i + 1) * size) };
  });
}

/** The most pixels to sample; they are evenly spaced in a larger picture. */
const MAX_SAMPLES = 65_536;

/** Returns the mean of the most frequent colours, which agree in their upper 4 bits; transparency is on white. */
export function dominantColor({ data, channels }: Frames): string {
  const groups = new Float64Array(4096 * 4);
  const colors = channels < 3 ? 1 : 3;
  const opaque = channels === colors;
  const step = Math.max(1, Math.ceil(data.length / channels / MAX_SAMPLES)) * channels;
  for (let at = 0; at + channels <= data.length; at += step) {
    const alpha = opaque ? 255 : data[at + colors]!;
    const on = (color: number): number => Math.round((color * alpha + 255 * (255 - alpha)) / 255);
    const red = on(data[at]!);
    const [green, blue] = colors === 1 ? [red, red] : [on(data[at + 1]!), on(data[at + 2]!)];
    const group = (((red >> 4) << 8) | (green & 0xf0) | (blue >> 4)) * 4;
    groups[group]! += 1;
    groups[group + 1]! += red;
    groups[group + 2]! += green;
    groups[group + 3]! += blue;
  }
  let best = 0;
  for (let group = 0; group < groups.length; group += 4) if (groups[group]! > groups[best]!) best = group;
  const [count = 1, ...sums] = groups.subarray(best, best + 4);
  return `#${Buffer.from(sums.map((sum) => Math.round(sum / count))).toString('hex')}`;
}
