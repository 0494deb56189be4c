import { TAG } from '../tiff/tags.ts';
import { asciiOf } from './ascii.ts';
import { ascii, asciiText, type Exif, type ExifEntry, numbers, numberText, TYPE } from './exif.ts';
import type { SourceMetadata } from './source.ts';
import { type Property, rdfList, rdfText } from './xml.ts';

/** Tags of EXIF that XMP has as properties of one text (CIPA DC-010). */

/** A tag, and the property with the same value. */
interface Pair {
  readonly xmp: string;
  readonly tag: number;
  readonly type: number;
  readonly directory: ExifDirectory;
}

type ExifDirectory = 'main' | 'details' | 'gps';

const pairs = (
  directory: ExifDirectory,
  prefix: string,
  type: number,
  tags: Readonly<Record<string, number>>,
): Pair[] => Object.entries(tags).map(([name, tag]) => ({ xmp: `${prefix}${name}`, tag, type, directory }));

/** Make, model, lens and exposure. */
export const CAMERA: readonly Pair[] = [
  ...pairs('main', 'tiff:', TYPE.ascii, { Make: TAG.Make, Model: TAG.Model }),
  ...pairs('details', 'exif:', TYPE.rational, {
    ...{ ExposureTime: TAG.ExposureTime, FNumber: TAG.FNumber, FocalLength: TAG.FocalLength },
    ...{ ApertureValue: 37378, MaxApertureValue: 37381, SubjectDistance: 37382, DigitalZoomRatio: 41988 },
    ...{ FocalPlaneXResolution: 41486, FocalPlaneYResolution: 41487 },
  }),
  ...pairs('details', 'exif:', TYPE.signedRational, {
    ...{ ShutterSpeedValue: 37377, BrightnessValue: 37379, ExposureBiasValue: 37380 },
  }),
  ...pairs('details', 'exif:', TYPE.short, {
    ...{ ISOSpeedRatings: TAG.Iso, ExposureProgram: 34850, ExposureMode: 41986, MeteringMode: 37383 },
    ...{ LightSource: 37384, WhiteBalance: 41987, SceneCaptureType: 41990 },
    ...{ FocalLengthIn35mmFilm: 41989, FocalPlaneResolutionUnit: 41488 },
  }),
  ...pairs('details', 'exifEX:', TYPE.short, { SensitivityType: 34864 }),
  ...pairs('details', 'exifEX:', TYPE.long, { StandardOutputSensitivity: 34865 }),
  ...pairs('details', 'exifEX:', TYPE.ascii, { LensMake: TAG.LensMake, LensModel: TAG.LensModel }),
];

/** What belongs to a position, beside its degrees. */
export const GPS: readonly Pair[] = [
  ...pairs('gps', 'exif:GPS', TYPE.byte, { AltitudeRef: 5 }),
  ...pairs('gps', 'exif:GPS', TYPE.short, { Differential: 30 }),
  ...pairs('gps', 'exif:GPS', TYPE.rational, {
    ...{ Altitude: 6, DOP: 11, Speed: 13, Track: 15, ImgDirection: 17, HPositioningError: 31 },
    ...{ DestBearing: 24, DestDistance: 26 },
  }),
  ...pairs('gps', 'exif:GPS', TYPE.ascii, {
    ...{ Satellites: 8, Status: 9, MeasureMode: 10, SpeedRef: 12, TrackRef: 14, ImgDirectionRef: 16 },
    ...{ MapDatum: 18, DestBearingRef: 23, DestDistanceRef: 25 },
  }),
];

/** The only one of these properties that is a list. */
const LIST = 'exif:ISOSpeedRatings';

/** The properties that XMP lacks, from EXIF. */
export function pairsInXmp(wanted: readonly Pair[], { exif, xmp }: SourceMetadata): Property[] {
  return wanted.flatMap(({ xmp: name, tag, type, directory }) => {
    const entry = exif[directory].get(tag);
    const number = entry?.type === type ? numberText(exif, entry) : undefined;
    const text = type === TYPE.ascii ? asciiText(entry) : number;
    if (text === undefined || xmp.has(name)) return [];
    return name === LIST ? rdfList(name, 'Seq', [text]) : rdfText(name, text);
  });
}

/** The tags of a directory that EXIF lacks, from XMP. */
export function pairsInExif(
  wanted: readonly Pair[],
  { exif, xmp }: SourceMetadata,
  directory: ExifDirectory,
): Exif['main'] {
  const made = new Map<number, ExifEntry>();
  for (const pair of wanted) {
    const text = xmp.get(pair.xmp)?.texts[0];
    if (pair.directory !== directory || exif[directory].has(pair.tag) || text === undefined) continue;
    const entry = entryOf(pair, text, exif.littleEndian);
    if (entry !== undefined) made.set(pair.tag, entry);
  }
  return made;
}

/** The highest number of each type. */
const MOST: Readonly<Record<number, number>> = {
  ...{ [TYPE.byte]: 2 ** 8 - 1, [TYPE.short]: 2 ** 16 - 1, [TYPE.long]: 2 ** 32 - 1 },
  ...{ [TYPE.rational]: 2 ** 32 - 1, [TYPE.signedRational]: 2 ** 31 - 1 },
};

function entryOf({ tag, type }: Pair, text: string, littleEndian: boolean): ExifEntry | undefined {
  if (type === TYPE.ascii) {
    const words = asciiOf(text);
    return words === undefined ? undefined : ascii(tag, words);
  }
  const isRatio = type === TYPE.rational || type === TYPE.signedRational;
  const form = isRatio ? (type === TYPE.rational ? /^\d+\/\d+$/ : /^-?\d+\/\d+$/) : /^\d+$/;
  const values = text.split('/').map(Number);
  if (!form.test(text) || values.some((value) => Math.abs(value) > MOST[type]!)) return undefined;
  return numbers(littleEndian).of(tag, type, values);
}
