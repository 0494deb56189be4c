import { inflateSync } from 'node:zlib';
import { orUndefined } from '../../errors.ts';
import { chunksOf } from '../chunks.ts';
import { COLOUR_TYPE, type Pass, passesOf, pngFile, SAMPLES, unpackedLength } from './file.ts';

/** The chunks that pixels need; all others are metadata. */
const NEEDED: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/**
 * Makes a PNG file that has the compressed pixels of another PNG and nothing else. Returns null when these pixels take
 * `limit` bytes or more, and where decoders could disagree or bytes could hide: 16 bits, repeated chunks, a colour key or
 * an index without a colour, or a wrong amount of pixels.
 */
export function rebuiltPng(png: Buffer, limit = Number.POSITIVE_INFINITY): Buffer | null {
  const chunks = new Map<string, Buffer>();
  const packed: Buffer[] = [];
  for (const { type, at, length } of chunksOf(png, 'png', false)) {
    const content = png.subarray(at, at + length);
    if (type === 'IDAT') packed.push(content);
    else if (NEEDED.has(type)) {
      if (chunks.has(type)) return null;
      chunks.set(type, content);
    }
  }
  if (packed.reduce((sum, { length }) => sum + length, 0) >= limit) return null;
  const header = chunks.get('IHDR');
  if (header?.length !== 13 || !chunks.has('IEND')) return null;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [bits = 0, type = 0, compression, filter, interlace] = header.subarray(8);
  const channels = SAMPLES[type];
  if (channels === undefined || bits > 8 || compression !== 0 || filter !== 0) return null;
  if (interlace !== 0 && interlace !== 1) return null;
  const isIndexed = type === COLOUR_TYPE.indexed;
  const transparency = chunks.get('tRNS');
  const palette = isIndexed ? chunks.get('PLTE') : undefined;
  if (isIndexed ? palette === undefined : transparency && !isColourKey(transparency, type, bits)) return null;
  const colours = (palette?.length ?? 0) / 3;
  if (!Number.isInteger(colours) || colours > 2 ** bits) return null;
  if (isIndexed && (transparency?.length ?? 0) > colours) return null;
  const data = Buffer.concat(packed);
  const isInterlaced = interlace === 1;
  const passes = passesOf({ width, height }, channels * bits, isInterlaced);
  const rows = inflated(data, unpackedLength(passes));
  if (rows === null || (isIndexed && highestIndex(rows, passes, bits) >= colours)) return null;
  return pngFile(
    { width, height, bits, type, isInterlaced },
    { PLTE: palette, tRNS: transparency, IDAT: data },
  );
}

/**
 * Whether a tRNS chunk holds one transparent colour that grey or RGB pixels can have. The chunk has 16 bits for each
 * sample, and the pixels have only `bits`.
 */
function isColourKey(content: Buffer, type: number, bits: number): boolean {
  const samples = type === COLOUR_TYPE.grey ? 1 : type === COLOUR_TYPE.rgb ? 3 : 0;
  if (samples === 0 || content.length !== samples * 2) return false;
  return Array.from({ length: samples }, (_, i) => content.readUInt16BE(i * 2)).every(
    (each) => each < 2 ** bits,
  );
}

/** What zlib returns with `info`. */
type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

/** Returns the unpacked bytes if they have exactly this length and nothing follows them. Otherwise returns null. */
function inflated(data: Buffer, length: number): Buffer | null {
  const options = { info: true, maxOutputLength: length + 1 };
  const found = orUndefined(() => inflateSync(data, options) as unknown as Inflated);
  return found?.buffer.length === length && found.engine.bytesWritten === data.length ? found.buffer : null;
}

/** The highest palette index of all pixels; infinite if a row has an unknown filter. */
function highestIndex(rows: Buffer, passes: readonly Pass[], bits: number): number {
  let highest = 0;
  let at = 0;
  for (const pass of passes) {
    const end = at + pass.row * pass.height;
    highest = Math.max(highest, highestOfPass(rows.subarray(at, end), pass, bits));
    at = end;
  }
  return highest;
}

/** Works on pixels that take a byte or less. */
function highestOfPass(rows: Buffer, { row, width }: Pass, bits: number): number {
  let highest = 0;
  for (let at = 0; at < rows.length; at += row) {
    const filter = rows[at]!;
    if (filter > 4) return Number.POSITIVE_INFINITY;
    for (let x = 1; x < row; x++) rows[at + x]! += predicted(filter, rows, row, at, x);
    for (let pixel = 0; pixel < width; pixel++) {
      const byte = rows[at + 1 + Math.floor((pixel * bits) / 8)]!;
      const index = (byte >> (8 - bits - ((pixel * bits) % 8))) & (2 ** bits - 1);
      if (index > highest) highest = index;
    }
  }
  return highest;
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
function predicted(filter: number, rows: Buffer, row: number, at: number, x: number): number {
  const left = x > 1 ? rows[at + x - 1]! : 0;
  const up = at > 0 ? rows[at + x - row]! : 0;
  const corner = x > 1 && at > 0 ? rows[at + x - row - 1]! : 0;
  return FILTERS[filter]!(left, up, corner);
}
