import type { PixelSize, Variant } from '../../model.ts';
import { type Keep, keptWords } from '../../variants/words.ts';
import { type Blocks, tooLarge } from './embed.ts';
import { exifBlock } from './exif.ts';
import { FACTS } from './facts.ts';
import { exifFor } from './output-exif.ts';
import type { SourceMetadata } from './source.ts';
import { propertyOf, TEXTS, textProperty } from './texts.ts';
import { type Property, rdfText, xmpPacket } from './xml.ts';

/** What a variant asks for. */
type AskedMetadata = Pick<Variant, 'keep' | 'copyright' | 'artist' | 'format'>;

/** Whether to read a property of a source's XMP for these variants. */
export function wantedXmp(variants: readonly AskedMetadata[]): (name: string) => boolean {
  const keeps = new Set(variants.flatMap(({ keep }) => keptWords(keep)));
  const names = new Set(TEXTS.flatMap(({ keep, xmp }) => (keeps.has(keep) ? [xmp] : [])));
  const facts = FACTS.filter(({ keep }) => keeps.has(keep));
  return (name) =>
    (keeps.has('xmp') && !isLeftOut(name)) || names.has(name) || facts.some((one) => one.isXmp(name));
}

/** The metadata of an output. `icc` is the profile of its pixels; null for sRGB. Errors: `too_large` with the field's name. */
export function blocksFor(
  source: SourceMetadata,
  asked: AskedMetadata,
  size: PixelSize,
  icc: Buffer | null,
): Blocks {
  const words = new Set(keptWords(asked.keep));
  const density = words.has('density') ? source.density : null;
  const properties = xmpFor(source, words, asked);
  const exif =
    asked.format === 'tiff' ? null : exifFor(source, words, asked, { properties, size, icc, density });
  const xmp = xmpPacket([...properties.values()]);
  if (xmp !== null && xmp.length > MAX_XMP) throw tooLarge('XMP', xmp.length, MAX_XMP);
  return { exif: exif && exifBlock(exif), xmp, icc, density };
}

/** Thumbnails, what is in other parts of the file, and what describes the stored pixels of the source. */
const LEFT_OUT = new Set([
  ...['xmp:Thumbnails', 'xmp:PageInfo', 'xmpNote:HasExtendedXMP', 'Container:Directory'],
  ...[
    'tiff:ImageWidth',
    'tiff:ImageLength',
    'exif:PixelXDimension',
    'exif:PixelYDimension',
    'exif:ColorSpace',
  ],
  ...['photoshop:ICCProfile', 'photoshop:ColorMode'],
]);
const isLeftOut = (name: string): boolean => LEFT_OUT.has(name) || name.startsWith('hdrgm:');

/** The most bytes of a packet. */
const MAX_XMP = 16 * 2 ** 20;

/** The most characters of a property that is kept by itself. */
const MAX_FIELD = 65_536;

function xmpFor(
  source: SourceMetadata,
  words: ReadonlySet<Keep>,
  asked: AskedMetadata,
): Map<string, Property> {
  const made = new Map<string, Property>();
  const add = (name: string, property: Property) => {
    if (property.xml.length > MAX_FIELD && !words.has('xmp'))
      throw tooLarge(name, property.xml.length, MAX_FIELD);
    made.set(name, property);
  };
  for (const [name, property] of words.has('xmp') ? source.xmp : [])
    if (!isLeftOut(name)) made.set(name, property);
  if (made.has('tiff:Orientation')) made.set('tiff:Orientation', rdfText('tiff:Orientation', '1'));
  for (const text of TEXTS.filter(({ keep }) => words.has(keep))) {
    const property = textProperty(source, text);
    if (property !== null) add(text.xmp, property);
  }
  for (const fact of FACTS.filter(({ keep }) => words.has(keep))) {
    for (const [name, property] of source.xmp) if (fact.isXmp(name)) add(name, property);
    for (const property of fact.inXmp(source)) add(nameOf(property), property);
  }
  for (const [name, text] of [
    ['dc:creator', asked.artist],
    ['dc:rights', asked.copyright],
  ] as const) {
    const as = name === 'dc:creator' ? 'Seq' : 'languages';
    if (text !== null) made.set(name, propertyOf({ xmp: name, as }, [text]));
  }
  return made;
}

const nameOf = ({ xml }: Property): string => xml.slice(1, xml.search(/[\s>]/));
