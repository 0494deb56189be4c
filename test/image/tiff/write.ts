/** Writes TIFFs of any layout for tests, after TIFF 6.0; shares no code with the reader. */
import { COMPRESSIONS, type Packing, pack } from './pack.ts';

export type SampleFormat = 'uint' | 'int' | 'float';

export interface Entry {
  readonly tag: number;
  /** TIFF's type number; 3 and 4 hold integers, 12 doubles, all others bytes. */
  readonly type: number;
  readonly values: readonly number[];
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly photometric: number;
  readonly samples: number;
  readonly bits: number;
  readonly format?: SampleFormat;
  readonly extra?: readonly number[];
  readonly planar?: boolean;
  /** Tiles of this size in pixels; null for strips. */
  readonly tile?: number | null;
  readonly rowsPerStrip?: number;
  readonly packing?: Packing;
  readonly predictor?: 1 | 2;
  readonly bigEndian?: boolean;
  readonly bigTiff?: boolean;
  readonly directoryFirst?: boolean;
  readonly tags?: readonly Entry[];
  /** The value of a sample, in units of its type. */
  readonly value: (x: number, y: number, sample: number) => number | bigint;
}

export function writeTiff(picture: Picture): Buffer {
  return writeTiffs([picture], []);
}

/**
 * `chain` are the main directories, in the byte order and arrangement of the first. `below` are the subdirectories of the
 * first (SubIFDs). The last directory of the chain points to `nextAfterLast`.
 */
export function writeTiffs(
  chain: readonly [Picture, ...Picture[]],
  below: readonly Picture[],
  nextAfterLast = 0,
): Buffer {
  const { bigTiff = false, bigEndian = false, directoryFirst = false } = chain[0];
  const order = { bigTiff, bigEndian };
  const parts = [...chain, ...below].map((picture) => ({
    picture,
    segments: segmentsOf({ ...picture, bigEndian }),
  }));
  const start = bigTiff ? 16 : 8;
  const pixels = Buffer.concat(parts.flatMap(({ segments }) => segments));
  const padding = Buffer.alloc(pixels.length % 2);
  const tables = (pixelsAt: number, tablesAt: number): Buffer[] => {
    let at = tablesAt;
    let segmentAt = pixelsAt;
    // Their lengths do not depend on the positions that they contain.
    const entries = parts.map(({ picture, segments }, i) => {
      const offsets = segments.map(({ length }) => {
        segmentAt += length;
        return segmentAt - length;
      });
      const subdirectories =
        i === 0 && below.length > 0 ? [{ tag: 330, type: 4, values: below.map(() => 0) }] : [];
      return [...entriesOf(picture, segments, offsets), ...subdirectories].sort((a, b) => a.tag - b.tag);
    });
    const positions = entries.map((each) => {
      const here = at;
      at += directory(each, here, order).length;
      return here;
    });
    return entries.map((each, i) => {
      const pointing = each.map((entry) =>
        entry.tag === 330 && below.length > 0 ? { ...entry, values: positions.slice(chain.length) } : entry,
      );
      const next = i < chain.length - 1 ? positions[i + 1]! : i === chain.length - 1 ? nextAfterLast : 0;
      return directory(pointing, positions[i]!, order, next);
    });
  };
  if (!directoryFirst) {
    const at = start + pixels.length + padding.length;
    return Buffer.concat([header(at, order), pixels, padding, ...tables(start, at)]);
  }
  const length = sum(tables(0, start).map((table) => table.length));
  return Buffer.concat([header(start, order), ...tables(start + length, start), pixels]);
}

function entriesOf(picture: Picture, segments: readonly Buffer[], offsets: readonly number[]): Entry[] {
  const isTiled = (picture.tile ?? null) !== null;
  return [
    ...structure(picture),
    { tag: isTiled ? 324 : 273, type: 4, values: offsets },
    { tag: isTiled ? 325 : 279, type: 4, values: segments.map(({ length }) => length) },
    ...(picture.tags ?? []),
  ];
}

interface Order {
  readonly bigEndian: boolean;
  readonly bigTiff: boolean;
}

function header(at: number, { bigEndian, bigTiff }: Order): Buffer {
  const bytes = Buffer.alloc(bigTiff ? 16 : 8);
  bytes.write(bigEndian ? 'MM' : 'II', 'latin1');
  put(bytes, 2, 2, bigTiff ? 43 : 42, bigEndian);
  if (bigTiff) put(bytes, 4, 2, 8, bigEndian);
  put(bytes, bigTiff ? 8 : 4, bigTiff ? 8 : 4, at, bigEndian);
  return bytes;
}

/** A directory at a position of the file, with its values after it. */
function directory(entries: readonly Entry[], at: number, { bigEndian, bigTiff }: Order, next = 0): Buffer {
  const [countSize, entrySize, word] = bigTiff ? [8, 20, 8] : [2, 12, 4];
  const table = Buffer.alloc(countSize + entries.length * entrySize + word);
  const values: Buffer[] = [];
  let behind = at + table.length;
  put(table, 0, countSize, entries.length, bigEndian);
  entries.forEach(({ tag, type, values: numbers }, i) => {
    const entry = countSize + i * entrySize;
    put(table, entry, 2, tag, bigEndian);
    put(table, entry + 2, 2, type, bigEndian);
    put(table, entry + 4, word, numbers.length, bigEndian);
    const size = type === 3 ? 2 : type === 4 || type === 13 ? 4 : type === 12 || type === 5 ? 8 : 1;
    const bytes = Buffer.alloc(numbers.length * size);
    numbers.forEach((number, j) => {
      if (type === 12) {
        if (bigEndian) bytes.writeDoubleBE(number, j * 8);
        else bytes.writeDoubleLE(number, j * 8);
      } else if (type === 5) {
        put(bytes, j * 8, 4, Math.round(number * 10_000), bigEndian);
        put(bytes, j * 8 + 4, 4, 10_000, bigEndian);
      } else put(bytes, j * size, size, number, bigEndian);
    });
    if (bytes.length <= word) bytes.copy(table, entry + 4 + word);
    else {
      put(table, entry + 4 + word, word, behind, bigEndian);
      const padded = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
      values.push(padded);
      behind += padded.length;
    }
  });
  put(table, table.length - word, word, next, bigEndian);
  return Buffer.concat([table, ...values]);
}

/** The tags that describe the storage of the pixels. */
function structure(picture: Picture): Entry[] {
  const { width, height, samples, bits, tile = null, extra = [], packing = 'none' } = picture;
  const short = (tag: number, ...values: number[]): Entry => ({ tag, type: 3, values });
  const format = { uint: 1, int: 2, float: 3 }[picture.format ?? 'uint'];
  return [
    { tag: 256, type: 4, values: [width] },
    { tag: 257, type: 4, values: [height] },
    short(258, ...Array<number>(samples).fill(bits)),
    short(259, COMPRESSIONS[packing]),
    short(262, picture.photometric),
    short(277, samples),
    short(284, picture.planar ? 2 : 1),
    short(339, ...Array<number>(samples).fill(format)),
    ...(extra.length > 0 ? [short(338, ...extra)] : []),
    ...(picture.predictor === 2 ? [short(317, 2)] : []),
    ...(tile === null ? [short(278, rowsOf(picture))] : [short(322, tile), short(323, tile)]),
  ];
}

const rowsOf = ({ rowsPerStrip, height }: Picture): number => rowsPerStrip ?? Math.min(height, 13);

/** The compressed strips or tiles in order. */
function segmentsOf(picture: Picture): Buffer[] {
  const { width, height, samples, tile = null, planar = false } = picture;
  const [segmentWidth, segmentHeight] = tile === null ? [width, rowsOf(picture)] : [tile, tile];
  const segments: Buffer[] = [];
  for (const plane of planar ? Array(samples).keys() : [null])
    for (let top = 0; top < height; top += segmentHeight)
      for (let left = 0; left < width; left += segmentWidth) {
        const rows = tile === null ? Math.min(segmentHeight, height - top) : segmentHeight;
        const bytes = Array.from({ length: rows }, (_, y) =>
          row(picture, left, top + y, segmentWidth, plane),
        );
        // PackBits compresses each row separately.
        const parts = picture.packing === 'packbits' ? bytes : [Buffer.concat(bytes)];
        segments.push(Buffer.concat(parts.map((part) => pack(part, picture.packing ?? 'none'))));
      }
  return segments;
}

/** One row of a strip or tile; outside the picture, it repeats the edge. */
function row(picture: Picture, left: number, y: number, width: number, plane: number | null): Buffer {
  const { samples, bits, format = 'uint', bigEndian = false } = picture;
  const planes = plane === null ? [...Array(samples).keys()] : [plane];
  const values: (number | bigint)[] = [];
  for (let x = left; x < left + width; x++)
    for (const sample of planes)
      values.push(picture.value(Math.min(x, picture.width - 1), Math.min(y, picture.height - 1), sample));
  if (picture.predictor === 2) predict(values as number[], planes.length, bits);
  if (bits % 8 !== 0) return packed(values as number[], bits);
  const bytes = Buffer.alloc((values.length * bits) / 8);
  values.forEach((value, i) => {
    const at = (i * bits) / 8;
    if (format === 'float') putFloat(bytes, at, bits, Number(value), bigEndian);
    else put(bytes, at, bits / 8, value, bigEndian);
  });
  return bytes;
}

function predict(values: number[], stride: number, bits: number): void {
  for (let i = values.length - 1; i >= stride; i--)
    values[i] = (values[i]! - values[i - stride]! + 2 ** bits) % 2 ** bits;
}

/** Samples of less than a byte or of 12 bits, from the highest bit on; each row ends on a byte boundary. */
function packed(values: readonly number[], bits: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil((values.length * bits) / 8));
  values.forEach((value, i) => {
    for (let bit = 0; bit < bits; bit++) {
      const at = i * bits + bit;
      if ((value >> (bits - 1 - bit)) & 1) bytes[at >> 3]! |= 0x80 >> (at & 7);
    }
  });
  return bytes;
}

function put(bytes: Buffer, at: number, size: number, value: number | bigint, bigEndian: boolean): void {
  if (size <= 4 && value >= 0) {
    if (bigEndian) bytes.writeUIntBE(Number(value), at, size);
    else bytes.writeUIntLE(Number(value), at, size);
    return;
  }
  let left = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < size; i++) {
    bytes[bigEndian ? at + size - 1 - i : at + i] = Number(left & 255n);
    left >>= 8n;
  }
}

function putFloat(bytes: Buffer, at: number, bits: number, value: number, bigEndian: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (bits === 64) view.setFloat64(at, value, !bigEndian);
  else if (bits === 32) view.setFloat32(at, value, !bigEndian);
  else if (bits === 16) put(bytes, at, 2, half(value), bigEndian);
  // The high bytes of a single equal a 24-bit float except for the exponent's width, and readers refuse 24 bits anyway.
  else put(bytes, at, bits / 8, 0, bigEndian);
}

/** IEEE 754 half precision of a number from 0 to below 65,520, truncated. */
function half(value: number): number {
  if (value < 2 ** -14) return Math.floor(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.floor((value / 2 ** exponent - 1) * 1024);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((so, each) => so + each, 0);
