import { TAG } from '../tiff/tags.ts';
import { asciiText } from './exif.ts';
import type { SourceMetadata } from './source.ts';
import { type Property, rdfAlternative, rdfList, rdfText, withoutControls } from './xml.ts';

/** The texts of `copyright` and `description`, which EXIF, IPTC-IIM and XMP all hold. */

interface Text {
  readonly keep: 'copyright' | 'description';
  readonly xmp: string;
  /** How XMP stores it: a text, a text in several languages, or a list. */
  readonly as: 'text' | 'languages' | 'Seq' | 'Bag';
  /** Dataset in record 2 of IPTC-IIM. */
  readonly iptc?: number;
  /** A tag of EXIF's main directory. */
  readonly exif?: number;
}

export const TEXTS: readonly Text[] = [
  { keep: 'copyright', xmp: 'dc:creator', as: 'Seq', iptc: 80, exif: TAG.Artist },
  { keep: 'copyright', xmp: 'dc:rights', as: 'languages', iptc: 116, exif: TAG.Copyright },
  { keep: 'copyright', xmp: 'photoshop:Credit', as: 'text', iptc: 110 },
  { keep: 'copyright', xmp: 'xmpRights:UsageTerms', as: 'languages' },
  { keep: 'copyright', xmp: 'xmpRights:WebStatement', as: 'text' },
  { keep: 'copyright', xmp: 'xmpRights:Marked', as: 'text' },
  { keep: 'copyright', xmp: 'cc:license', as: 'text' },
  { keep: 'description', xmp: 'dc:title', as: 'languages', iptc: 5 },
  { keep: 'description', xmp: 'photoshop:Headline', as: 'text', iptc: 105 },
  { keep: 'description', xmp: 'dc:description', as: 'languages', iptc: 120, exif: TAG.ImageDescription },
  { keep: 'description', xmp: 'dc:subject', as: 'Bag', iptc: 25 },
  { keep: 'description', xmp: 'Iptc4xmpCore:AltTextAccessibility', as: 'languages' },
  { keep: 'description', xmp: 'Iptc4xmpCore:ExtDescrAccessibility', as: 'languages' },
];

/** The text as XMP: that of the source's XMP, else of its IPTC-IIM, else of its EXIF. Null without any. */
export function textProperty({ exif, iptc, xmp }: SourceMetadata, text: Text): Property | null {
  const found = xmp.get(text.xmp);
  if (found?.texts.some((one) => one !== '') === true) return found;
  const ofIptc = clean(text.iptc === undefined ? [] : (iptc.get(text.iptc) ?? []));
  if (ofIptc.length > 0) return propertyOf(text, ofIptc);
  const ofExif = text.exif === undefined ? undefined : asciiText(exif.main.get(text.exif));
  // EXIF separates several artists by semicolons.
  const texts = clean(text.as === 'Seq' ? (ofExif ?? '').split(';') : [ofExif ?? '']);
  return texts.length > 0 ? propertyOf(text, texts) : null;
}

const clean = (texts: readonly string[]): string[] =>
  texts.map((one) => withoutControls(one).trim()).filter((one) => one !== '');

/** These texts as XMP stores them. */
export function propertyOf({ xmp, as }: Pick<Text, 'xmp' | 'as'>, texts: readonly string[]): Property {
  if (as === 'Seq' || as === 'Bag') return rdfList(xmp, as, texts);
  const [text = ''] = texts;
  return as === 'languages' ? rdfAlternative(xmp, text) : rdfText(xmp, text);
}
