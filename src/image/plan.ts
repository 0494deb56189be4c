import type { Format, Position, Variant } from '../model.ts';

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How one variant's pixels come about: the whole picture at `whole`, of which `cut` (if any) leaves the output. */
interface Sized extends Size {
  readonly whole: Size;
  readonly scale: Scale;
  readonly cut: Position | null;
}

export interface Geometry extends Sized {
  /** The whole picture at the size it is decoded to for this variant. */
  readonly base: Size;
  /** The output's size if its format could hold every size; null where the format holds it. */
  readonly asked: Size | null;
}

/** Longest side in pixels that each format's encoder takes (libwebp, libvips' limit for AVIF, libjpeg, PNG's header). */
const LONGEST: Readonly<Record<Format, number>> = {
  webp: 16_383,
  avif: 16_384,
  jpeg: 65_500,
  png: 2_147_483_647,
};

/** An exact fraction of the source's size, at most 1. */
interface Scale {
  readonly of: number;
  readonly to: number;
}

const FULL: Scale = { of: 1, to: 1 };

/** Pixels across of the base that serves all small variants. */
const SHARED_WIDTH = 1200;

/** Formats whose decoders scale down by themselves, at less than the cost of a whole decode. */
const SCALING: ReadonlySet<string> = new Set(['jpeg', 'webp']);

/**
 * The sizes of all variants of an upright source, and the size each is decoded to before it is brought to its own:
 * the shared base, 1200 pixels across, for a variant of that size or of at most half of it. For all else, what a decoder
 * scales by itself is decoded to the variant's own size; other sources are halved as often as leaves them twice as
 * large. Resampling what was resampled to less than twice the size would show.
 *
 * So a variant's bytes follow from the source and its own settings, never from what else is rendered with it: one made
 * alone, to replace a lost one, is the same as before. One decode serves all of `web` and `compat`.
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

/** How often the source can be halved and still be as large as this. */
function halvings(source: Size, { width, height }: Size): number {
  let times = 0;
  for (;;) {
    const next = halved(source, times + 1);
    if (next.width < width || next.height < height || (next.width <= 1 && next.height <= 1)) return times;
    times++;
  }
}

/** Rounded down. */
function halved({ width, height }: Size, times: number): Size {
  const by = 2 ** times;
  return { width: Math.max(1, Math.floor(width / by)), height: Math.max(1, Math.floor(height / by)) };
}

/** The variant's geometry, scaled down to what its format can hold. */
function fitted(source: Size, variant: Variant): Sized & Pick<Geometry, 'asked'> {
  const asked = geometry(source, variant, null);
  const longest = LONGEST[variant.format];
  if (asked.width <= longest && asked.height <= longest) return { ...asked, asked: null };
  return { ...geometry(source, variant, longest), asked: { width: asked.width, height: asked.height } };
}

/** `longest` in pixels, for both sides of the output; null sets no limit. */
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

/** A box that the source can fill without being scaled up, in the asked box's own ratio, with no side above `longest`. */
function shrunk(asked: Size, source: Size, longest: number | null): Size {
  const fit = smallest(
    ...[widthwise(asked, source.width), heightwise(asked, source.height)],
    ...[widthwise(asked, longest), heightwise(asked, longest)],
  );
  return scaled(asked, fit);
}

/** The smallest of these scales and the full size. */
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
