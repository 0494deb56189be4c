import { type Area, firstFrame } from './gif-frame.ts';
import type { Size } from './plan.ts';

/** Where a GIF's first frame lies on its screen. */
export interface GifCanvas extends Size {
  readonly frame: Area;
}

/** A screen that is so many times as large as the frame on it is a mistake, as libnsgif takes many to be. */
const ABSURD = 1000;

/**
 * The screen of a GIF (GIF89a, 18 and 20), grown to hold its first frame, as browsers show it; null when the frame
 * covers it. libnsgif forgets screens of some common sizes and of more than 2,048 pixels and shows the frame alone. So
 * does this where the screen would have more than `most` pixels.
 */
export function gifCanvasOf(bytes: Buffer, most: number): GifCanvas | null {
  const frame = firstFrame(bytes)?.area;
  if (frame === undefined || frame.width === 0 || frame.height === 0) return null;
  const held = { width: frame.left + frame.width, height: frame.top + frame.height };
  const width = Math.max(bytes.readUInt16LE(6), held.width);
  const height = Math.max(bytes.readUInt16LE(8), held.height);
  const isAbsurd = width * height > Math.min(most, ABSURD * frame.width * frame.height);
  const screen = isAbsurd ? held : { width, height };
  const isCovered = frame.width === screen.width && frame.height === screen.height;
  return isCovered ? null : { ...screen, frame };
}
