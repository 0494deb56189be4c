import { type Directory, directoryAt, openTiff, type ReadAt } from '../tiff/directory.ts';
import { TAG } from '../tiff/tags.ts';

/** An EXIF block as entries (Exif 2.32, 4.6): read from a source, and written from scratch. */

/** One tag with its stored bytes, in the byte order of its block. */
export interface ExifEntry {
  readonly tag: number;
  /** By TIFF 6.0, section 2. */
  readonly type: number;
  readonly bytes: Buffer;
}

type Entries = ReadonlyMap<number, ExifEntry>;

/** The entries of a block by directory and tag, without pointers and thumbnail. */
export interface Exif {
  readonly littleEndian: boolean;
  readonly main: Entries;
  /** How the picture was taken. */
  readonly details: Entries;
  readonly gps: Entries;
}

export const NO_EXIF: Exif = { littleEndian: true, main: new Map(), details: new Map(), gps: new Map() };

export const TYPE = {
  ...({ byte: 1, ascii: 2, short: 3, long: 4, rational: 5, signedRational: 10 } as const),
  /** Since Exif 3.0. */
  utf8: 129,
} as const;

/** Bytes of one value by type. */
const SIZES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1 },
};

/** The most bytes of an entry: a block in a JPEG holds no more. */
const MAX_ENTRY = 65_535;
/** The most entries to read from a directory: ten times as many as there are tags. */
const MAX_ENTRIES = 2000;

/** Reads a block. What is damaged in it is missing from the result. */
export function exifIn(block: Buffer): Exif {
  const bytes = block.toString('latin1', 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  return exifAt((position, length) => bytes.subarray(position, position + length), bytes.length);
}

/** Reads the EXIF of a TIFF, whose tags are among its own. */
export function exifAt(readAt: ReadAt, size: number): Exif {
  const tiff = openTiff(readAt, size);
  const main = tiff && directoryAt(tiff, tiff.first);
  if (tiff === null || main === null) return NO_EXIF;
  const below = (tag: number): Entries => {
    const [directory] = main.below(tag, 1);
    return directory === undefined ? new Map() : entriesOf(directory);
  };
  const { littleEndian } = tiff;
  return {
    ...{ littleEndian, main: entriesOf(main) },
    ...{ details: below(TAG.ExifDirectory), gps: below(TAG.GpsDirectory) },
  };
}

const POINTERS: ReadonlySet<number> = new Set([
  ...[TAG.SubIFDs, TAG.ExifDirectory, TAG.GpsDirectory, TAG.InteroperabilityDirectory],
]);

function entriesOf(directory: Directory): Entries {
  const entries = new Map<number, ExifEntry>();
  for (const { tag, type, size } of directory.tags().slice(0, MAX_ENTRIES)) {
    if (SIZES[type] === undefined || POINTERS.has(tag) || size === 0 || size > MAX_ENTRY) continue;
    const bytes = directory.bytes(tag);
    if (bytes.length === size) entries.set(tag, { tag, type, bytes });
  }
  return entries;
}

/** The text of an entry; undefined where there is none. Most programs write UTF-8 where the standard says ASCII. */
export function asciiText(entry: ExifEntry | undefined): string | undefined {
  if (entry?.type !== TYPE.ascii && entry?.type !== TYPE.utf8) return undefined;
  const parts = entry.bytes.toString('utf8').split('\0');
  const [first = '', ...others] = parts.map((part) => part.trim());
  // Behind the notice of the photographer, which can be blank, is that of the editor.
  const texts = entry.tag === TAG.Copyright ? [first, ...others] : [first];
  return texts.filter((text) => text !== '').join('; ') || undefined;
}

/** The numbers of an entry, each as numerator and denominator. */
export function rationalsOf({ littleEndian }: Exif, entry: ExifEntry | undefined): [number, number][] {
  if (entry?.type !== TYPE.rational) return [];
  const at = (i: number) => (littleEndian ? entry.bytes.readUInt32LE(i) : entry.bytes.readUInt32BE(i));
  return Array.from({ length: entry.bytes.length / 8 }, (_, i) => [at(i * 8), at(i * 8 + 4)]);
}

/** The first number of an entry as XMP has it; undefined for another type. */
export function numberText({ littleEndian }: Exif, entry: ExifEntry): string | undefined {
  const { type, bytes } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case TYPE.byte:
      return String(view.getUint8(0));
    case TYPE.short:
      return String(view.getUint16(0, littleEndian));
    case TYPE.long:
      return String(view.getUint32(0, littleEndian));
    case TYPE.rational:
      return `${view.getUint32(0, littleEndian)}/${view.getUint32(4, littleEndian)}`;
    case TYPE.signedRational:
      return `${view.getInt32(0, littleEndian)}/${view.getInt32(4, littleEndian)}`;
    default:
      return undefined;
  }
}

export const ascii = (tag: number, words: string): ExifEntry => ({
  ...{ tag, type: TYPE.ascii, bytes: Buffer.from(`${words}\0`, 'latin1') },
});

/** Makes entries of numbers in a byte order. */
export function numbers(littleEndian: boolean) {
  /** Of a ratio, numerator and denominator are two values. */
  const of = (tag: number, type: number, values: readonly number[]): ExifEntry => {
    const size = Math.min(4, SIZES[type]!);
    const bytes = Buffer.alloc(values.length * size);
    for (const [i, value] of values.entries()) {
      if (littleEndian) bytes.writeUIntLE(value >>> 0, i * size, size);
      else bytes.writeUIntBE(value >>> 0, i * size, size);
    }
    return { tag, type, bytes };
  };
  return {
    of,
    short: (tag: number, value: number) => of(tag, TYPE.short, [value]),
    long: (tag: number, value: number) => of(tag, TYPE.long, [value]),
    /** Numerators and denominators. */
    rational: (tag: number, values: readonly number[]) => of(tag, TYPE.rational, values),
  };
}

/** Writes the block, which begins with a TIFF header; null without entries. */
export function exifBlock({ littleEndian, main, details, gps }: Exif): Buffer | null {
  const below = [
    { tag: TAG.ExifDirectory, entries: sorted(details) },
    { tag: TAG.GpsDirectory, entries: sorted(gps) },
  ].filter(({ entries }) => entries.length > 0);
  if (main.size === 0 && below.length === 0) return null;
  const { long } = numbers(littleEndian);
  // Each pointer is an entry of 12 bytes.
  let at = 8 + sizeOf(sorted(main)) + 12 * below.length;
  const directories: Buffer[] = [];
  const first = new Map(main);
  for (const { tag, entries } of below) {
    first.set(tag, long(tag, at));
    directories.push(directory(entries, at, littleEndian));
    at += sizeOf(entries);
  }
  const header = Buffer.from(littleEndian ? 'II*\0\x08\0\0\0' : 'MM\0*\0\0\0\x08', 'latin1');
  return Buffer.concat([header, directory(sorted(first), 8, littleEndian), ...directories]);
}

const sorted = (entries: Entries): ExifEntry[] => [...entries.values()].sort((a, b) => a.tag - b.tag);

const even = (length: number): number => length + (length % 2);

/** Bytes of a directory with its values. */
const sizeOf = (entries: readonly ExifEntry[]): number =>
  entries.reduce((sum, { bytes }) => sum + 12 + (bytes.length > 4 ? even(bytes.length) : 0), 6);

/** The bytes of a directory that starts at `position`, followed by its values. */
function directory(entries: readonly ExifEntry[], position: number, littleEndian: boolean): Buffer {
  const made = Buffer.alloc(sizeOf(entries));
  const write = (value: number, at: number, size: 2 | 4): number =>
    littleEndian ? made.writeUIntLE(value, at, size) : made.writeUIntBE(value, at, size);
  write(entries.length, 0, 2);
  let valuesAt = 6 + entries.length * 12;
  for (const [i, { tag, type, bytes }] of entries.entries()) {
    const at = write(bytes.length / SIZES[type]!, write(type, write(tag, 2 + i * 12, 2), 2), 4);
    if (bytes.length <= 4) {
      bytes.copy(made, at);
      continue;
    }
    write(position + valuesAt, at, 4);
    bytes.copy(made, valuesAt);
    valuesAt += even(bytes.length);
  }
  return made;
}
