import { tooManyPixels } from '../errors.ts';
import type { PixelSize, Variant } from '../model.ts';
import { LONGEST_SIDE } from '../variants/formats.ts';
import { keptWords } from '../variants/words.ts';
import { type Cut, type Fitted, fitTo, type Offset } from './fit.ts';
import * as F from './fraction.ts';
import { cropOf, magnified, type Region } from './region.ts';

/** The geometry of one variant: scale the base to `whole`, keep `cut`, and put it on `canvas`. */
export interface Geometry extends PixelSize {
  readonly whole: PixelSize;
  /** Null keeps the whole scaled picture. */
  readonly cut: Cut | null;
  /** Where the picture is on a canvas of the output's size; null without a canvas. */
  readonly canvas: Offset | null;
  readonly base: Base;
  readonly linear: boolean;
  /** The output's size without the format's limit; null when the format's limit does not apply. */
  readonly asked: PixelSize | null;
}

/** What is decoded: a region of the upright picture, scaled to this size. */
export interface Base extends PixelSize {
  /** True for pixels in the colours of the source's profile; absent for sRGB. */
  readonly isOwn?: boolean;
  /** In pixels of the picture, or of the drawing at its zoom; null for the whole picture. */
  readonly region: Region | null;
  /** How many times its own size a drawing is rendered before the region is cut out; 1 for all pictures of pixels. */
  readonly zoom: number;
}

/** Width in pixels of the base that all small variants share. */
const SHARED_WIDTH = 1200;

/** Formats whose decoders can scale down while they decode, which costs less than a full decode. */
const SCALING: ReadonlySet<string> = new Set(['jpeg', 'webp']);

/** Drawings have no pixels of their own. They are rendered at any size without loss. */
const DRAWING = 'svg';
/** The longest side, in pixels, to which sharp renders a drawing. */
const LONGEST_DRAWING = 32_767;

/**
 * Computes the size of each variant of an upright source, and the base that each variant is resized from. A variant
 * that is as large as the shared base (1200 pixels across), or at most half as large, uses the shared base. For other
 * variants, JPEG and WebP are decoded to the variant's own size. Other formats and regions are halved as long as they stay
 * twice as large as the variant. Resampling again from less than twice the size would be visible.
 *
 * A variant's bytes therefore depend only on the source and on the variant's own settings, not on the other variants of
 * the batch. A deleted output can be rendered again with the same bytes. One decode serves all of `web` and `compat`.
 * A region is treated as a source of its size. Only the zoom of a region of a drawing also depends on `limit`, the most
 * pixels of a picture. `trims` are the regions that `trim` found, by variant, in pixels of the upright source. Errors:
 * `outside_picture`.
 */
export function plan(
  source: Planned,
  format: string,
  variants: readonly Variant[],
  limit = Number.POSITIVE_INFINITY,
  trims: readonly (Region | null)[] = [],
): Geometry[] {
  return variants.map((variant, i) => {
    const region = trims[i] ?? cropOf(source, variant);
    const part = { width: region?.width ?? source.width, height: region?.height ?? source.height, region };
    const isDrawing = format === DRAWING;
    const { scale, ...fitted } = fittedTo(part, isDrawing ? { ...variant, enlarge: true } : variant);
    const { linear } = variant;
    const isDrawn = isDrawing && (region !== null || F.compare(scale, F.ONE) > 0);
    const base = isDrawn
      ? drawn(source, part, fitted.whole, scale, limit)
      : baseOf(part, fitted.whole, scale, linear, format);
    const isOwn = source.profile != null && keepsProfile(variant);
    return { ...fitted, linear, base: isOwn ? { ...base, isOwn } : base };
  });
}

/** An upright source, and its profile if it has one of RGB. */
type Planned = PixelSize & { readonly profile?: Buffer | null };

/** A grey picture has no colours of a profile. */
const keepsProfile = ({ keep, grayscale }: Variant): boolean => !grayscale && keptWords(keep).includes('icc');

/** The source, or a region of it with the size of this region. */
type PlannedPart = PixelSize & Pick<Base, 'region'>;

/**
 * A whole drawing is rendered at its size. A region is cut from a drawing that is at least as large, as far as the limits
 * allow.
 */
function drawn(
  source: PixelSize,
  { region }: PlannedPart,
  whole: PixelSize,
  scale: F.Fraction,
  limit: number,
): Base {
  const longest =
    region === null ? Math.max(whole.width, whole.height) : Math.max(source.width, source.height);
  const most = F.ratioOf(LONGEST_DRAWING, longest);
  if (region !== null) {
    const allowed = Math.floor(Math.sqrt(limit / (source.width * source.height)));
    const zoom = Math.max(1, Math.min(F.roundedUp(scale), F.roundedDown(most), allowed));
    const { width, height, ...at } = magnified(region, zoom);
    return { width, height, region: { ...at, width, height }, zoom };
  }
  const by = F.least([F.ONE, most]);
  const side = (length: number): number => F.rounded(F.times(F.ratioOf(length), by), 1);
  return { width: side(whole.width), height: side(whole.height), region, zoom: 1 };
}

function baseOf(
  part: PlannedPart,
  whole: PixelSize,
  scale: F.Fraction,
  linear: boolean,
  format: string,
): Base {
  const { width, height, region } = part;
  // What is scaled before is not scaled in linear light.
  if (linear || width <= SHARED_WIDTH || F.compare(scale, F.ONE) > 0) return { ...part, zoom: 1 };
  const shared = F.ratioOf(SHARED_WIDTH, width);
  const isSmall = F.compare(F.times(scale, F.ratioOf(2)), shared) <= 0 || F.compare(scale, shared) === 0;
  const size = isSmall
    ? { width: SHARED_WIDTH, height: F.rounded(F.times(F.ratioOf(height), shared), 1) }
    : SCALING.has(format) && region === null
      ? whole
      : halved(part, whole);
  return { width: size.width, height: size.height, region, zoom: 1 };
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

/**
 * The size through which a base is resized to `whole`; null for one step. From a factor of four on, libvips averages blocks
 * of pixels first, and stems become uneven. Measured as SSIM against Lanczos in float64, from 1200 to 150 pixels across:
 * text 0.992 in one step and 0.999 through three times the size, a photograph 0.9995 and 0.9998.
 */
export function between({
  base,
  whole,
  linear,
}: Pick<Geometry, 'base' | 'whole' | 'linear'>): PixelSize | null {
  // In linear light, which has no base of its own, a second step takes too long.
  if (linear || (base.width < 4 * whole.width && base.height < 4 * whole.height)) return null;
  return { width: Math.min(base.width, 3 * whole.width), height: Math.min(base.height, 3 * whole.height) };
}

function fittedTo(source: PixelSize, variant: Variant): Fitted & Pick<Geometry, 'asked'> {
  const asked = fitTo(source, variant, null);
  const longest = LONGEST_SIDE[variant.format];
  if (asked.width <= longest && asked.height <= longest) return { ...asked, asked: null };
  return { ...fitTo(source, variant, longest), asked: { width: asked.width, height: asked.height } };
}

/** Checks that no output and no step to it has more pixels than the limit. Errors: `too_large`. */
export function assertPixels(source: PixelSize, geometries: readonly Geometry[], limit: number): void {
  for (const { width, height, whole, base } of geometries) {
    const drawing = { width: source.width * base.zoom, height: source.height * base.zoom };
    const large = [{ width, height }, whole, drawing].find((size) => size.width * size.height > limit);
    if (large !== undefined) throw tooManyPixels(large.width, large.height, limit);
  }
}
