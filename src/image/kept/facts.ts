import type { Keep } from '../../variants/words.ts';
import { TAG } from '../tiff/tags.ts';
import { asciiOf } from './ascii.ts';
import { ascii, asciiText, type Entry, type Exif, rationalsOf, shortOf } from './exif.ts';
import { gpsInExif, gpsInXmp } from './gps.ts';
import type { SourceMetadata } from './source.ts';
import { type Property, rdfList, rdfText } from './xml.ts';

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
  (words: string) =>
  (name: string): boolean =>
    words.split(' ').includes(name);

/** Exif 2.32, 4.6.6: numbers 0 to 31. */
const GPS_TAGS = Array.from({ length: 32 }, (_, tag) => tag);

/** Exposure, aperture, program, ISO, bias, metering, light, flash, focal lengths, modes; no serial number and no owner. */
const CAMERA_TAGS = [
  ...[33434, 33437, 34850, 34855, 34864, 34865, 37377, 37378, 37379, 37380, 37381, 37382, 37383, 37384],
  ...[37385, 37386, 41486, 41487, 41488, 41986, 41987, 41988, 41989, 41990, 42034, 42035, 42036],
];

export const FACTS: readonly Fact[] = [
  {
    keep: 'date',
    details: [
      ...[TAG.DateTimeOriginal, TAG.OffsetTimeOriginal, TAG.SubSecTimeOriginal],
      ...[TAG.DateTimeDigitized, TAG.OffsetTimeDigitized, TAG.SubSecTimeDigitized],
    ],
    isXmp: among('photoshop:DateCreated exif:DateTimeOriginal xmp:CreateDate exif:DateTimeDigitized'),
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
    isXmp: (name) => name.startsWith('exif:GPS'),
    inXmp: ({ exif, xmp }) => (xmp.has('exif:GPSLatitude') ? [] : gpsInXmp(exif)),
    inExif: ({ exif, xmp }) => (exif.gps.size > 0 ? {} : { gps: gpsInExif(xmp, exif.littleEndian) }),
  },
  {
    keep: 'camera',
    main: [TAG.Make, TAG.Model],
    details: CAMERA_TAGS,
    isXmp: among(
      'tiff:Make tiff:Model exif:ExposureTime exif:FNumber exif:ISOSpeedRatings exif:FocalLength exif:Flash ' +
        'exif:ExposureProgram exif:ExposureBiasValue exif:MeteringMode exif:FocalLengthIn35mmFilm ' +
        'exifEX:PhotographicSensitivity exifEX:LensMake exifEX:LensModel aux:Lens',
    ),
    inXmp({ exif, xmp }) {
      const { main, details } = exif;
      const ratio = (tag: number) => rationalsOf(exif, details.get(tag))[0]?.join('/');
      const iso = shortOf(exif, details.get(TAG.Iso));
      const found: readonly (readonly [name: string, text: string | undefined])[] = [
        ['tiff:Make', asciiText(main.get(TAG.Make))],
        ['tiff:Model', asciiText(main.get(TAG.Model))],
        ['exif:ExposureTime', ratio(TAG.ExposureTime)],
        ['exif:FNumber', ratio(TAG.FNumber)],
        ['exif:FocalLength', ratio(TAG.FocalLength)],
        ['exifEX:LensModel', asciiText(details.get(TAG.LensModel))],
      ];
      const made = found.flatMap(([name, text]) => (xmp.has(name) ? [] : texts(name, text)));
      const hasIso = iso === undefined || xmp.has('exif:ISOSpeedRatings');
      return hasIso ? made : [...made, rdfList('exif:ISOSpeedRatings', 'Seq', [String(iso)])];
    },
    inExif({ exif: { main, details }, xmp }) {
      const text = (tag: number, name: string, own: Exif['main']) => {
        const words = asciiOf(xmp.get(name)?.texts[0] ?? '');
        return own.has(tag) || words === undefined ? [] : [ascii(tag, words)];
      };
      return {
        main: entries(text(TAG.Make, 'tiff:Make', main), text(TAG.Model, 'tiff:Model', main)),
        details: entries(text(TAG.LensModel, 'exifEX:LensModel', details)),
      };
    },
  },
];

const texts = (name: string, text: string | undefined): Property[] =>
  text === undefined ? [] : [rdfText(name, text)];

const entries = (...groups: readonly (readonly Entry[])[]): ReadonlyMap<number, Entry> =>
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
): Entry[] {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(time ?? '');
  if (found === null) return [];
  const [, year, month, day, clock, seconds = ':00', offset] = found;
  const offsetTag = tag === TAG.DateTimeOriginal ? TAG.OffsetTimeOriginal : TAG.OffsetTimeDigitized;
  const zone = offset === 'Z' ? '+00:00' : offset;
  const own = ascii(tag, `${year}:${month}:${day} ${clock}${seconds}`);
  return zone === undefined ? [own] : [own, ascii(offsetTag, zone)];
}
