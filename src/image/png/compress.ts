import { promisify } from 'node:util';
import { constants, deflate, inflate, type ZlibOptions } from 'node:zlib';
import { chunksOf } from '../chunks.ts';
import { type Frames, from, STILL } from '../steps/frames.ts';

const { Z_RLE, Z_HUFFMAN_ONLY } = constants;
const deflated = promisify<Buffer, ZlibOptions, Buffer>(deflate);
const inflated = promisify<Buffer, ZlibOptions, Buffer>(inflate);

/** Rows of a PNG: pixels of 1 to 4 bytes. Packed pixels count as pixels of one byte. */
type PngRows = Pick<Frames, 'data' | 'width' | 'height' | 'channels'>;

/** Above this effort (1 to 10), several ways are tried. */
const THOROUGH_EFFORT = 6;

/** Rows that shrink to less than this share have many repeats, and zlib's highest level finds them. */
const REPETITIVE = 1 / 6;
/** Above this size, the highest level can take more than four seconds. */
const MAX_REPETITIVE_BYTES = 8_000_000;

/** Above this size, another copy of the rows takes too much memory. */
const MAX_COPIED_BYTES = 32_000_000;

/**
 * Filters and compresses rows as the content of IDAT chunks. At high effort, the smallest of several ways: all rows
 * unfiltered or each with its best filter, with codes for few repeats or the highest level for many.
 */
export async function compressed(rows: PngRows, effort: number): Promise<Buffer> {
  const level = Math.max(1, Math.round(effort * 0.9));
  const plain = await byLibvips(rows, level, false);
  if (effort <= THOROUGH_EFFORT) return plain;
  const filtered = await byLibvips(rows, level, true);
  const isPlain = plain.length <= filtered.length;
  const repeats = isPlain ? plain : filtered;
  const size = rows.data.length;
  if (size > MAX_COPIED_BYTES) return repeats;
  const best = await withoutRepeats(repeats, rows);
  const isRepetitive = best.length < size * REPETITIVE || (isPlain && best === repeats);
  if (!isRepetitive || size > MAX_REPETITIVE_BYTES || level === 9) return best;
  return smallest([best, await byLibvips(rows, 9, !isPlain)]);
}

/** Compresses with a zlib level, 1 to 9, and no filter or a filter for each row. */
async function byLibvips(
  rows: PngRows,
  compressionLevel: number,
  adaptiveFiltering: boolean,
): Promise<Buffer> {
  const pixels = from({ ...rows, ...STILL });
  const pipeline = rows.channels < 3 ? pixels.toColourspace('b-w') : pixels;
  // sharp's own `effort` and `quality` would reduce the picture to a palette with loss.
  const png = await pipeline.png({ compressionLevel, adaptiveFiltering }).toBuffer();
  const parts = [...chunksOf(png, 'png', false)].filter(({ type }) => type === 'IDAT');
  return Buffer.concat(parts.map(({ at, length }) => png.subarray(at, at + length)));
}

/** The rows of compressed ones with codes that suit few repeats; the compressed ones if that is not smaller. */
async function withoutRepeats(made: Buffer, { data, height, channels }: PngRows): Promise<Buffer> {
  // With these sizes of chunks, 64 at least, zlib makes no second copy of its results.
  const rows = await inflated(made, { chunkSize: data.length + height + 64 });
  let best = made;
  for (const strategy of channels === 1 ? [Z_RLE, Z_HUFFMAN_ONLY] : [Z_RLE]) {
    best = smallest([best, await deflated(rows, { strategy, memLevel: 9, chunkSize: made.length + 64 })]);
  }
  return best;
}

/** The shortest; the first of equal ones. */
export function smallest(all: readonly Buffer[]): Buffer {
  return all.reduce((least, one) => (one.length < least.length ? one : least));
}
