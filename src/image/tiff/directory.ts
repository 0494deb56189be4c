/**
 * Reads the directories of a TIFF or BigTIFF in either byte order (TIFF 6.0, section 2; the BigTIFF design by AWare
 * Systems). A damaged file gives fewer values, never an endless loop or a read outside the file.
 */

/** Reads `length` bytes from a position, or fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Buffer;

export interface Tiff {
  readonly readAt: ReadAt;
  /** Length of the file in bytes. */
  readonly size: number;
  readonly littleEndian: boolean;
  readonly big: boolean;
  readonly first: number;
}

export interface Directory {
  has(tag: number): boolean;
  /** The first `most` values of a tag; rationals as floating point. Empty for a missing or non-numeric tag. */
  numbers(tag: number, most?: number): readonly number[];
  number(tag: number): number | undefined;
  /** The stored bytes of a tag. */
  bytes(tag: number): Buffer;
  /** Position of a tag's values in the file; null for a missing tag. */
  position(tag: number): number | null;
  /** Position of the pointer to the next directory, and the pointer's value; 0 for none. */
  readonly nextAt: number;
  readonly next: number;
}

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Position of the value. */
  readonly at: number;
}

/** The most entries to read from one directory: the most that a classic TIFF can count. */
const MAX_ENTRIES = 65_535;
/** The most values to read from one tag: more than the strip offsets of any picture within the limits. */
const MAX_VALUES = 4_000_000;
/** The most directories to count. */
const MAX_DIRECTORIES = 100_000;

/** Bytes of a value by type. */
const SIZES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
};

/** Returns null for a file without a TIFF header. */
export function openTiff(readAt: ReadAt, size: number): Tiff | null {
  const head = readAt(0, 16);
  const order = head.toString('latin1', 0, 2);
  if (head.length < 8 || (order !== 'II' && order !== 'MM')) return null;
  const littleEndian = order === 'II';
  const magic = littleEndian ? head.readUInt16LE(2) : head.readUInt16BE(2);
  if (magic !== 42 && magic !== 43) return null;
  const big = magic === 43;
  if (big && head.length < 16) return null;
  const tiff = { readAt, size, littleEndian, big };
  return { ...tiff, first: offset(tiff, head, big ? 8 : 4) };
}

/** Returns null without a readable directory at the position. */
export function directoryAt(tiff: Tiff, position: number): Directory | null {
  const frame = frameAt(tiff, position);
  if (frame === null) return null;
  const { count, entriesAt, nextAt, next } = frame;
  const entrySize = tiff.big ? 20 : 12;
  const table = tiff.readAt(entriesAt, count * entrySize);
  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const at = i * entrySize;
    const tag = uint16(tiff, table, at);
    // Readers use the first of repeated tags.
    if (!entries.has(tag)) entries.set(tag, entry(tiff, table, at, entriesAt));
  }
  const numbers = (tag: number, most = MAX_VALUES) => valuesOf(tiff, entries.get(tag), most);
  return {
    has: (tag) => entries.has(tag),
    numbers,
    number: (tag) => numbers(tag, 1)[0],
    bytes: (tag) => bytesOf(tiff, entries.get(tag)),
    position: (tag) => entries.get(tag)?.at ?? null,
    ...{ nextAt, next },
  };
}

/** Yields the main chain of directories, up to an unreadable or repeated one. */
export function* chainOf(tiff: Tiff): Iterable<Directory> {
  for (const { position } of frames(tiff)) {
    const directory = directoryAt(tiff, position);
    if (directory === null) return;
    yield directory;
  }
}

/** Counts the directories of the main chain. It does not read their entries, which can overlap. */
export function countDirectories(tiff: Tiff): number {
  let count = 0;
  for (const _ of frames(tiff)) count++;
  return count;
}

/** The position of a directory, its number of entries, and the position of the next one. */
interface Frame {
  readonly position: number;
  readonly count: number;
  /** Positions of the first entry, and of the pointer to the next directory. */
  readonly entriesAt: number;
  readonly nextAt: number;
  readonly next: number;
}

/** Follows the pointers of the main chain. */
function* frames(tiff: Tiff): Iterable<Frame> {
  const visited = new Set<number>();
  let position = tiff.first;
  while (position !== 0 && !visited.has(position) && visited.size < MAX_DIRECTORIES) {
    visited.add(position);
    const frame = frameAt(tiff, position);
    if (frame === null) return;
    yield frame;
    position = frame.next;
  }
}

/** Returns null without a readable directory at the position. */
function frameAt(tiff: Tiff, position: number): Frame | null {
  const [countSize, entrySize, pointerSize] = tiff.big ? [8, 20, 8] : [2, 12, 4];
  const head = tiff.readAt(position, countSize);
  if (position < 8 || head.length < countSize) return null;
  const count = tiff.big ? offset(tiff, head, 0) : uint16(tiff, head, 0);
  if (count === 0 || count > MAX_ENTRIES) return null;
  const entriesAt = position + countSize;
  const nextAt = entriesAt + count * entrySize;
  if (nextAt > tiff.size) return null;
  const pointer = tiff.readAt(nextAt, pointerSize);
  const next = pointer.length < pointerSize ? 0 : offset(tiff, pointer, 0);
  return { position, count, entriesAt, nextAt, next };
}

function entry(tiff: Tiff, table: Buffer, at: number, start: number): Entry {
  const type = uint16(tiff, table, at + 2);
  const count = tiff.big ? offset(tiff, table, at + 4) : uint32(tiff, table, at + 4);
  const [valueAt, capacity] = tiff.big ? [at + 12, 8] : [at + 8, 4];
  const isInline = count * (SIZES[type] ?? 1) <= capacity;
  return { type, count, at: isInline ? start + valueAt : offset(tiff, table, valueAt) };
}

function bytesOf(tiff: Tiff, found: Entry | undefined): Buffer {
  if (found === undefined) return Buffer.alloc(0);
  return tiff.readAt(found.at, Math.min(found.count * (SIZES[found.type] ?? 1), tiff.size));
}

function valuesOf(tiff: Tiff, found: Entry | undefined, most: number): number[] {
  const size = found && SIZES[found.type];
  if (found === undefined || size === undefined) return [];
  const bytes = tiff.readAt(found.at, Math.min(found.count, most, MAX_VALUES) * size);
  const read = reader(tiff, found.type, bytes);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(i * size));
}

function reader({ littleEndian }: Tiff, type: number, bytes: Buffer): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const le = littleEndian;
  switch (type) {
    case 3:
      return (at) => view.getUint16(at, le);
    case 4:
    case 13:
      return (at) => view.getUint32(at, le);
    case 5:
      return (at) => view.getUint32(at, le) / view.getUint32(at + 4, le);
    case 6:
      return (at) => view.getInt8(at);
    case 8:
      return (at) => view.getInt16(at, le);
    case 9:
      return (at) => view.getInt32(at, le);
    case 10:
      return (at) => view.getInt32(at, le) / view.getInt32(at + 4, le);
    case 11:
      return (at) => view.getFloat32(at, le);
    case 12:
      return (at) => view.getFloat64(at, le);
    case 16:
    case 18:
      return (at) => Number(view.getBigUint64(at, le));
    case 17:
      return (at) => Number(view.getBigInt64(at, le));
    default:
      return (at) => view.getUint8(at);
  }
}

type Order = Pick<Tiff, 'littleEndian' | 'big'>;

const uint16 = ({ littleEndian }: Order, bytes: Buffer, at: number): number =>
  littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);

const uint32 = ({ littleEndian }: Order, bytes: Buffer, at: number): number =>
  littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);

/** Reads a position or a large count. A value above 2^53 loses digits, but is beyond the end of the file anyway. */
function offset(order: Order, bytes: Buffer, at: number): number {
  if (!order.big) return uint32(order, bytes, at);
  return Number(order.littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
}
