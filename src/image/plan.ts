import type { Format, Position, Variant } from '../model.ts';

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The geometry of one variant: scale the whole picture to `whole`, then crop to `cut`, if given. */
interface Sized extends Size {
  readonly whole: Size;
  readonly scale: Scale;
  readonly cut: Position | null;
}

export interface Geometry extends Sized {
  /** The size to decode the whole picture to. */
  readonly base: Size;
  /** The output's size without the format's limit; null when the format's limit does not apply. */
  readonly asked: Size | null;
}

/** The longest side, in pixels, of each encoder (libwebp, libvips' limit for AVIF, libjpeg, PNG's header). */
const LONGEST: Readonly<Record<Format, number>> = {
  webp: 16_383,
  avif: 16_384,
  jpeg: 65_500,
  png: 2_147_483_647,
};

/** A fraction of the source's size, at most 1. Integers keep it exact. */
interface Scale {
  readonly of: number;
  readonly to: number;
}

const FULL: Scale = { of: 1, to: 1 };

/** Width in pixels of the base that all small variants share. */
const SHARED_WIDTH = 1200;

/** Formats whose decoders can scale down for less than the cost of a full decode. */
const SCALING: ReadonlySet<string> = new Set(['jpeg', 'webp']);

/**
 * Computes the size of each variant of an upright source, and the base that each variant is resized from. A variant
 * that is as large as the shared base (1200 pixels across), or at most half as large, uses the shared base. For other
 * variants, JPEG and WebP are decoded to the variant's own size. Other formats are halved as long as they stay twice as
 * large as the variant. Resampling again from less than twice the size would be visible.
 *
 * A variant's bytes therefore depend only on the source and on the variant's own settings, not on the other variants of
 * the batch. A lost output can be rendered again with the same bytes. One decode serves all of `web` and `compat`.
 */
export function plan(source: Size, format: string, variants: readonly Variant[]): Geometry[] {
  const scale = widthwise(source, Math.min(SHARED_WIDTH, source.width));
  const half = { of: scale.of * 2, to: scale.to };
  const shared = scaled(source, scale);
  return variants.map((variant) => {
    const sized = fitted(source, variant);
    const isSmall = compare(sized.scale, half) <= 0 || compare(sized.scale, scale) === 0;
    if (isSmall || source.width <= SHARED_WIDTH) return { ...sized, base: shared };
    if (SCALING.has(format)) return { ...sized, base: sized.whole };
    return { ...sized, base: halved(source, Math.max(0, halvings(source, sized.whole) - 1)) };
  });
}

/** How often the source can be halved and still be at least this large. */
function halvings(source: Size, { width, height }: Size): number {
  let times = 0;
  for (;;) {
    const next = halved(source, times + 1);
    if (next.width < width || next.height < height || (next.width <= 1 && next.height <= 1)) return times;
    times++;
  }
}

function halved({ width, height }: Size, times: number): Size {
  const by = 2 ** times;
  return { width: Math.max(1, Math.floor(width / by)), height: Math.max(1, Math.floor(height / by)) };
}

/** The variant's geometry, within the limit of its format. */
function fitted(source: Size, variant: Variant): Sized & Pick<Geometry, 'asked'> {
  const asked = geometry(source, variant, null);
  const longest = LONGEST[variant.format];
  if (asked.width <= longest && asked.height <= longest) return { ...asked, asked: null };
  return { ...geometry(source, variant, longest), asked: { width: asked.width, height: asked.height } };
}

/** `longest` limits both sides of the output, in pixels; null means no limit. */
function geometry(source: Size, variant: Variant, longest: number | null): Sized {
  const { width, height } = variant;
  if (variant.fit === 'cover' && width !== null && height !== null) {
    return cover(source, { width, height }, variant.position, longest);
  }
  return inside(source, variant, longest);
}

function inside(source: Size, { width, height }: Variant, longest: number | null): Sized {
  const scale = smallest(
    ...[widthwise(source, width), heightwise(source, height)],
    ...[widthwise(source, longest), heightwise(source, longest)],
  );
  const whole = scaled(source, scale);
  return { ...whole, whole, scale, cut: null };
}

function cover(source: Size, asked: Size, position: Position, longest: number | null): Sized {
  const box = shrunk(asked, source, longest);
  const across = widthwise(source, box.width);
  const down = heightwise(source, box.height);
  const scale = compare(across, down) > 0 ? across : down;
  const whole = scaled(source, scale);
  const uncut = whole.width === box.width && whole.height === box.height;
  return { ...box, whole, scale, cut: uncut ? null : position };
}

/** Shrinks the requested box, keeping its ratio, until the source can fill it and no side exceeds `longest`. */
function shrunk(asked: Size, source: Size, longest: number | null): Size {
  const fit = smallest(
    ...[widthwise(asked, source.width), heightwise(asked, source.height)],
    ...[widthwise(asked, longest), heightwise(asked, longest)],
  );
  return scaled(asked, fit);
}

/** The smallest of these scales and 1. */
function smallest(...scales: readonly Scale[]): Scale {
  return scales.reduce((min, each) => (compare(each, min) < 0 ? each : min), FULL);
}

const widthwise = (source: Size, width: number | null): Scale =>
  width === null ? FULL : { of: source.width, to: width };

const heightwise = (source: Size, height: number | null): Scale =>
  height === null ? FULL : { of: source.height, to: height };

function scaled({ width, height }: Size, { of, to }: Scale): Size {
  return { width: portion(width, to, of), height: portion(height, to, of) };
}

/** n * to / of, rounded half up, at least 1. Uses integers: a double can fall on the wrong side of a half. */
function portion(n: number, to: number, of: number): number {
  const exact = (BigInt(n) * BigInt(to) * 2n + BigInt(of)) / (BigInt(of) * 2n);
  return Math.max(1, Number(exact));
}

/** Negative, zero or positive when a is smaller than, equal to or larger than b. */
function compare(a: Scale, b: Scale): number {
  const difference = BigInt(a.to) * BigInt(b.of) - BigInt(b.to) * BigInt(a.of);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
