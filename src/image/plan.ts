import type { Format, PixelSize, Position, Variant } from '../model.ts';

/** The geometry of one variant: scale the whole picture to `whole`, then crop to `cut`, if given. */
export interface Geometry extends PixelSize {
  readonly whole: PixelSize;
  readonly scale: Scale;
  readonly cut: Position | null;
  /** The size to decode the whole picture to. */
  readonly base: PixelSize;
  /** The output's size without the format's limit; null when the format's limit does not apply. */
  readonly asked: PixelSize | null;
}

/** The longest side, in pixels, of each encoder (libwebp, libvips' limit for AVIF, libjpeg, PNG's header, GIF, TIFF). */
const LONGEST: Readonly<Record<Format, number>> = {
  ...{ webp: 16_383, avif: 16_384, jpeg: 65_500, png: 2 ** 31 - 1, gif: 65_535, tiff: 2 ** 31 - 1 },
};

/** A fraction of the source's size, at most 1. Integers keep it exact. */
type Scale = { readonly of: number; readonly to: number };

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
 * the batch. A deleted output can be rendered again with the same bytes. One decode serves all of `web` and `compat`.
 */
export function plan(source: PixelSize, format: string, variants: readonly Variant[]): Geometry[] {
  const scale = scaleInto(source, { width: SHARED_WIDTH, height: null });
  const half = { of: scale.of * 2, to: scale.to };
  const shared = scaled(source, scale);
  return variants.map((variant) => {
    const sized = fitted(source, variant);
    const isSmall = compare(sized.scale, half) <= 0 || compare(sized.scale, scale) === 0;
    if (isSmall || source.width <= SHARED_WIDTH) return { ...sized, base: shared };
    return { ...sized, base: SCALING.has(format) ? sized.whole : halved(source, sized.whole) };
  });
}

/** Halves the source as long as it stays twice as large as this size. */
function halved(source: PixelSize, { width, height }: PixelSize): PixelSize {
  const half = (side: number): number => Math.max(1, Math.floor(side / 2));
  let [twice, once] = [source, source];
  for (;;) {
    const next = { width: half(once.width), height: half(once.height) };
    if (next.width < width || next.height < height || (next.width === 1 && next.height === 1)) return twice;
    [twice, once] = [once, next];
  }
}

function fitted(source: PixelSize, variant: Variant): Omit<Geometry, 'base'> {
  const asked = geometry(source, variant, null);
  const longest = LONGEST[variant.format];
  if (asked.width <= longest && asked.height <= longest) return { ...asked, asked: null };
  return { ...geometry(source, variant, longest), asked: { width: asked.width, height: asked.height } };
}

/** `longest` limits both sides of the output, in pixels; null means no limit. */
function geometry(source: PixelSize, { width, height, ...variant }: Variant, longest: number | null) {
  const limit = { width: longest, height: longest };
  if (variant.fit !== 'cover' || width === null || height === null) {
    const scale = scaleInto(source, { width, height }, limit);
    const whole = scaled(source, scale);
    return { ...whole, whole, scale, cut: null };
  }
  // The requested box shrinks, and keeps its ratio, until the source can fill it.
  const asked = { width, height };
  const box = scaled(asked, scaleInto(asked, source, limit));
  const [across, down] = [scaleTo(source.width, box.width), scaleTo(source.height, box.height)];
  const scale = compare(across, down) > 0 ? across : down;
  const whole = scaled(source, scale);
  const isUncut = whole.width === box.width && whole.height === box.height;
  return { ...box, whole, scale, cut: isUncut ? null : variant.position };
}

/** The largest scale, at most 1, at which a picture fits into all boxes. A side that is null has no limit. */
function scaleInto(size: PixelSize, ...boxes: readonly Pick<Variant, 'width' | 'height'>[]): Scale {
  return boxes
    .flatMap(({ width, height }) => [scaleTo(size.width, width), scaleTo(size.height, height)])
    .reduce((min, each) => (compare(each, min) < 0 ? each : min), FULL);
}

const scaleTo = (of: number, to: number | null): Scale => (to === null ? FULL : { of, to });

const scaled = ({ width, height }: PixelSize, scale: Scale): PixelSize => ({
  width: portion(width, scale),
  height: portion(height, scale),
});

/** n * to / of, rounded half up, at least 1. Uses integers: a double can fall on the wrong side of a half. */
function portion(n: number, { of, to }: Scale): number {
  const exact = (BigInt(n) * BigInt(to) * 2n + BigInt(of)) / (BigInt(of) * 2n);
  return Math.max(1, Number(exact));
}

/** Negative when a is smaller than b, positive when it is larger. */
const compare = (a: Scale, b: Scale): number =>
  Number(BigInt(a.to) * BigInt(b.of) - BigInt(b.to) * BigInt(a.of));
