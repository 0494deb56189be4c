import { Bits } from './bits.ts';
import { type Box, boxesIn, boxesOf, find, primaryItem, textAt } from './boxes.ts';
import { CONVERT, HEVC, type Undecodable } from './formats.ts';

/** Detects the coding of a HEIF picture by the brands and item types of ISO/IEC 23008-12 and of each coding. */

const coded = (coding: string): Undecodable => ({ name: `HEIF with ${coding}`, fix: CONVERT });

/** Null marks a coding that imgtool decodes. */
const CODINGS: Readonly<Record<string, Undecodable | null>> = {
  av01: null,
  hvc1: HEVC,
  hev1: HEVC,
  lhv1: HEVC,
  avc1: coded('AVC (H.264)'),
  vvc1: coded('VVC (H.266)'),
  evc1: coded('EVC'),
  j2k1: coded('JPEG 2000'),
  jpeg: coded('JPEG'),
  unci: coded('uncompressed pixels (unci)'),
};

const BRANDS: Readonly<Record<string, keyof typeof CODINGS>> = {
  ...{ avif: 'av01', avis: 'av01' },
  ...{ heic: 'hvc1', heix: 'hvc1', heim: 'hvc1', heis: 'hvc1' },
  ...{ hevc: 'hvc1', hevx: 'hvc1', hevm: 'hvc1', hevs: 'hvc1' },
  ...{ avci: 'avc1', avcs: 'avc1', vvic: 'vvc1', vvis: 'vvc1', evbi: 'evc1', evmi: 'evc1' },
  ...{ j2ki: 'j2k1', j2is: 'j2k1', jpeg: 'jpeg', jpgs: 'jpeg' },
};
/** Brands of pictures in any coding. */
const GENERAL = new Set(['mif1', 'mif2', 'msf1', 'miaf']);
const MINIMIZED: Undecodable = { name: 'HEIF with a minimized header (mif3)', fix: CONVERT };

/** Returns how to decode a HEIF container, or why it cannot be decoded; undefined for other files. */
export function heifKind(bytes: Buffer): 'avif' | 'heif' | Undecodable | undefined {
  const brands = brandsOf(bytes);
  if (brands[0] === 'mif3') return MINIMIZED;
  if (!brands.some((brand) => GENERAL.has(brand) || brand in BRANDS)) return undefined;
  const types = typesOf(bytes);
  const ofItems = types.length === 0 ? undefined : (types.find((type) => type in CODINGS) ?? 'av01');
  const ofBrands = brands.map((brand) => BRANDS[brand]).filter((coding) => coding !== undefined);
  // Many files list AVIF beside another brand. Without any brand, the decoder reports the damage.
  const byBrand = ofBrands.includes('av01') ? 'av01' : (ofBrands[0] ?? 'av01');
  return CODINGS[ofItems ?? byBrand] ?? (BRANDS[brands[0] ?? ''] === 'av01' ? 'avif' : 'heif');
}

/** The major and compatible brands of the first box. */
function brandsOf(bytes: Buffer): string[] {
  if (bytes.length < 16 || textAt(bytes, 4) !== 'ftyp') return [];
  const end = Math.min(bytes.length, bytes.readUInt32BE(0));
  const brands = [textAt(bytes, 8)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(textAt(bytes, at));
  return brands;
}

/** The types of all items, the primary item first; empty when the list is incomplete. */
function typesOf(bytes: Buffer): string[] {
  const meta = find(boxesOf(bytes).filter(isWhole), 'meta');
  // `meta`, `iinf`, `infe` and `pitm` start with a version and flags.
  const inside = boxesIn(bytes, meta, 4).filter(isWhole);
  const list = find(inside, 'iinf');
  if (list === undefined) return [];
  const primary = primaryItem(bytes, find(inside, 'pitm'));
  const types: string[] = [];
  for (const entry of boxesIn(bytes, list, bytes[list.start] === 0 ? 6 : 8)) {
    const bits = new Bits(bytes, entry.start, entry.end);
    const version = bits.next(8);
    if (entry.type !== 'infe' || version < 2) continue;
    bits.skip(24);
    const id = bits.next(version === 2 ? 16 : 32);
    const at = bits.offset + 2;
    if (at + 4 > entry.end) continue;
    if (id === primary) types.unshift(textAt(bytes, at));
    else types.push(textAt(bytes, at));
  }
  return types;
}

const isWhole = (box: Box): boolean => box.isWhole;
