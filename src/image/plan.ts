import type { Position, Variant } from '../model.ts';

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How one variant's pixels come about: the whole picture at `whole`, of which `cut` (if any) leaves the output. */
export interface Geometry extends Size {
  readonly whole: Size;
  readonly scale: Scale;
  readonly cut: Position | null;
}

export interface Plan {
  /** The whole picture at the size from which all variants derive. */
  readonly base: Size;
  /** In the order of the variants. */
  readonly geometries: readonly Geometry[];
}

/** An exact fraction of the source's size, at most 1. */
interface Scale {
  readonly of: number;
  readonly to: number;
}

const FULL: Scale = { of: 1, to: 1 };
const NOTHING: Scale = { of: 1, to: 0 };

/**
 * The sizes of all variants of an upright source, and the one size to decode it to. Nothing is scaled up.
 *
 * The base is the picture at the largest scale asked for. A variant between half of that and the whole would be a
 * resampled resampling that shows (facts.md, "Speed"); if there is one, all derive from the full size.
 */
export function plan(source: Size, variants: readonly Variant[]): Plan {
  const geometries = variants.map((variant) => geometry(source, variant));
  const largest = geometries.reduce((max, { scale }) => (compare(scale, max) > 0 ? scale : max), NOTHING);
  const half = { of: largest.of * 2, to: largest.to };
  const derivable = geometries.every(
    ({ scale }) => compare(scale, largest) === 0 || compare(scale, half) <= 0,
  );
  return { base: derivable ? scaled(source, largest) : source, geometries };
}

function geometry(source: Size, variant: Variant): Geometry {
  const { width, height } = variant;
  if (variant.fit === 'cover' && width !== null && height !== null) {
    return cover(source, { width, height }, variant.position);
  }
  return inside(source, variant);
}

function inside(source: Size, { width, height }: Variant): Geometry {
  const scale = [widthwise(source, width), heightwise(source, height)].reduce(
    (min, each) => (compare(each, min) < 0 ? each : min),
    FULL,
  );
  const whole = scaled(source, scale);
  return { ...whole, whole, scale, cut: null };
}

function cover(source: Size, asked: Size, position: Position): Geometry {
  const box = shrunk(asked, source);
  const across = widthwise(source, box.width);
  const down = heightwise(source, box.height);
  const scale = compare(across, down) > 0 ? across : down;
  const whole = scaled(source, scale);
  const uncut = whole.width === box.width && whole.height === box.height;
  return { ...box, whole, scale, cut: uncut ? null : position };
}

/** A box that the source can fill without being scaled up, in the asked box's own ratio. */
function shrunk(asked: Size, source: Size): Size {
  const fit = [widthwise(asked, source.width), heightwise(asked, source.height)].reduce(
    (min, each) => (compare(each, min) < 0 ? each : min),
    FULL,
  );
  return scaled(asked, fit);
}

const widthwise = (source: Size, width: number | null): Scale =>
  width === null ? FULL : { of: source.width, to: width };

const heightwise = (source: Size, height: number | null): Scale =>
  height === null ? FULL : { of: source.height, to: height };

function scaled({ width, height }: Size, { of, to }: Scale): Size {
  return { width: portion(width, to, of), height: portion(height, to, of) };
}

/** n * to / of, rounded half up, at least 1; in integers, since a double's ratio can fall on the wrong side of a half. */
function portion(n: number, to: number, of: number): number {
  const exact = (BigInt(n) * BigInt(to) * 2n + BigInt(of)) / (BigInt(of) * 2n);
  return Math.max(1, Number(exact));
}

/** Below, at or above zero as a is smaller than, equal to or larger than b. */
function compare(a: Scale, b: Scale): number {
  const difference = BigInt(a.to) * BigInt(b.of) - BigInt(b.to) * BigInt(a.of);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
