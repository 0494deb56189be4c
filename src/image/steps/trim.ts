import type { PixelSize, Variant } from '../../model.ts';
import { cropOf, type Region, within } from '../region.ts';
import type { Frames } from './frames.ts';

/**
 * The region that each variant with `trim` keeps, in pixels of the picture. Variants of the same crop share a decode.
 * `contentIn` returns the content of a region of the picture, or null for all of it.
 */
export async function trimsOf(
  picture: PixelSize,
  variants: readonly Variant[],
  contentIn: (region: Region | null) => Promise<Region | null>,
): Promise<(Region | null)[]> {
  const found = new Map<string, Region | null>();
  const trims: (Region | null)[] = [];
  for (const variant of variants) {
    const crop = cropOf(picture, variant);
    const key = JSON.stringify(crop);
    if (variant.trim && !found.has(key)) found.set(key, within(crop, await contentIn(crop)));
    trims.push(variant.trim ? (found.get(key) ?? null) : null);
  }
  return trims;
}

/** The most by which a sample of an edge can differ from the first pixel, of 255: the noise of a JPEG at an edge. */
const TOLERANCE = 10;

/**
 * Returns the smallest region with all pixels that differ from the first pixel, the one in the top left corner. Returns
 * null for a picture of one colour, and for a picture without an edge to trim.
 */
export function contentOf(frames: Frames): Region | null {
  const content = boundsOf(frames);
  return content === null || isAll(content, frames) ? null : content;
}

/** True for a region with the size of the picture. */
export const isAll = (region: Region, { width, height }: PixelSize): boolean =>
  region.width === width && region.height === height;

/** The smallest region with all pixels that differ from the first pixel; null when none differs. */
export function boundsOf({ data, width, height, channels }: Frames): Region | null {
  const differs = isDifferent(data, channels);
  const rowDiffers = (y: number): boolean => some(width, (x) => differs((y * width + x) * channels));
  const top = firstIndex(0, height, rowDiffers);
  if (top === height) return null;
  const bottom = height - firstIndex(0, height, (y) => rowDiffers(height - 1 - y));
  let [left, right] = [width, 0];
  for (let y = top; y < bottom; y++) {
    const at = y * width;
    left = firstIndex(0, left, (x) => differs((at + x) * channels));
    right = width - firstIndex(0, width - right, (x) => differs((at + width - 1 - x) * channels));
  }
  return { left, top, width: right - left, height: bottom - top };
}

/** Compares the pixel at a position with the first one. The colour of a transparent pixel does not matter. */
function isDifferent(data: Buffer, channels: Frames['channels']): (at: number) => boolean {
  const colours = channels < 3 ? 1 : 3;
  const hasAlpha = channels > colours;
  const isClear = hasAlpha && data[colours]! <= TOLERANCE;
  return (at) => {
    if (hasAlpha) {
      const alpha = data[at + colours]!;
      if (Math.abs(alpha - data[colours]!) > TOLERANCE) return true;
      if (isClear) return false;
    }
    for (let i = 0; i < colours; i++) if (Math.abs(data[at + i]! - data[i]!) > TOLERANCE) return true;
    return false;
  };
}

/** The first index that holds, or `to`. */
function firstIndex(from: number, to: number, holds: (index: number) => boolean): number {
  for (let i = from; i < to; i++) if (holds(i)) return i;
  return to;
}

const some = (count: number, holds: (index: number) => boolean): boolean =>
  firstIndex(0, count, holds) < count;
