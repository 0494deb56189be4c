import { type CodePoints, codePointsOf } from './av1.ts';
import { type Box, boxesIn, boxesOf, Fields, primaryItem } from './boxes.ts';

/** What an AVIF file states about its primary picture. */
export interface AvifFacts {
  /** From `nclx`, else from the AV1 stream (ISO/IEC 23000-22, 7.3.6.4). Null without either. */
  readonly codePoints: CodePoints | null;
  /** True when the stored colours are already multiplied by the alpha channel. */
  readonly premultiplied: boolean;
}

/** Reads `meta` (ISO/IEC 23008-12). Ignores damaged boxes. */
export function avifFacts(bytes: Buffer): AvifFacts {
  const meta = metaOf(bytes);
  const primary = primaryItem(bytes, find(meta, 'pitm'));
  const [ipco, ipma] = propertiesOf(bytes, meta);
  const indexes = new Set(
    associationsOf(bytes, ipma).flatMap(({ item, index }) => (item === primary ? index : [])),
  );
  const own = boxesIn(bytes, ipco).filter((_, i) => indexes.has(i + 1));
  const references = referencesOf(bytes, meta);
  const nclx = own.map((box) => nclxOf(bytes, box)).find((found) => found !== null);
  // A grid has no stream of its own; its tiles have one each.
  const tile = references.find(({ type, from }) => type === 'dimg' && from === primary)?.to ?? primary;
  return {
    codePoints: nclx ?? codePointsOf(contentOf(bytes, meta, tile)),
    premultiplied: references.some(({ type, from }) => type === 'prem' && from === primary),
  };
}

/**
 * Makes an AVIF readable for libheif. It changes the buffer in place, but not the pixels. It replaces a major brand
 * that libvips does not accept (`avis`, an animation). It also removes an empty ICC profile, which ExifTool leaves
 * behind and libheif treats as damage.
 */
export function makeReadable(bytes: Buffer): void {
  const [first] = boxesOf(bytes);
  if (first?.type === 'ftyp' && first.end - first.start >= 4 && !BRANDS.has(brandOf(bytes, first))) {
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

/** Major brands that libvips accepts as HEIF and that libheif reads as a still picture. */
const BRANDS = new Set(['avif', 'mif1', 'msf1', 'heic', 'heix']);

const brandOf = (bytes: Buffer, { start }: Box): string => bytes.toString('latin1', start, start + 4);

const find = (boxes: Iterable<Box>, type: string): Box | undefined =>
  [...boxes].find((box) => box.type === type);

/** `meta` is a full box: it starts with a version and flags (4 bytes). */
function metaOf(bytes: Buffer): Box[] {
  return boxesIn(bytes, find(boxesOf(bytes), 'meta'), 4);
}

function propertiesOf(bytes: Buffer, meta: readonly Box[]): [Box | undefined, Box[]] {
  const iprp = boxesIn(bytes, find(meta, 'iprp'));
  return [find(iprp, 'ipco'), iprp.filter(({ type }) => type === 'ipma')];
}

/** Links an item to a property, counted from 1 in `ipco`; `at` and `length` locate the stored index. */
interface Association {
  readonly item: number;
  readonly index: number;
  readonly at: number;
  readonly length: number;
}

/** The most table entries to read: a grid has several for each of its tiles. */
const MAX_ENTRIES = 100_000;

function associationsOf(bytes: Buffer, tables: readonly Box[]): Association[] {
  const found: Association[] = [];
  for (const table of tables) {
    const fields = new Fields(bytes, table);
    const version = fields.next(1);
    const length = fields.next(3) & 1 ? 2 : 1;
    for (let left = fields.next(4); left > 0 && !fields.isAtEnd && found.length < MAX_ENTRIES; left--) {
      const item = fields.next(version === 0 ? 2 : 4);
      for (let count = fields.next(1); count > 0 && !fields.isAtEnd; count--) {
        const at = fields.at;
        // The upper bit says whether the property is essential.
        found.push({ item, index: fields.next(length) & (length === 2 ? 0x7fff : 0x7f), at, length });
      }
    }
  }
  return found;
}

/** A reference from one item to others; `to` is the first of them. */
interface Reference {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

function referencesOf(bytes: Buffer, meta: readonly Box[]): Reference[] {
  const iref = find(meta, 'iref');
  if (iref === undefined) return [];
  const length = bytes[iref.start] === 0 ? 2 : 4;
  return boxesIn(bytes, iref, 4).map((box) => {
    const fields = new Fields(bytes, box);
    const from = fields.next(length);
    fields.next(2);
    return { type: box.type, from, to: fields.next(length) };
  });
}

/** Returns the first extent of an item, as `iloc` locates it; an empty buffer when `iloc` does not list the item. */
function contentOf(bytes: Buffer, meta: readonly Box[], wanted: number | undefined): Buffer {
  const iloc = find(meta, 'iloc');
  if (iloc === undefined) return Buffer.alloc(0);
  const fields = new Fields(bytes, iloc);
  const version = fields.next(1);
  fields.next(3);
  const [sizes, more] = [fields.next(1), fields.next(1)];
  const index = version === 0 ? 0 : more & 15;
  const items = Math.min(MAX_ENTRIES, fields.next(version < 2 ? 2 : 4));
  for (let left = items; left > 0 && !fields.isAtEnd; left--) {
    const item = fields.next(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : fields.next(2) & 15;
    fields.next(2);
    const base = fields.next(more >> 4);
    const pieces = fields.next(2);
    const next = fields.at + pieces * (index + (sizes >> 4) + (sizes & 15));
    fields.next(index);
    const offset = base + fields.next(sizes >> 4);
    const length = fields.next(sizes & 15);
    // Other construction methods point outside the file's own bytes.
    if (item === wanted && method === 0 && pieces > 0) return bytes.subarray(offset, offset + length);
    fields.skip(next - fields.at);
  }
  return Buffer.alloc(0);
}

function nclxOf(bytes: Buffer, box: Box): CodePoints | null {
  if (box.type !== 'colr' || box.end - box.start < 11 || brandOf(bytes, box) !== 'nclx') return null;
  return { primaries: bytes.readUInt16BE(box.start + 4), transfer: bytes.readUInt16BE(box.start + 6) };
}
