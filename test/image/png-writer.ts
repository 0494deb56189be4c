/** Writes PNG files chunk by chunk (PNG, third edition), in forms that no encoder here produces. */
import { deflateSync } from 'node:zlib';

export const chunk = (type: string, data: Uint8Array): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([number(data.length, 4), named, number(crc32(named), 4)]);
};

/** A big-endian unsigned number of this many bytes. */
export function number(value: number, bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  data.writeUIntBE(value, 0, bytes);
  return data;
}

export interface Samples {
  /** Row by row, at the full range of their bits. */
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly bits: 8 | 16;
}

const COLOUR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 };

export function png(
  { data, width, height, channels, bits }: Samples,
  before: readonly Buffer[] = [],
  behind: readonly Buffer[] = [],
): Buffer {
  const row = (width * channels * bits) / 8 + 1;
  const rows = Buffer.alloc(row * height);
  for (let i = 0; i < width * height * channels; i++) {
    const y = Math.floor(i / (width * channels));
    const at = y * row + 1 + ((i % (width * channels)) * bits) / 8;
    rows.writeUIntBE(data[i]!, at, bits / 8);
  }
  const header = Buffer.concat([
    number(width, 4),
    number(height, 4),
    Buffer.from([bits, COLOUR_TYPES[channels], 0, 0, 0]),
  ]);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const pixels = chunk('IDAT', deflateSync(rows));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...before,
    pixels,
    ...behind,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Three by three pixels in the passes of Adam7: black, white, black rows. Not interlaced, they take more bytes. */
export function interlacedPng(): Buffer {
  const header = Buffer.concat([number(3, 4), number(3, 4), Buffer.from([1, 0, 0, 0, 1])]);
  const passes = Buffer.concat([Buffer.alloc(11), Buffer.from([0b1110_0000])]);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(passes)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Colour primaries, transfer characteristics, matrix and range. */
export const cicp = (primaries: number, transfer: number, fullRange = 1): Buffer =>
  chunk('cICP', Buffer.from([primaries, transfer, 0, fullRange]));

export const gama = (value: number): Buffer => chunk('gAMA', number(value, 4));

/** x and y of white, red, green and blue. */
export const chrm = (...xy: number[]): Buffer =>
  chunk('cHRM', Buffer.concat(xy.map((n) => number(Math.round(n * 100_000), 4))));

export const iccp = (profile: Uint8Array): Buffer =>
  chunk('iCCP', Buffer.concat([Buffer.from('test\0\0', 'latin1'), deflateSync(profile)]));

/** The polynomial of PNG's annex D. */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
