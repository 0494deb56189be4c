import type { Size } from './plan.ts';

/** A part of a picture, in pixels from its upper left corner. */
export interface Area extends Size {
  readonly left: number;
  readonly top: number;
}

/** Where a GIF's first frame lies on its screen. */
export interface Screen extends Size {
  readonly frame: Area;
}

/** A screen that is so many times as large as the frame on it is a mistake, as libnsgif takes many to be. */
const ABSURD = 1000;

/**
 * The screen of a GIF (GIF89a, 18 and 20), grown to hold its first frame, as browsers show it; null when the frame
 * covers it. libnsgif forgets screens of some common sizes and of more than 2,048 pixels and shows the frame alone. So
 * does this where the screen would have more than `most` pixels.
 */
export function screenOf(bytes: Buffer, most: number): Screen | null {
  const frame = firstFrame(bytes);
  if (frame === null || frame.width === 0 || frame.height === 0) return null;
  const held = { width: frame.left + frame.width, height: frame.top + frame.height };
  const width = Math.max(bytes.readUInt16LE(6), held.width);
  const height = Math.max(bytes.readUInt16LE(8), held.height);
  const isAbsurd = width * height > Math.min(most, ABSURD * frame.width * frame.height);
  const screen = isAbsurd ? held : { width, height };
  const isCovered = frame.width === screen.width && frame.height === screen.height;
  return isCovered ? null : { ...screen, frame };
}

const EXTENSION = 0x21;
const IMAGE = 0x2c;

function firstFrame(bytes: Buffer): Area | null {
  if (bytes.length < 13) return null;
  let at = 13 + colours(bytes[10]!);
  while (bytes[at] === EXTENSION) {
    at += 2;
    for (let length = bytes[at]; length !== undefined && length > 0; length = bytes[at]) at += length + 1;
    at++;
  }
  if (bytes[at] !== IMAGE || at + 10 > bytes.length) return null;
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => bytes.readUInt16LE(at + offset));
  return { left: left!, top: top!, width: width!, height: height! };
}

/** Bytes of a table of colours, by the field that announces it. */
const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
