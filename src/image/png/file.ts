import { promisify } from 'node:util';
import { constants, crc32, deflate } from 'node:zlib';
import { chunksOf } from '../chunks.ts';
import type { Numbered } from './reduce.ts';

const deflated = promisify(deflate);

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** The chunks that pixels need; all others are metadata. */
export const NEEDED: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/** PNG colour types (PNG, third edition, 11.2.1). */
export const COLOUR_TYPE = { grey: 0, indexed: 3 } as const;

/** Above this zlib level, filters are tried. */
const MAX_QUICK_LEVEL = 6;
/** Above this size, filters and the highest levels take too long: 24 MB took 27 s instead of 2 s, for 7 % less. */
const MAX_THOROUGH_BYTES = 4_000_000;

/** Encodes a PNG with the fewest bits per pixel that its numbers need. `level` is zlib's, 1 to 9. */
export async function packedPng(picture: Numbered, level: number): Promise<Buffer> {
  const { width, height, bits, palette } = picture;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, palette === null ? COLOUR_TYPE.grey : COLOUR_TYPE.indexed, 0, 0, 0], 8);
  const colours = palette?.flatMap((each) => [each >>> 24, (each >>> 16) & 255, (each >>> 8) & 255]) ?? [];
  const opacities = palette?.map((each) => each & 255).filter((opacity) => opacity < 255) ?? [];
  const data = await compressed(packed(picture), picture, level);
  return pngFile({ IHDR: header, PLTE: Buffer.from(colours), tRNS: Buffer.from(opacities), IDAT: data });
}

/** A PNG file of these chunks. Chunks without content are left out. */
export function pngFile(contents: Readonly<Record<string, Buffer | undefined>>): Buffer {
  const chunks = Object.entries(contents).flatMap(([type, content]) =>
    content?.length ? pngChunk(type, content) : [],
  );
  return Buffer.concat([SIGNATURE, ...chunks, pngChunk('IEND', Buffer.alloc(0))]);
}

/** Rows stay unfiltered, which is best for most palettes. At high levels, 8-bit rows are also tried with filters. */
async function compressed(rows: Buffer, { bits, height }: Numbered, level: number): Promise<Buffer> {
  const isLarge = rows.length > MAX_THOROUGH_BYTES;
  const best = { level: isLarge ? Math.min(level, MAX_QUICK_LEVEL) : level, memLevel: 9 };
  if (bits < 8 || best.level <= MAX_QUICK_LEVEL) return deflated(rows, best);
  const levels = filteredRows(rows, rows.length / height);
  const [plain, filtered] = [await deflated(rows, { level: 1 }), await deflated(levels, { level: 1 })];
  if (plain.length < filtered.length) return deflated(rows, best);
  const repeats = await deflated(levels, best);
  // Noise has no repeats to find.
  const noise = await deflated(levels, { ...best, strategy: constants.Z_RLE });
  return noise.length < repeats.length ? noise : repeats;
}

/** Rows of packed pixels, each after filter byte 0 (no filter). */
function packed({ width, height, bits, numbers }: Numbered): Buffer {
  const row = 1 + Math.ceil((width * bits) / 8);
  const rows = Buffer.alloc(row * height);
  const inByte = 8 / bits;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = y * row + 1 + Math.floor(x / inByte);
      rows[at] = rows[at]! | (numbers[i]! << (8 - bits * ((x % inByte) + 1)));
    }
  }
  return rows;
}

/** The same PNG without metadata. */
export function bare(png: Buffer): Buffer {
  const needed = [...chunksOf(png, 'png', false)].filter(({ type }) => NEEDED.has(type));
  const kept = needed.map(({ at, length }) => png.subarray(at - 8, at + length + 4));
  return Buffer.concat([SIGNATURE, ...kept]);
}

/** Length, type, content and checksum (PNG, third edition, 5.3). */
export function pngChunk(type: string, content: Buffer): Buffer {
  const made = Buffer.alloc(content.length + 12);
  made.writeUInt32BE(content.length, 0);
  made.write(type, 4, 'latin1');
  made.set(content, 8);
  made.writeUInt32BE(crc32(made.subarray(4, content.length + 8)), content.length + 8);
  return made;
}

/** The row filters for one-byte pixels (PNG, third edition, 9.2), which predict a byte from left, up and upper left. */
const FILTERS: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
];

/** The neighbour that is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const fromLeft = Math.abs(up - corner);
  const fromUp = Math.abs(left - corner);
  const fromCorner = Math.abs(left + up - 2 * corner);
  if (fromLeft <= fromUp && fromLeft <= fromCorner) return left;
  return fromUp <= fromCorner ? up : corner;
}

/** What a filter, 0 to 4, predicts for byte `x` of the row that starts at `at`. Rows are `row` bytes long. */
export function predicted(filter: number, rows: Buffer, row: number, at: number, x: number): number {
  const left = x > 1 ? rows[at + x - 1]! : 0;
  const up = at > 0 ? rows[at + x - row]! : 0;
  const corner = x > 1 && at > 0 ? rows[at + x - row - 1]! : 0;
  return FILTERS[filter]!(left, up, corner);
}

/** Filters each row so that its bytes, read as signed, have the smallest sum of absolute values (PNG, 12.7). */
function filteredRows(rows: Buffer, row: number): Buffer {
  const made = Buffer.alloc(rows.length);
  const tried = Buffer.alloc(row);
  for (let at = 0; at < rows.length; at += row) {
    let least = Number.POSITIVE_INFINITY;
    for (let filter = 0; filter < FILTERS.length; filter++) {
      tried[0] = filter;
      let sum = 0;
      for (let x = 1; x < row; x++) {
        const byte = (rows[at + x]! - predicted(filter, rows, row, at, x)) & 255;
        tried[x] = byte;
        sum += byte < 128 ? byte : 256 - byte;
      }
      if (sum >= least) continue;
      least = sum;
      tried.copy(made, at);
    }
  }
  return made;
}
