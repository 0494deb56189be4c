import { type CodePoints, codePointsOf } from './av1.ts';
import { Bits, type Box, boxesIn, boxesOf, findBox, primaryItem, textAt } from './boxes.ts';

/** What an AVIF or HEIC file states about the colours of its primary picture. */
export interface StatedColours {
  readonly codePoints: CodePoints | null;
  /** True when the stored colours are already multiplied by the alpha channel. */
  readonly premultiplied: boolean;
}

/** Reads `meta` (ISO/IEC 23008-12). Ignores damaged boxes. */
export function avifFacts(bytes: Buffer): StatedColours {
  const meta = metaOf(bytes);
  const primary = primaryItem(bytes, findBox(meta, 'pitm'));
  const [ipco, ipma] = propertiesOf(bytes, meta);
  const links = associationsOf(bytes, ipma).filter(({ item }) => item === primary);
  const indexes = new Set(links.map(({ index }) => index));
  const own = boxesIn(bytes, ipco).filter((_, i) => indexes.has(i + 1));
  const references = referencesOf(bytes, meta);
  const nclx = own.map((box) => nclxOf(bytes, box)).find((found) => found !== null);
  // A grid has no stream of its own; its tiles have one each.
  const tile = references.find(({ type, from }) => type === 'dimg' && from === primary)?.to[0] ?? primary;
  return {
    /** From `nclx`, else from the AV1 stream (ISO/IEC 23000-22, 7.3.6.4). Null without either. */
    codePoints: nclx ?? codePointsOf(contentOf(bytes, meta, tile)),
    premultiplied: references.some(({ type, from }) => type === 'prem' && from === primary),
  };
}

/**
 * Makes an AVIF readable for libheif, in place. It replaces a major brand that libvips does not accept (`avis`, an
 * animation), and removes an empty ICC profile, which ExifTool leaves behind and libheif treats as damage.
 */
export function makeReadable(bytes: Buffer): void {
  const [first] = boxesOf(bytes);
  if (first?.type === 'ftyp' && first.end - first.start >= 4 && !BRANDS.has(textAt(bytes, first.start))) {
    bytes.write('avif', first.start, 'latin1');
  }
  const [ipco, ipma] = propertiesOf(bytes, metaOf(bytes));
  const emptied = new Set<number>();
  for (const [i, box] of boxesIn(bytes, ipco).entries()) {
    if (box.type !== 'colr' || box.end - box.start !== 4) continue;
    bytes.write('free', box.at + 4, 'latin1');
    emptied.add(i + 1);
  }
  if (emptied.size === 0) return;
  // Remove the references too: a reference can mark the profile as essential.
  for (const { index, at, length } of associationsOf(bytes, ipma)) {
    if (emptied.has(index)) bytes.fill(0, at, at + length);
  }
}

/** The number of frames of an animation, by the samples of its first track (ISO/IEC 14496-12, 8.7.3.2); 1 without a track. */
export function framesOf(bytes: Buffer): number {
  const track = ['moov', 'trak', 'mdia', 'minf', 'stbl'].reduce(
    (boxes, type) => boxesIn(bytes, findBox(boxes, type)),
    boxesOf(bytes),
  );
  const sizes = findBox(track, 'stsz');
  // After version and flags come a size that all samples share, and the number of samples.
  return sizes === undefined || sizes.end - sizes.start < 12 ? 1 : bytes.readUInt32BE(sizes.start + 8);
}

/** The types of items with metadata, as they are listed: EXIF, and a MIME type that says XMP. */
const METADATA = { exif: 'Exif', xmp: 'mimeapplication/rdf+xml' } as const;

/**
 * The metadata of the primary picture; null without any. Other pictures, such as a gain map, can have their own. Some
 * writers do not say which picture their only item of a kind is about.
 */
export function primaryMetadata(bytes: Buffer, kind: keyof typeof METADATA): Buffer | null {
  const meta = metaOf(bytes);
  const primary = primaryItem(bytes, findBox(meta, 'pitm')) ?? 0;
  const about = referencesOf(bytes, meta).filter(({ type }) => type === 'cdsc');
  const items = metadataItems(bytes, meta, METADATA[kind]);
  const own = items.find((id) => about.some(({ from, to }) => from === id && to.includes(primary)));
  const isOnly = items.length === 1 && about.every(({ from }) => from !== items[0]);
  const id = own ?? (isOnly ? items[0] : undefined);
  return id === undefined ? null : contentOf(bytes, meta, id);
}

/** The ids of all items of this type. */
function metadataItems(bytes: Buffer, meta: readonly Box[], wanted: string): number[] {
  const list = findBox(meta, 'iinf');
  return boxesIn(bytes, list, list && bytes[list.start] === 0 ? 6 : 8).flatMap(({ start, end }) => {
    const bits = new Bits(bytes, start, end);
    const version = bits.next(8);
    bits.skip(24);
    const id = bits.next(version < 3 ? 16 : 32);
    const at = bits.offset + 2;
    // A name follows the type.
    const [, mime = ''] = bytes.toString('latin1', at + 4, end).split('\0');
    const type = textAt(bytes, at);
    return version >= 2 && (type === 'mime' ? type + mime : type) === wanted ? [id] : [];
  });
}

/** Major brands that libvips accepts as HEIF and that libheif reads as a still picture. */
const BRANDS = new Set(['avif', 'mif1', 'msf1', 'heic', 'heix']);

/** `meta` is a full box: it starts with a version and flags (4 bytes). */
const metaOf = (bytes: Buffer): Box[] => boxesIn(bytes, findBox(boxesOf(bytes), 'meta'), 4);

function propertiesOf(bytes: Buffer, meta: readonly Box[]): [Box | undefined, Box[]] {
  const iprp = boxesIn(bytes, findBox(meta, 'iprp'));
  return [findBox(iprp, 'ipco'), iprp.filter(({ type }) => type === 'ipma')];
}

/** The most table entries to read: a grid has several for each of its tiles. */
const MAX_ENTRIES = 100_000;

/** Links from items to properties. `index` counts in `ipco` from 1, and is stored in `length` bytes at `at`. */
function associationsOf(bytes: Buffer, tables: readonly Box[]) {
  const found: { item: number; index: number; at: number; length: number }[] = [];
  for (const table of tables) {
    const bits = new Bits(bytes, table.start, table.end);
    const version = bits.next(8);
    const length = bits.next(24) & 1 ? 2 : 1;
    for (let left = bits.next(32); left > 0 && !bits.isAtEnd && found.length < MAX_ENTRIES; left--) {
      const item = bits.next(version === 0 ? 16 : 32);
      for (let count = bits.next(8); count > 0 && !bits.isAtEnd; count--) {
        const at = bits.offset;
        // The first bit says whether the property is essential.
        bits.skip(1);
        found.push({ item, index: bits.next(length * 8 - 1), at, length });
      }
    }
  }
  return found;
}

/** The most targets to read of one reference: an item with metadata has one, or the pictures of a burst. */
const MAX_TARGETS = 1000;

/** References from one item to others. */
function referencesOf(bytes: Buffer, meta: readonly Box[]) {
  const iref = findBox(meta, 'iref');
  const length = iref && bytes[iref.start] === 0 ? 16 : 32;
  return boxesIn(bytes, iref, 4).map(({ type, start, end }) => {
    const bits = new Bits(bytes, start, end);
    const from = bits.next(length);
    const to: number[] = [];
    for (let left = bits.next(16); left > 0 && !bits.isAtEnd && to.length < MAX_TARGETS; left--)
      to.push(bits.next(length));
    return { type, from, to };
  });
}

/** Returns the first extent of an item, as `iloc` locates it; an empty buffer when `iloc` does not list the item. */
function contentOf(bytes: Buffer, meta: readonly Box[], wanted: number | undefined): Buffer {
  const iloc = findBox(meta, 'iloc');
  const bits = new Bits(bytes, iloc?.start ?? 0, iloc?.end ?? 0);
  const version = bits.next(8);
  bits.skip(24);
  const [offsetSize, lengthSize, baseSize] = [bits.next(4) * 8, bits.next(4) * 8, bits.next(4) * 8];
  const indexSize = version === 0 ? 0 : bits.next(4) * 8;
  if (version === 0) bits.skip(4);
  const items = Math.min(MAX_ENTRIES, bits.next(version < 2 ? 16 : 32));
  for (let left = items; left > 0 && !bits.isAtEnd; left--) {
    const item = bits.next(version < 2 ? 16 : 32);
    const method = version === 0 ? 0 : bits.next(16) & 15;
    bits.skip(16);
    const base = bits.next(baseSize);
    const extents = bits.next(16);
    // Other construction methods point outside the file's own bytes.
    if (item === wanted && method === 0 && extents > 0) {
      bits.skip(indexSize);
      const offset = base + bits.next(offsetSize);
      return bytes.subarray(offset, offset + bits.next(lengthSize));
    }
    bits.skip(extents * (indexSize + offsetSize + lengthSize));
  }
  return Buffer.alloc(0);
}

function nclxOf(bytes: Buffer, { type, start, end }: Box): CodePoints | null {
  if (type !== 'colr' || end - start < 11 || textAt(bytes, start) !== 'nclx') return null;
  return { primaries: bytes.readUInt16BE(start + 4), transfer: bytes.readUInt16BE(start + 6) };
}
