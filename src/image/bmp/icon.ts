import { ImgtoolError } from '../../errors.ts';
import type { Source } from '../open.ts';
import { damagedPicture } from '../unreadable.ts';
import { type Bitmap, bitmapAt } from './bitmap.ts';

/** A picture of an ICO or CUR file. */
type IconEntry = {
  readonly at: number;
  readonly length: number;
  readonly area: number;
  readonly bits: number;
};

/** Bytes of the directory before its entries, and of each entry. */
const DIRECTORY = 6;
const ENTRY = 16;

const PNG = '\x89PNG\r\n\x1a\n';

/** The largest picture as a source of its own when it is a PNG, else null. Errors: `corrupt`, `too_large`. */
export function pngInIcon(source: Source): Source | null {
  if (typeof source.input === 'string') {
    throw new ImgtoolError('too_large', 'an icon of this size is not read');
  }
  const { at, length } = largestOf(source);
  if (!isPng(source, at)) return null;
  const bytes = source.input.subarray(at, at + length);
  return {
    ...source,
    facts: { ...source.facts, size: bytes.length },
    head: bytes,
    input: bytes,
    readAt: (position, wanted) => bytes.subarray(position, position + wanted),
  };
}

/** The largest picture of an icon. It must be a bitmap. Errors: `corrupt`, `unsupported_format`. */
export function bitmapOfIcon(source: Source): Bitmap {
  const bitmap = bitmapAt(source, largestOf(source).at, 0);
  // The stated height counts the rows of the mask too.
  return { ...bitmap, height: Math.ceil(bitmap.height / 2) };
}

/** The readable entry with most pixels; of several, the one with most bits per pixel. Errors: `corrupt`. */
function largestOf(source: Source): IconEntry {
  const directory = source.readAt(0, DIRECTORY);
  const count = directory.length < DIRECTORY ? 0 : directory.readUInt16LE(4);
  const entries = source.readAt(DIRECTORY, count * ENTRY);
  let largest: IconEntry | null = null;
  for (let at = 0; at + ENTRY <= entries.length; at += ENTRY) {
    const entry = entryAt(source, entries.readUInt32LE(at + 12), entries.readUInt32LE(at + 8));
    if (entry === null) continue;
    if (
      largest === null ||
      entry.area > largest.area ||
      (entry.area === largest.area && entry.bits > largest.bits)
    ) {
      largest = entry;
    }
  }
  if (largest === null) throw damagedPicture('none of its pictures can be read');
  return largest;
}

/**
 * The size by the picture's own header, because the directory has only a byte for each side. Null without a header, and for
 * a PNG that the directory says is empty.
 */
function entryAt(source: Source, at: number, length: number): IconEntry | null {
  const head = source.readAt(at, 26);
  if (head.length < 26) return null;
  if (isPng(source, at)) {
    if (length === 0) return null;
    return { at, length, area: head.readUInt32BE(16) * head.readUInt32BE(20), bits: head[24]! * 4 };
  }
  if (head.readUInt32LE(0) !== 40) return null;
  const [width, rows] = [head.readInt32LE(4), head.readInt32LE(8)];
  return width <= 0 ? null : { at, length, area: (width * Math.abs(rows)) / 2, bits: head.readUInt16LE(14) };
}

const isPng = (source: Source, at: number): boolean =>
  source.readAt(at, PNG.length).toString('latin1') === PNG;
