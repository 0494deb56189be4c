import { ascii, asciiText, type Exif, type ExifEntry, numbers, rationalsOf } from './exif.ts';
import { type Property, rdfText } from './xml.ts';
import type { Xmp } from './xmp.ts';

/** Positions in EXIF (Exif 2.32, 4.6.6) and in XMP (ISO 16684-1, 8.2). */

export const LATITUDE = 2;

/** The latitudes and longitudes: the name in XMP, the tag of the side of the globe, and the tag of the degrees. */
const SIDES = [
  ['exif:GPSLatitude', 1, LATITUDE],
  ['exif:GPSLongitude', 3, 4],
  ['exif:GPSDestLatitude', 19, 20],
  ['exif:GPSDestLongitude', 21, 22],
] as const;

/** When a position was found. */
export const GPS_TIMES: { readonly tags: readonly number[]; readonly xmp: readonly string[] } = {
  tags: [7, 29],
  xmp: ['exif:GPSTimeStamp', 'exif:GPSDateStamp'],
};

/** Parts of a minute, for the decimals that are written. */
const FINE = 1_000_000;

/** The degrees in EXIF as XMP: `48,51.500000N`. */
export function gpsInXmp(exif: Exif): Property[] {
  return SIDES.flatMap(([name, ref, tag]) => {
    const parts = rationalsOf(exif, exif.gps.get(tag)).map(([over, under]) => over / under);
    const where = asciiText(exif.gps.get(ref)) ?? '';
    const [degrees = Number.NaN, ...smaller] = parts;
    // Some programs write 0/0 for unknown seconds.
    const [minutes = 0, seconds = 0] = smaller.map((part) => (Number.isFinite(part) ? part : 0));
    const fine = Math.round((degrees * 60 + minutes + seconds / 60) * FINE);
    if (!Number.isFinite(fine) || !/^[NSEW]$/.test(where)) return [];
    const left = fine % (60 * FINE);
    return rdfText(name, `${(fine - left) / (60 * FINE)},${(left / FINE).toFixed(6)}${where}`);
  });
}

/** The degrees in XMP as EXIF. */
export function gpsInExif(xmp: Xmp, littleEndian: boolean): Exif['gps'] {
  const made = new Map<number, ExifEntry>();
  for (const [name, ref, tag] of SIDES) {
    const text = xmp.get(name)?.texts[0] ?? '';
    const found = /^(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$/.exec(text);
    if (found === null) continue;
    const [, degrees = '', minutes = '', seconds = '0', where = ''] = found;
    const fine = Math.round((Number(minutes) + Number(seconds) / 60) * FINE);
    made.set(ref, ascii(ref, where));
    made.set(tag, numbers(littleEndian).rational(tag, [Number(degrees), 1, fine, FINE, 0, 1]));
  }
  return made;
}
