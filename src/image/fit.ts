import type { PixelSize, Variant } from '../model.ts';
import { type ByContent, type FocalPoint, focalPoint, isByContent } from '../variants/words.ts';
import * as F from './fraction.ts';

/** A picture of one size becomes another size: scaled to `whole`, then cut, then put on a canvas. */
export interface Fitted extends PixelSize {
  /** The size of the scaled picture. */
  readonly whole: PixelSize;
  /** The larger of both scales. */
  readonly scale: F.Fraction;
  /** What is kept of the scaled picture; null keeps all. */
  readonly cut: Cut | null;
  /** Where the picture is on a canvas of the output's size; null without a canvas. */
  readonly canvas: Offset | null;
}

/** In pixels from the left and from the top. */
export type Offset = { readonly left: number; readonly top: number };

/** `at` may leave the choice to the content of the picture. */
export type Cut = PixelSize & { readonly at: Offset | ByContent };

/** Exact sides in pixels. */
type Sides = { readonly width: F.Fraction; readonly height: F.Fraction };

/** `longest` limits both sides of the output, in pixels; null means no limit. */
export function fitTo(source: PixelSize, variant: Variant, longest: number | null): Fitted {
  const { ratio, width, height } = variant;
  const kept = ratio === null ? sidesOf(source) : widest(source, ratio);
  const limits = longest === null ? [] : [F.ratioOf(longest)];
  const asked = width === null || height === null ? null : { width, height };
  if (asked === null || variant.fit === 'inside' || variant.fit === 'outside') {
    const scale = F.least([scaleOf(kept, variant), ...limits.flatMap((most) => scalesInto(kept, most))]);
    return cutTo(source, sizeOf(kept, scale), scale, scale, variant);
  }
  // The requested box shrinks, and keeps its ratio, to the limit.
  const box = sidesOf(asked);
  const most = F.least([F.ONE, ...limits.flatMap((side) => scalesInto(box, side))]);
  if (variant.fit === 'contain') {
    const canvas = sizeOf(box, most);
    const within = scaleOf(kept, { ...variant, ...canvas, fit: 'inside' });
    return onCanvas(cutTo(source, sizeOf(kept, within), within, within, variant), canvas, variant);
  }
  // Without enlarging, it also shrinks until the picture can fill it.
  const filled = variant.enlarge ? most : F.least([most, ...scalesTo(box, kept)]);
  const size = sizeOf(box, filled);
  const [across, down] = scalesTo(kept, sidesOf(size)).map((each) => atMost(each, variant));
  if (variant.fit === 'fill') return cutTo(source, size, across!, down!, variant);
  const scale = F.greatest([across!, down!]);
  return cutTo(source, size, scale, scale, variant);
}

const sidesOf = ({ width, height }: PixelSize): Sides => ({
  width: F.ratioOf(width),
  height: F.ratioOf(height),
});

/** The largest part of this ratio. */
function widest(source: PixelSize, [across, down]: NonNullable<Variant['ratio']>): Sides {
  const { width, height } = sidesOf(source);
  const ratio = F.over(F.decimal(across), F.decimal(down));
  const fullHeight = F.times(height, ratio);
  return F.compare(width, fullHeight) > 0
    ? { width: fullHeight, height }
    : { width, height: F.over(width, ratio) };
}

/** The scale of a picture whose two sides have the same scale. */
function scaleOf(kept: Sides, { width, height, scale, ...variant }: Variant): F.Fraction {
  if (scale !== null) return atMost(F.shareOf(scale), variant);
  const scales = [
    ...(width === null ? [] : [F.over(F.ratioOf(width), kept.width)]),
    ...(height === null ? [] : [F.over(F.ratioOf(height), kept.height)]),
  ];
  if (scales.length === 0) return F.ONE;
  return atMost(variant.fit === 'outside' ? F.greatest(scales) : F.least(scales), variant);
}

const atMost = (scale: F.Fraction, { enlarge }: Pick<Variant, 'enlarge'>): F.Fraction =>
  enlarge ? scale : F.least([scale, F.ONE]);

const scalesTo = (from: Sides, to: Sides): F.Fraction[] => [
  F.over(to.width, from.width),
  F.over(to.height, from.height),
];

const scalesInto = (from: Sides, side: F.Fraction): F.Fraction[] =>
  scalesTo(from, { width: side, height: side });

const sizeOf = ({ width, height }: Sides, scale: F.Fraction): PixelSize => ({
  width: F.rounded(F.times(width, scale), 1),
  height: F.rounded(F.times(height, scale), 1),
});

function cutTo(
  source: PixelSize,
  size: PixelSize,
  across: F.Fraction,
  down: F.Fraction,
  { position }: Variant,
): Fitted {
  const { width, height } = sidesOf(source);
  const whole = { width: F.rounded(F.times(width, across), 1), height: F.rounded(F.times(height, down), 1) };
  const isWhole = whole.width === size.width && whole.height === size.height;
  const at = isByContent(position) ? position : offsetOf(whole, size, focalPoint(position));
  return {
    ...size,
    whole,
    scale: F.greatest([across, down]),
    cut: isWhole ? null : { ...size, at },
    canvas: null,
  };
}

/** The cut whose middle is as near to the focal point as the picture allows. */
function offsetOf(whole: PixelSize, size: PixelSize, [across, down]: FocalPoint): Offset {
  const start = (length: number, kept: number, share: FocalPoint[0]): number => {
    const middle = F.times(F.shareOf(share), F.ratioOf(length));
    return Math.min(length - kept, F.rounded(F.minus(middle, F.ratioOf(kept, 2)), 0));
  };
  return { left: start(whole.width, size.width, across), top: start(whole.height, size.height, down) };
}

/** Shares the free space of the canvas: 0% is before the picture, 100% after it. */
function onCanvas(picture: Fitted, canvas: PixelSize, { position }: Variant): Fitted {
  const [across, down] = isByContent(position) ? (['50%', '50%'] as const) : focalPoint(position);
  const share = (free: number, of: FocalPoint[0]): number =>
    F.rounded(F.times(F.shareOf(of), F.ratioOf(free)), 0);
  const left = share(canvas.width - picture.width, across);
  const top = share(canvas.height - picture.height, down);
  return { ...picture, ...canvas, canvas: { left, top } };
}
