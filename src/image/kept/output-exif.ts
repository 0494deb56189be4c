import type { PixelSize, Variant } from '../../model.ts';
import type { Keep } from '../../variants/words.ts';
import { TAG } from '../tiff/tags.ts';
import { asciiOf } from './ascii.ts';
import { ascii, type Exif, type ExifEntry, numbers } from './exif.ts';
import { FACTS } from './facts.ts';
import type { SourceMetadata } from './source.ts';
import { TEXTS } from './texts.ts';
import type { Property } from './xml.ts';

/** Values of Orientation, ColorSpace and ResolutionUnit. */
const UPRIGHT = 1;
const SRGB = 1;
const UNCALIBRATED = 0xffff;
const INCHES = 2;

/**
 * Tags of the main directory that describe the stored pixels of the source, or contain other metadata or pictures: of
 * TIFF 6.0, TIFF/EP, Photoshop, Windows and DNG.
 */
function isOfFile(tag: number): boolean {
  return OF_FILE.some(([from, to]) => tag >= from && tag <= to);
}

const OF_FILE: readonly (readonly [from: number, to: number])[] = [
  ...([
    [254, 269],
    [273, 281],
    [284, 295],
    [297, 304],
    [317, 347],
    [512, 700],
  ] as const),
  ...([
    [20480, 24575],
    [33421, 33422],
    [33723, 33723],
    [34377, 34377],
    [34675, 34675],
  ] as const),
  ...([
    [37724, 37724],
    [50341, 50341],
    [50700, 65535],
  ] as const),
];

/** MakerNote, whose positions are wrong in another block and which contains previews; padding; Gamma. */
const UNMOVABLE = new Set([37500, 42240, 59932]);

/** What the entries depend on beside the source. */
interface WrittenOutput {
  /** Its XMP. */
  readonly properties: ReadonlyMap<string, Property>;
  readonly size: PixelSize;
  readonly icc: Buffer | null;
  readonly density: number | null;
}

/** The EXIF of an output. */
export function exifFor(
  source: SourceMetadata,
  words: ReadonlySet<Keep>,
  { copyright, artist }: Pick<Variant, 'copyright' | 'artist'>,
  { properties, size, icc, density }: WrittenOutput,
): Exif {
  const { exif } = source;
  const { littleEndian } = exif;
  const make = numbers(littleEndian);
  const main = new Map<number, ExifEntry>();
  const details = new Map<number, ExifEntry>();
  const gps = new Map<number, ExifEntry>();
  const copy = (to: Map<number, ExifEntry>, from: Exif['main'], isKept: (tag: number) => boolean) => {
    for (const [tag, entry] of from) if (isKept(tag)) to.set(tag, entry);
  };
  const put = (to: Map<number, ExifEntry>, entry: ExifEntry) => to.set(entry.tag, entry);
  if (words.has('exif')) {
    copy(main, exif.main, (tag) => !isOfFile(tag));
    copy(details, exif.details, (tag) => !UNMOVABLE.has(tag));
    copy(gps, exif.gps, () => true);
    if (main.has(TAG.Orientation)) put(main, make.short(TAG.Orientation, UPRIGHT));
    if (details.has(TAG.ColorSpace))
      put(details, make.short(TAG.ColorSpace, icc === null ? SRGB : UNCALIBRATED));
    if (details.has(TAG.PixelXDimension)) put(details, make.long(TAG.PixelXDimension, size.width));
    if (details.has(TAG.PixelYDimension)) put(details, make.long(TAG.PixelYDimension, size.height));
  }
  for (const fact of FACTS.filter(({ keep }) => words.has(keep))) {
    const more = fact.inExif(source);
    copy(main, exif.main, (tag) => fact.main?.includes(tag) === true);
    copy(details, exif.details, (tag) => fact.details?.includes(tag) === true);
    copy(gps, exif.gps, (tag) => fact.gps?.includes(tag) === true);
    for (const entry of more.main?.values() ?? []) put(main, entry);
    for (const entry of more.details?.values() ?? []) put(details, entry);
    for (const entry of more.gps?.values() ?? []) put(gps, entry);
  }
  for (const { keep, xmp, exif: tag, as } of TEXTS) {
    const isStamped =
      (tag === TAG.Artist && artist !== null) || (tag === TAG.Copyright && copyright !== null);
    const texts = properties.get(xmp)?.texts;
    if (tag === undefined || texts === undefined || !(words.has(keep) || isStamped)) continue;
    const text = asciiOf(as === 'Seq' ? texts.join('; ') : (texts[0] ?? ''));
    if (text !== undefined) put(main, ascii(tag, text));
  }
  if (density !== null) {
    put(main, make.rational(TAG.XResolution, [Math.round(density * 100), 100]));
    put(main, make.rational(TAG.YResolution, [Math.round(density * 100), 100]));
    put(main, make.short(TAG.ResolutionUnit, INCHES));
  }
  return { littleEndian, main, details, gps };
}
