import type { Limits } from '../model.ts';
import { isMoving, type MovingHeader, resizedFrames } from './animation/frames.ts';
import type { Source } from './open.ts';
import type { ProgressReport } from './pages.ts';
import type { Geometry } from './plan.ts';
import { type Decoded, decode } from './steps/decode.ts';
import type { Frames } from './steps/frames.ts';
import type { Header } from './steps/header.ts';
import { resize } from './steps/resize.ts';

/** A picture that is open for its variants. */
export type OpenPicture = { readonly source: Source; readonly header: Header; readonly limits: Limits };

/** The pixels of a picture for its outputs, before the steps of each variant. */
interface Sized {
  /** The same pixels for the same geometry. */
  readonly pixelsFor: (geometry: Geometry) => Promise<Frames>;
  readonly degraded: boolean;
  /** The share of the work that is done before any output is encoded. */
  readonly share: number;
}

/** Decodes a picture, and resizes it to each geometry once. Errors: those of decode.ts and unreadable.ts. */
export function sizedFor(
  open: OpenPicture,
  geometries: readonly Geometry[],
  spent: Spent,
  report: ProgressReport,
): Promise<Sized> {
  const { header, limits } = open;
  return isMoving(header)
    ? movingSizes(header, geometries, limits, report)
    : stillSizes(open, geometries, spent);
}

/** The share of the work that the frames of an animation take. */
const FRAMES_SHARE = 0.5;
/** How often an animation reports its frames. */
const REPORTS = 20;

/** Resizes the frames of an animation while they are decoded. */
async function movingSizes(
  header: MovingHeader,
  geometries: readonly Geometry[],
  limits: Limits,
  report: ProgressReport,
): Promise<Sized> {
  const distinct = new Map(geometries.map((geometry) => [geometryKey(geometry), geometry]));
  let reported = 0;
  const { made, degraded } = await resizedFrames(header, [...distinct.values()], limits, (share) => {
    if (share - reported < 1 / REPORTS) return;
    reported = share;
    report({ done: 0, share: share * FRAMES_SHARE });
  });
  const frames = new Map([...distinct.keys()].map((key, i) => [key, made[i]!]));
  const pixelsFor = async (geometry: Geometry) => frames.get(geometryKey(geometry))!;
  return { pixelsFor, degraded, share: FRAMES_SHARE };
}

/** Decodes each base of a still picture once, and resizes it when an output needs it. */
async function stillSizes(
  { source, header, limits }: OpenPicture,
  geometries: readonly Geometry[],
  spent: Spent,
): Promise<Sized> {
  const bases = new Map<string, Decoded>();
  for (const { base } of geometries) {
    const key = baseKey(base);
    if (!bases.has(key)) bases.set(key, await decode(source, header, base, limits));
  }
  const made = new Map<string, Promise<Frames>>();
  const pixelsFor = (geometry: Geometry) => {
    const key = geometryKey(geometry);
    const { frames } = bases.get(baseKey(geometry.base))!;
    const resized = made.get(key) ?? timed(spent, 'resize', () => resize(frames, geometry));
    made.set(key, resized);
    return resized;
  };
  return { pixelsFor, degraded: [...bases.values()].some((one) => one.degraded), share: 0 };
}

/** Total milliseconds of concurrent work. */
export type Spent = Record<'resize' | 'write', number>;

export async function timed<T>(spent: Spent, what: keyof Spent, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const made = await work();
  spent[what] += performance.now() - started;
  return made;
}

export const geometryKey = ({ width, height, whole, cut, canvas, base, linear }: Geometry): string =>
  JSON.stringify([width, height, whole, cut, canvas, base, linear]);

const baseKey = ({ width, height, region, zoom, isOwn }: Geometry['base']): string =>
  JSON.stringify([width, height, region, zoom, isOwn]);
