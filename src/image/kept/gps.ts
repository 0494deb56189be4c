import { ascii, asciiText, type Entry, type Exif, numbers, rationalsOf, TYPE } from './exif.ts';
import { type Property, rdfText } from './xml.ts';
import type { Xmp } from './xmp.ts';

/** Positions in EXIF (Exif 2.32, 4.6.6) and in XMP (ISO 16684-1, 8.2). */

const TAGS = {
  latitudeRef: 1,
  latitude: 2,
  longitudeRef: 3,
  longitude: 4,
  altitudeRef: 5,
  altitude: 6,
} as const;

/** The position in EXIF as XMP: `48,51.5N`. */
export function gpsInXmp(exif: Exif): Property[] {
  const side = (name: string, ref: number, tag: number): Property[] => {
    const [degrees, minutes, seconds = 0] = rationalsOf(exif, exif.gps.get(tag)).map(
      ([over, under]) => over / under,
    );
    const where = asciiText(exif.gps.get(ref));
    if (degrees === undefined || where === undefined || !/^[NSEW]$/.test(where)) return [];
    const whole = degrees + (minutes ?? 0) / 60 + seconds / 3600;
    if (!Number.isFinite(whole)) return [];
    const full = Math.floor(whole + 1e-9);
    return [rdfText(name, `${full},${Math.max(0, (whole - full) * 60).toFixed(6)}${where}`)];
  };
  const [height] = rationalsOf(exif, exif.gps.get(TAGS.altitude));
  const isBelow = exif.gps.get(TAGS.altitudeRef)?.bytes[0] === 1;
  return [
    ...side('exif:GPSLatitude', TAGS.latitudeRef, TAGS.latitude),
    ...side('exif:GPSLongitude', TAGS.longitudeRef, TAGS.longitude),
    ...(height === undefined
      ? []
      : [rdfText('exif:GPSAltitude', height.join('/')), rdfText('exif:GPSAltitudeRef', isBelow ? '1' : '0')]),
  ];
}

/** Decimals of minutes. */
const FINE = 1_000_000;

/** The position in XMP as EXIF. */
export function gpsInExif(xmp: Xmp, littleEndian: boolean): Exif['gps'] {
  const made = new Map<number, Entry>();
  const add = (entry: Entry) => made.set(entry.tag, entry);
  const make = numbers(littleEndian);
  for (const [name, ref, tag] of [
    ['exif:GPSLatitude', TAGS.latitudeRef, TAGS.latitude],
    ['exif:GPSLongitude', TAGS.longitudeRef, TAGS.longitude],
  ] as const) {
    const text = xmp.get(name)?.texts[0] ?? '';
    const found = /^(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$/.exec(text);
    if (found === null) continue;
    const [, degrees = '', minutes = '', seconds = '0', where = ''] = found;
    const fine = Math.round((Number(minutes) + Number(seconds) / 60) * FINE);
    add(ascii(ref, where));
    add(make.rational(tag, [Number(degrees), 1, fine, FINE, 0, 1]));
  }
  const height = /^(\d{1,9})\/(\d{1,9})$/.exec(xmp.get('exif:GPSAltitude')?.texts[0] ?? '');
  if (height !== null) {
    const isBelow = xmp.get('exif:GPSAltitudeRef')?.texts[0] === '1';
    add({ tag: TAGS.altitudeRef, type: TYPE.byte, bytes: Buffer.from([isBelow ? 1 : 0]) });
    add(make.rational(TAGS.altitude, [Number(height[1]), Number(height[2])]));
  }
  return made;
}
