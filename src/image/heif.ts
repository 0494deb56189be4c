import { Bits, type Box, boxesIn, boxesOf, findBox, primaryItem, textAt } from './boxes.ts';
import { CONVERT, type Undecodable } from './unreadable.ts';

/** Detects the coding of a HEIF picture by the brands and item types of ISO/IEC 23008-12 and of each coding. */

const coded = (coding: string): Undecodable => ({ name: `HEIF with ${coding}`, fix: CONVERT });

/** Item types and brands of each coding. */
const CODINGS = [
  { types: 'av01', brands: 'avif avis', kind: 'avif' },
  { types: 'hvc1 hev1 lhv1', brands: 'heic heix heim heis hevc hevx hevm hevs', kind: 'heic' },
  { types: 'avc1', brands: 'avci avcs', kind: coded('AVC (H.264)') },
  { types: 'vvc1', brands: 'vvic vvis', kind: coded('VVC (H.266)') },
  { types: 'evc1', brands: 'evbi evmi', kind: coded('EVC') },
  { types: 'j2k1', brands: 'j2ki j2is', kind: coded('JPEG 2000') },
  { types: 'jpeg', brands: 'jpeg jpgs', kind: coded('JPEG') },
  { types: 'unci', brands: '', kind: coded('uncompressed pixels (unci)') },
] as const;
const [AV1] = CODINGS;
/** Brands of pictures in any coding. */
const GENERAL = new Set(['mif1', 'mif2', 'msf1', 'miaf']);
const MINIMIZED: Undecodable = { name: 'HEIF with a minimized header (mif3)', fix: CONVERT };

/** Returns how to decode a HEIF container, or why it cannot be decoded; undefined for other files. */
export function heifKind(bytes: Buffer): 'avif' | 'heic' | Undecodable | undefined {
  const brands = brandsOf(bytes);
  if (brands[0] === 'mif3') return MINIMIZED;
  const ofBrands = codingsOf('brands', brands);
  if (ofBrands.length === 0 && !brands.some((brand) => GENERAL.has(brand))) return undefined;
  const types = typesOf(bytes);
  const [ofItems = AV1] = codingsOf('types', types);
  // Many files list AVIF beside another brand. Without any brand, the decoder reports the damage.
  const byBrand = ofBrands.includes(AV1) ? AV1 : (ofBrands[0] ?? AV1);
  return (types.length > 0 ? ofItems : byBrand).kind;
}

/** The known codings among item types or brands, in order. */
function codingsOf(key: 'types' | 'brands', names: readonly string[]) {
  return names.flatMap((name) => CODINGS.find((coding) => coding[key].split(' ').includes(name)) ?? []);
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
  const meta = findBox(boxesOf(bytes).filter(isWhole), 'meta');
  // `meta`, `iinf`, `infe` and `pitm` start with a version and flags.
  const inside = boxesIn(bytes, meta, 4).filter(isWhole);
  const list = findBox(inside, 'iinf');
  if (list === undefined) return [];
  const primary = primaryItem(bytes, findBox(inside, 'pitm'));
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
