/** Writes JPEGs of one grey: all differences are zero, and zero has the one-bit code 0. */

export interface Made {
  readonly width?: number;
  readonly height?: number;
  /** Bits per sample. */
  readonly precision?: number;
  /** Component identifiers, which a decoder may read as colour names. */
  readonly ids?: readonly number[];
  /** Marker of the frame header. */
  readonly frame?: number;
  /** Height in the frame header. */
  readonly statedHeight?: number;
  /** Bytes after the scan. */
  readonly tail?: Buffer;
}

const LOSSLESS = new Set([0xc3, 0xc7, 0xcb, 0xcf]);
const EOI = Buffer.from([0xff, 0xd9]);

export function segment(marker: number, ...content: readonly number[]): Buffer {
  const bytes = Buffer.from([0xff, marker, 0, 0, ...content]);
  bytes.writeUInt16BE(content.length + 2, 2);
  return bytes;
}

/** A JPEG of 64 by 48 pixels, by default baseline and grey. */
export function jpegOf(over: Made = {}): Buffer {
  const { width = 64, height = 48, precision = 8, ids = [1], frame = 0xc0, statedHeight = height } = over;
  const isLossless = LOSSLESS.has(frame);
  const sizes = [statedHeight >> 8, statedHeight & 255, width >> 8, width & 255];
  // A one-bit code for 0, a two-bit code for 1.
  const codes = [1, 1, ...Array<number>(14).fill(0), 0, 1];
  const units = isLossless ? width * height : 2 * Math.ceil(width / 8) * Math.ceil(height / 8);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    ...(isLossless ? [] : [segment(0xdb, 0, ...Array<number>(64).fill(1))]),
    segment(frame, precision, ...sizes, ids.length, ...ids.flatMap((id) => [id, 0x11, 0])),
    segment(0xc4, 0, ...codes),
    ...(isLossless ? [] : [segment(0xc4, 0x10, ...codes)]),
    segment(0xda, ids.length, ...ids.flatMap((id) => [id, 0]), isLossless ? 1 : 0, isLossless ? 0 : 63, 0),
    Buffer.alloc(Math.ceil((units * ids.length) / 8)),
    over.tail ?? EOI,
  ]);
}
