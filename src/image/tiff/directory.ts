/** TIFF 6.0, section 2, and BigTIFF. Damage gives fewer values, never an endless loop or a read outside the file. */

/** Reads `length` bytes from a position, or fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Buffer;

export interface Tiff {
  readonly readAt: ReadAt;
  /** Length of the file in bytes. */
  readonly size: number;
  readonly littleEndian: boolean;
  /** The type of positions and counts: longer in a BigTIFF. */
  readonly word: Type;
  readonly first: number;
}

export interface Directory {
  has(tag: number): boolean;
  /** The first `most` values of a tag; rationals as floating point. Empty for a missing or non-numeric tag. */
  numbers(tag: number, most?: number): readonly number[];
  number(tag: number): number | undefined;
  /** The stored bytes of a tag. */
  bytes(tag: number): Buffer;
  /** The first `most` readable directories that a tag points to. */
  below(tag: number, most: number): Directory[];
  /** All tags in the order of the file, with the number of their type (TIFF 6.0, section 2) and the bytes that they state. */
  tags(): { readonly tag: number; readonly type: number; readonly size: number }[];
  /** Position of a tag's values in the file; null for a missing tag. */
  position(tag: number): number | null;
  /** Position of the pointer to the next directory. */
  readonly nextAt: number;
  /** Position of the next directory; 0 if there is none. */
  readonly next: number;
}

/** The most entries to read from one directory: the most that a classic TIFF can count. */
const MAX_ENTRIES = 65_535;
/** The most values to read from one tag: more than the strip offsets of any picture within the limits. */
const MAX_VALUES = 4_000_000;
/** The most directories to count. */
const MAX_DIRECTORIES = 100_000;

/** The number of bytes of a value, and the function that reads the value. */
type Type = readonly [size: number, read: (view: DataView, at: number, littleEndian: boolean) => number];

const BYTE: Type = [1, (view, at) => view.getUint8(at)];
const SHORT: Type = [2, (view, at, le) => view.getUint16(at, le)];
const LONG: Type = [4, (view, at, le) => view.getUint32(at, le)];
/** A position or count above 2^53 loses digits, but is beyond the end of the file anyway. */
const LONG8: Type = [8, (view, at, le) => Number(view.getBigUint64(at, le))];

const TYPES: Readonly<Record<number, Type>> = {
  ...{ 1: BYTE, 2: BYTE, 3: SHORT, 4: LONG, 7: BYTE, 13: LONG, 16: LONG8, 18: LONG8 },
  5: [8, (view, at, le) => view.getUint32(at, le) / view.getUint32(at + 4, le)],
  6: [1, (view, at) => view.getInt8(at)],
  8: [2, (view, at, le) => view.getInt16(at, le)],
  9: [4, (view, at, le) => view.getInt32(at, le)],
  10: [8, (view, at, le) => view.getInt32(at, le) / view.getInt32(at + 4, le)],
  11: [4, (view, at, le) => view.getFloat32(at, le)],
  12: [8, (view, at, le) => view.getFloat64(at, le)],
  17: [8, (view, at, le) => Number(view.getBigInt64(at, le))],
};

/** Returns null for a file without a TIFF header. */
export function openTiff(readAt: ReadAt, size: number): Tiff | null {
  const mark = readAt(0, 4).toString('latin1');
  const big = mark === 'II+\0' || mark === 'MM\0+';
  if (!big && mark !== 'II*\0' && mark !== 'MM\0*') return null;
  const littleEndian = mark.startsWith('II');
  const tiff: Tiff = { readAt, size, littleEndian, word: big ? LONG8 : LONG, first: 0 };
  const first = numberAt(tiff, tiff.word, big ? 8 : 4);
  return first === null ? null : { ...tiff, first };
}

/** Returns null if there is no readable directory at the position. Reads the entries when one of them is needed. */
export function directoryAt(tiff: Tiff, position: number): Directory | null {
  const countType = tiff.word === LONG8 ? LONG8 : SHORT;
  const count = position >= 8 ? (numberAt(tiff, countType, position) ?? 0) : 0;
  const entriesAt = position + countType[0];
  const nextAt = entriesAt + count * entrySize(tiff);
  if (count === 0 || count > MAX_ENTRIES || nextAt > tiff.size) return null;
  let entries: ReadonlyMap<number, TagEntry> | undefined;
  const all = (): ReadonlyMap<number, TagEntry> => {
    entries ??= entriesOf(tiff, entriesAt, count);
    return entries;
  };
  const find = (tag: number): TagEntry | undefined => all().get(tag);
  const numbers = (tag: number, most = MAX_VALUES): number[] => valuesOf(tiff, find(tag), most);
  return {
    has: (tag) => find(tag) !== undefined,
    numbers,
    number: (tag) => numbers(tag, 1)[0],
    bytes: (tag) => {
      const { type, count, at } = find(tag) ?? { type: 1, count: 0, at: 0 };
      return tiff.readAt(at, Math.min(count * sizeOf(type), tiff.size));
    },
    below: (tag, most) => numbers(tag, most).flatMap((position) => directoryAt(tiff, position) ?? []),
    tags: () => [...all()].map(([tag, { type, count }]) => ({ tag, type, size: count * sizeOf(type) })),
    position: (tag) => find(tag)?.at ?? null,
    nextAt,
    next: numberAt(tiff, tiff.word, nextAt) ?? 0,
  };
}

/** Yields at most `most` directories of the main chain. Stops before an unreadable or repeated directory. */
export function* chainOf(tiff: Tiff, most = MAX_DIRECTORIES): Iterable<Directory> {
  const visited = new Set<number>();
  let position = tiff.first;
  while (position !== 0 && !visited.has(position) && visited.size < most) {
    visited.add(position);
    const directory = directoryAt(tiff, position);
    if (directory === null) return;
    yield directory;
    position = directory.next;
  }
}

/** Type, number and position of a tag's values. */
type TagEntry = { readonly type: number; readonly count: number; readonly at: number };

/** Bytes of an entry: tag, type, count, and the values or their position. */
const entrySize = ({ word }: Tiff): number => 4 + 2 * word[0];

/** Reads the table of a directory: entries by tag. Readers use the first of repeated tags. */
function entriesOf(tiff: Tiff, start: number, length: number): Map<number, TagEntry> {
  const { littleEndian, word } = tiff;
  const [wordSize, readWord] = word;
  const table = viewOf(tiff.readAt(start, length * entrySize(tiff)));
  const entries = new Map<number, TagEntry>();
  for (let at = 0; at + entrySize(tiff) <= table.byteLength; at += entrySize(tiff)) {
    const tag = table.getUint16(at, littleEndian);
    const type = table.getUint16(at + 2, littleEndian);
    const count = readWord(table, at + 4, littleEndian);
    const valueAt = at + 4 + wordSize;
    const isInline = count * sizeOf(type) <= wordSize;
    const position = isInline ? start + valueAt : readWord(table, valueAt, littleEndian);
    if (!entries.has(tag)) entries.set(tag, { type, count, at: position });
  }
  return entries;
}

const sizeOf = (type: number): number => TYPES[type]?.[0] ?? 1;

function valuesOf({ readAt, littleEndian }: Tiff, found: TagEntry | undefined, most: number): number[] {
  const type = found && TYPES[found.type];
  if (found === undefined || type === undefined) return [];
  const [size, read] = type;
  const view = viewOf(readAt(found.at, Math.min(found.count, most, MAX_VALUES) * size));
  const length = Math.floor(view.byteLength / size);
  return Array.from({ length }, (_, i) => read(view, i * size, littleEndian));
}

/** Reads a number at a position of the file; null beyond the end. */
function numberAt({ readAt, littleEndian }: Tiff, [size, read]: Type, position: number): number | null {
  const bytes = readAt(position, size);
  return bytes.length < size ? null : read(viewOf(bytes), 0, littleEndian);
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
