import { type Area, firstFrame } from './gif-frame.ts';
import type { Size } from './plan.ts';

/** A GIF's screen size, and the position of the first frame on the screen. */
export interface GifCanvas extends Size {
  readonly frame: Area;
}

/** A screen this many times as large as its frame is a mistake; libnsgif ignores many such screens. */
const MAX_SCREEN_TO_FRAME = 1000;

/**
 * Returns the screen of a GIF (GIF89a, 18 and 20), enlarged to contain its first frame, as browsers show it. Null when
 * the frame covers the screen. libnsgif ignores screens of some common sizes and of more than 2,048 pixels, and shows
 * only the frame. This function also ignores a screen of more than `most` pixels.
 */
export function gifCanvasOf(bytes: Buffer, most: number): GifCanvas | null {
  const frame = firstFrame(bytes)?.area;
  if (frame === undefined || frame.width === 0 || frame.height === 0) return null;
  const extent = { width: frame.left + frame.width, height: frame.top + frame.height };
  const width = Math.max(bytes.readUInt16LE(6), extent.width);
  const height = Math.max(bytes.readUInt16LE(8), extent.height);
  const isTooLarge = width * height > Math.min(most, MAX_SCREEN_TO_FRAME * frame.width * frame.height);
  const screen = isTooLarge ? extent : { width, height };
  const isCovered = frame.width === screen.width && frame.height === screen.height;
  return isCovered ? null : { ...screen, frame };
}
