import type { Keep } from '../../variants/words.ts';
import { TAG } from '../tiff/tags.ts';
import { ascii, asciiText, type Exif, type ExifEntry } from './exif.ts';
import { GPS_TIMES, gpsInExif, gpsInXmp, LATITUDE } from './gps.ts';
import { CAMERA, GPS, pairsInExif, pairsInXmp } from './pairs.ts';
import type { SourceMetadata } from './source.ts';
import { type Property, rdfText } from './xml.ts';

/** The facts of a picture that are no texts: when, where and how it was taken. */

interface Fact {
  readonly keep: Keep;
  /** Tags that are copied, by directory. */
  readonly main?: readonly number[];
  readonly details?: readonly number[];
  readonly gps?: readonly number[];
  /** Properties that are copied. */
  isXmp(name: string): boolean;
  /** Properties from the other metadata, where XMP has none. */
  inXmp(source: SourceMetadata): Property[];
  /** Entries from XMP, where EXIF has none. */
  inExif(source: SourceMetadata): Partial<Pick<Exif, 'main' | 'details' | 'gps'>>;
}

const among =
  (names: readonly string[]) =>
  (name: string): boolean =>
    names.includes(name);

/** Exif 2.32, 4.6.6: numbers 0 to 31. Date and time belong to `date`. */
const GPS_TAGS = Array.from({ length: 32 }, (_, tag) => tag).filter((tag) => !GPS_TIMES.tags.includes(tag));

/** The flash and the limits of the lens, which XMP does not have as one text. */
const OTHER_CAMERA_TAGS = [37385, 42034];

export const FACTS: readonly Fact[] = [
  {
    keep: 'date',
    details: [
      ...[TAG.DateTimeOriginal, TAG.OffsetTimeOriginal, TAG.SubSecTimeOriginal],
      ...[TAG.DateTimeDigitized, TAG.OffsetTimeDigitized, TAG.SubSecTimeDigitized],
    ],
    gps: GPS_TIMES.tags,
    isXmp: among([
      ...['photoshop:DateCreated', 'exif:DateTimeOriginal', 'xmp:CreateDate', 'exif:DateTimeDigitized'],
      ...GPS_TIMES.xmp,
    ]),
    inXmp({ exif: { details }, iptc, xmp }) {
      const taken = isoOf(
        asciiText(details.get(TAG.DateTimeOriginal)),
        asciiText(details.get(TAG.OffsetTimeOriginal)),
      );
      const stored = isoOf(
        asciiText(details.get(TAG.DateTimeDigitized)),
        asciiText(details.get(TAG.OffsetTimeDigitized)),
      );
      const [day = '', time = ''] = [iptc.get(55)?.[0], iptc.get(60)?.[0]];
      const isTaken = xmp.has('photoshop:DateCreated') || xmp.has('exif:DateTimeOriginal');
      const isStored = xmp.has('xmp:CreateDate') || xmp.has('exif:DateTimeDigitized');
      return [
        ...(isTaken ? [] : texts('photoshop:DateCreated', taken ?? isoOfIptc(day, time))),
        ...(isStored ? [] : texts('xmp:CreateDate', stored)),
      ];
    },
    inExif({ exif: { details }, iptc, xmp }) {
      const first = (...names: string[]) => names.map((name) => xmp.get(name)?.texts[0]).find(Boolean);
      const taken =
        first('photoshop:DateCreated', 'exif:DateTimeOriginal') ??
        isoOfIptc(iptc.get(55)?.[0] ?? '', iptc.get(60)?.[0] ?? '');
      return {
        details: entries(
          details.has(TAG.DateTimeOriginal) ? [] : times(TAG.DateTimeOriginal, taken),
          details.has(TAG.DateTimeDigitized)
            ? []
            : times(TAG.DateTimeDigitized, first('xmp:CreateDate', 'exif:DateTimeDigitized')),
        ),
      };
    },
  },
  {
    keep: 'gps',
    gps: GPS_TAGS,
    isXmp: (name) => name.startsWith('exif:GPS') && !GPS_TIMES.xmp.includes(name),
    // Two positions are never mixed.
    inXmp: (source) =>
      source.xmp.has('exif:GPSLatitude') ? [] : [...gpsInXmp(source.exif), ...pairsInXmp(GPS, source)],
    inExif: (source) =>
      source.exif.gps.has(LATITUDE)
        ? {}
        : {
            gps: new Map([
              ...gpsInExif(source.xmp, source.exif.littleEndian),
              ...pairsInExif(GPS, source, 'gps'),
            ]),
          },
  },
  {
    keep: 'camera',
    main: [TAG.Make, TAG.Model],
    details: [
      ...CAMERA.flatMap(({ tag, directory }) => (directory === 'details' ? [tag] : [])),
      ...OTHER_CAMERA_TAGS,
    ],
    isXmp: among([
      ...CAMERA.map(({ xmp }) => xmp),
      ...['exif:Flash', 'exifEX:PhotographicSensitivity', 'exifEX:LensSpecification', 'aux:Lens'],
    ]),
    inXmp: (source) => pairsInXmp(CAMERA, source),
    inExif: (source) => ({
      main: pairsInExif(CAMERA, source, 'main'),
      details: pairsInExif(CAMERA, source, 'details'),
    }),
  },
];

const texts = (name: string, text: string | undefined): Property[] =>
  text === undefined ? [] : [rdfText(name, text)];

const entries = (...groups: readonly (readonly ExifEntry[])[]): ReadonlyMap<number, ExifEntry> =>
  new Map(groups.flat().map((one) => [one.tag, one]));

/** EXIF's `2024:05:06 07:08:09` as ISO 8601. */
function isoOf(time: string | undefined, offset = ''): string | undefined {
  const found = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)$/.exec(time ?? '');
  if (found === null) return undefined;
  const [, year, month, day, clock] = found;
  return `${year}-${month}-${day}T${clock}${/^[+-]\d\d:\d\d$/.test(offset) ? offset : ''}`;
}

/** IPTC-IIM's `20240506` and `070809+0200` as ISO 8601. */
function isoOfIptc(day: string, time: string): string | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)$/.exec(day);
  if (found === null) return undefined;
  const [, hours, minutes, seconds, sign, ...zone] =
    /^(\d\d)(\d\d)(\d\d)(?:([+-])(\d\d)(\d\d))?$/.exec(time) ?? [];
  const clock = hours === undefined ? '' : `T${hours}:${minutes}:${seconds}`;
  return `${found.slice(1).join('-')}${clock}${sign === undefined ? '' : `${sign}${zone.join(':')}`}`;
}

/** An ISO 8601 time as EXIF has it, with its offset. A day alone has no form in EXIF. */
function times(
  tag: typeof TAG.DateTimeOriginal | typeof TAG.DateTimeDigitized,
  time: string | undefined,
): ExifEntry[] {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(time ?? '');
  if (found === null) return [];
  const [, year, month, day, clock, seconds = ':00', offset] = found;
  const offsetTag = tag === TAG.DateTimeOriginal ? TAG.OffsetTimeOriginal : TAG.OffsetTimeDigitized;
  const zone = offset === 'Z' ? '+00:00' : offset;
  const own = ascii(tag, `${year}:${month}:${day} ${clock}${seconds}`);
  return zone === undefined ? [own] : [own, ascii(offsetTag, zone)];
}
