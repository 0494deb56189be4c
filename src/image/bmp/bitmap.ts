import type { Source } from '../open.ts';
import { CONVERT, damagedPicture, undecodable } from '../unreadable.ts';

/** The part of a source that a bitmap is read from. */
export type BitmapSource = Pick<Source, 'readAt'> & { readonly facts: Pick<Source['facts'], 'size'> };

/** What the header of a device-independent bitmap states ([MS-WMF] 2.2.2; OS/2 Presentation Manager). */
export type Bitmap = Readonly<ReturnType<typeof bitmapAt>>;

/** Header sizes in bytes: OS/2 1, Windows 3 and its successors. OS/2 2 allows any size from 16 to 64. */
const CORE = 12;
const WINDOWS = [40, 52, 56, 108, 124];
const OS2 = { least: 16, most: 64 };

const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
/** Compressions whose header states a bit field for each channel; the second has one for alpha. */
const FIELDS = 3;
const ALPHA_FIELDS = 6;
const REFUSED: Readonly<Record<number, string>> = { 4: 'JPEG inside', 5: 'PNG inside' };

/** The bits per pixel of each compression. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [RGB]: [1, 2, 4, 8, 16, 24, 32],
  [RLE8]: [8],
  [RLE4]: [4],
  [FIELDS]: [16, 32],
  [ALPHA_FIELDS]: [16, 32],
};

/** The bit fields of red, green, blue and alpha where the header states none. */
const FIELDS_16 = [0x7c00, 0x3e0, 0x1f, 0];
const FIELDS_32 = [0xff0000, 0xff00, 0xff, 0];
const ALPHA_32 = 0xff000000;

/** `MBED`: the file contains a profile. */
const EMBEDDED = 0x4d424544;

/** Length of the file header: `BM`, size, reserved, offset of the pixels. */
const FILE_HEADER = 14;

/** True when bytes start like a bitmap with a known kind of header. OS/2 puts an array header before the first bitmap. */
export function isBitmap(bytes: Buffer): boolean {
  const at = startOf(bytes);
  if (bytes.toString('latin1', at, at + 2) !== 'BM' || bytes.length < at + FILE_HEADER + 4) return false;
  return isHeader(bytes.readUInt32LE(at + FILE_HEADER));
}

const startOf = (bytes: Buffer): number => (bytes.toString('latin1', 0, 2) === 'BA' ? FILE_HEADER : 0);

const isHeader = (size: number): boolean =>
  size === CORE || WINDOWS.includes(size) || (size >= OS2.least && size <= OS2.most);

/** Reads the header of a BMP file. Errors: `corrupt`, `unsupported_format`. */
export function bitmapOfFile(source: BitmapSource): Bitmap {
  const start = startOf(source.readAt(0, 2));
  const head = padded(source.readAt(start, FILE_HEADER), FILE_HEADER);
  return bitmapAt(source, start + FILE_HEADER, head.readUInt32LE(10));
}

/** Reads a header. `pixelsAt` is 0 where the pixels follow the header. Errors: `corrupt`, `unsupported_format`. */
export function bitmapAt(source: BitmapSource, at: number, pixelsAt: number) {
  const size = padded(source.readAt(at, 4), 4).readUInt32LE();
  if (!isHeader(size)) throw damagedPicture('its header has an unknown size');
  const isCore = size === CORE;
  const head = padded(source.readAt(at, size), 124);
  const width = isCore ? head.readUInt16LE(4) : head.readInt32LE(4);
  const rows = isCore ? head.readUInt16LE(6) : head.readInt32LE(8);
  const bits = head.readUInt16LE(isCore ? 10 : 14);
  const compression = isCore ? RGB : head.readUInt32LE(16);
  const isWindows = isCore || WINDOWS.includes(size);
  if (width <= 0 || rows === 0) throw damagedPicture('its header has no picture size');
  assertReadable(bits, compression, isWindows);
  const fields = compression === FIELDS || compression === ALPHA_FIELDS;
  const behind = fields && size === 40 ? (compression === FIELDS ? 12 : 16) : 0;
  const paletteAt = at + size + behind;
  const entry = isCore ? 3 : 4;
  const used = isCore ? 0 : head.readUInt32LE(32);
  const most = bits <= 8 ? 2 ** bits : 0;
  const listed = bits <= 8 && (used === 0 || used > most) ? most : used;
  const stated = pixelsAt >= paletteAt ? pixelsAt : paletteAt + listed * entry;
  const colours = Math.min(listed, most, Math.floor((stated - paletteAt) / entry));
  return {
    width,
    height: Math.abs(rows),
    /** True when the first stored row is the highest. */
    topDown: rows < 0,
    bits,
    /** True when runs compress the pixels. */
    packed: compression === RLE8 || compression === RLE4,
    at: stated,
    /** Blue, green and red of each colour, `entry` bytes apart. */
    palette: source.readAt(paletteAt, colours * entry),
    entry,
    fields: fields ? statedFields(source.readAt(at + 40, 16), size, compression) : usualFields(bits, size),
    profile: size === 124 && head.readUInt32LE(56) === EMBEDDED ? profileOf(source, at, head) : NO_PROFILE,
  };
}

const NO_PROFILE = Buffer.alloc(0);

function assertReadable(bits: number, compression: number, isWindows: boolean): void {
  const isOther = !isWindows && compression > RLE4;
  const allowed = isOther ? undefined : DEPTHS[compression];
  if (allowed?.includes(bits)) return;
  const kind =
    allowed === undefined ? (REFUSED[compression] ?? `compression ${compression}`) : `${bits} bits per pixel`;
  throw undecodable({ name: `BMP with ${isOther ? `OS/2 compression ${compression}` : kind}`, fix: CONVERT });
}

function statedFields(bytes: Buffer, size: number, compression: number): number[] {
  const hasAlpha = compression === ALPHA_FIELDS || size >= 56;
  const all = padded(bytes, 16);
  return [0, 4, 8, 12].map((at) => (at < 12 || hasAlpha ? all.readUInt32LE(at) : 0));
}

/** Some writers put alpha into the fourth byte of a plain header of 40 bytes. */
function usualFields(bits: number, size: number): number[] {
  if (bits === 16) return FIELDS_16;
  return bits === 32 && size === 40 ? [...FIELDS_32.slice(0, 3), ALPHA_32] : FIELDS_32;
}

/** The header states the position of the profile from its own start. */
const profileOf = ({ readAt }: BitmapSource, at: number, head: Buffer): Buffer =>
  readAt(at + head.readUInt32LE(112), Math.min(head.readUInt32LE(116), MAX_PROFILE));

const MAX_PROFILE = 2 ** 24;

/** A copy with zeros behind it. */
function padded(bytes: Buffer, length: number): Buffer {
  const all = Buffer.alloc(length);
  bytes.copy(all);
  return all;
}

/** Bytes of a stored row, which is filled up to a multiple of four. */
export const strideOf = (width: number, bits: number): number => Math.ceil((width * bits) / 32) * 4;
