import {
  type Animated,
  animatedType,
  type BitDepth,
  bitsType,
  type Chroma,
  COLOR,
  chromaType,
  effortType,
  onlyIn,
} from './allowed.ts';
import { EFFORTS, FORMATS, type Format, FULL_CHROMA, QUALITIES } from './formats.ts';
import { holdsTexts, keepType } from './keeps.ts';
import {
  everywhere,
  type Field,
  field,
  type Others,
  optional,
  type Ratio,
  side,
  special,
  stamp,
} from './kinds.ts';
import { type CropBox, cropType, pair, percentType, positionType, ratioSide } from './lengths.ts';
import { choice, type Scalar, wholeNumber, yesOrNo } from './values.ts';
import { FITS, type Fit, NOTHING, type Percent, type Position } from './words.ts';

/** The format is read first: the other fields depend on it. */
export const formatType: Scalar<Format> = choice(
  FORMATS,
  new Map([
    ['jpg', 'jpeg'],
    ['tif', 'tiff'],
  ]),
);

/**
 * Every field of a variant, described once. Types, parsing, printing, help, JSON Schema and the settings digest follow
 * from this table. A new field needs an `off` value, which keeps it out of the digests of existing outputs.
 */
const FIELDS = {
  /** Of the box, in pixels; null leaves the width to the ratio. Without both, the size stays. */
  width: side('w', 'width of the box in pixels'),
  /** Of the box, in pixels; null leaves the height to the ratio. */
  height: side('h', 'height of the box in pixels'),
  fit: everywhere<Fit>(choice(FITS), 'inside', {
    about: 'how the picture fits a box of width and height',
    implied: ({ width, height }) => (width === null || height === null ? 'inside' : undefined),
  }),
  /** A share of both sides of the picture. */
  scale: optional<Percent>(
    percentType(10_000, 'above 0'),
    'a share of the size, instead of width and height',
  ),
  enlarge: everywhere<boolean>(yesOrNo, false, {
    about: 'allow more pixels than the source has',
    implied: ({ width, height, scale }) =>
      width === null && height === null && scale === null ? false : undefined,
  }),
  /** What is left after `crop` and `trim` is cut to this ratio at `position`, before it is resized. */
  ratio: optional<Ratio>(
    pair('WIDTH:HEIGHT such as 16:9', ratioSide),
    'cut to this ratio, as large as the picture allows',
  ),
  /** What `cover` and `ratio` keep, and where `contain` puts the picture. */
  position: everywhere<Position>(positionType, 'centre', {
    about: 'the part that cover and ratio keep, or the place on the canvas of contain',
    implied: ({ fit, ratio }) =>
      fit === 'cover' || fit === 'contain' || ratio !== null ? undefined : 'centre',
  }),
  /** A part of the upright source. All other sizes start from this part. */
  crop: optional<CropBox>(cropType, 'the part of the upright source to use'),
  trim: everywhere<boolean>(yesOrNo, false, { about: 'cut off edges of one colour' }),
  /** From 1. */
  page: everywhere<number>(wholeNumber(1, 500), 1, { about: 'the page of a TIFF, from 1' }),
  /** Of an animated GIF or WebP. Other formats always have the first frame. */
  animated: special<Animated>('animated', animatedType, 'all', {
    about: 'the frames of an animation to use',
  }),
  linear: everywhere<boolean>(yesOrNo, false, { about: 'resize in linear light' }),
  format: field<Format>({
    about: 'file format of the output',
    in: () => ({ type: formatType, initial: 'webp' }),
  }),
  /** 1 to 100; always 100 where lossless. For near-lossless WebP, how little the pixels may change. */
  quality: field<number>({
    short: 'q',
    about: 'quality of a lossy encoder',
    in: onlyIn(
      'quality',
      (format) => (QUALITIES[format] === null ? null : wholeNumber(1, 100)),
      (format) => QUALITIES[format] ?? 100,
    ),
    implied: ({ lossless }) => (lossless ? 100 : undefined),
  }),
  /** How hard the encoder tries. */
  effort: field<number>({
    about: 'how hard the encoder tries, from fastest to smallest',
    in: onlyIn('effort', effortType, (format) => EFFORTS[format]?.initial ?? 0),
  }),
  lossless: field<boolean>({
    about: 'keep every pixel as it is; png and tiff always do',
    off: false,
    in: (format) =>
      isLossless(format) ? { type: yesOrNo, initial: true, isFixed: true } : losslessIn(format),
  }),
  /** Lossless compression of pixels that were changed a little; `quality` says how little. */
  nearlossless: special<boolean>('nearlossless', (format) => (format === 'webp' ? yesOrNo : null), false, {
    about: 'lossless compression of pixels that change a little; quality says how little',
    implied: ({ lossless }) => (lossless ? false : undefined),
  }),
  /** `auto` is 420 for JPEG below quality 90 and for WebP, and 444 for others. `sharp` computes 420 with more care. */
  chroma: special<Chroma>('chroma', chromaType, 'auto', {
    about: 'how finely colours are stored',
    implied: (others) => (isUsual(others) ? 'auto' : undefined),
  }),
  /** In several passes, from coarse to fine. The pixels are the same. */
  progressive: special<boolean>('progressive', (format) => (format === 'jpeg' ? yesOrNo : null), true, {
    about: 'store the picture in passes from coarse to fine, which is smaller',
  }),
  /** Bits per sample. */
  bitdepth: special<BitDepth>('bitdepth', (format) => (format === 'avif' ? bitsType : null), 8, {
    about: 'bits per sample',
    implied: ({ lossless }) => (lossless ? 8 : undefined),
  }),
  grayscale: everywhere<boolean>(yesOrNo, false, { aliases: ['greyscale'], about: 'no colours' }),
  sharpen: everywhere<boolean>(yesOrNo, false, { about: 'sharpen a little after resizing' }),
  /** `#rrggbb` under transparency; null keeps transparency. JPEG has none and gets white by default. */
  background: field<string | null>({
    about: 'colour under transparency',
    off: null,
    in: (format) => ({ type: COLOR, initial: format === 'jpeg' ? '#ffffff' : null }),
  }),
  /** Words joined by `+`, or `none`. */
  keep: field<string>({
    about: 'metadata of the source to keep',
    off: NOTHING,
    in: (format) => ({ type: keepType(format), initial: NOTHING, isFixed: !holdsTexts(format) }),
  }),
  copyright: stamp('copyright', 'copyright notice to write into the output'),
  artist: stamp('artist', 'name of the artist to write into the output'),
};

export type FieldKey = keyof typeof FIELDS;
type FieldValue<F> = F extends Field<infer T> ? T : never;
type FieldValues = { readonly [K in FieldKey]: FieldValue<(typeof FIELDS)[K]> };

/** One output that is made of every image. Absent choices are null, so that equal variants are equal as data. */
export interface Variant extends FieldValues {
  readonly name: string;
}

/** A variant as a person asks for it. Absent fields have their defaults. */
export type LooseVariant = Pick<Variant, 'name'> & {
  readonly [K in FieldKey]?: Variant[K] | undefined;
};

/** The table for code that treats all fields alike. */
export const FIELD_TABLE: Readonly<Record<FieldKey, Field<unknown>>> = FIELDS;
export const FIELD_KEYS = Object.keys(FIELDS) as readonly FieldKey[];

/** The key that a key or alias stands for. */
export function fieldKey(word: string): FieldKey | undefined {
  return FIELD_KEYS.find((key) => spellingsOf(key).includes(word));
}

export function spellingsOf(key: FieldKey): readonly string[] {
  const { short, aliases = [] } = FIELD_TABLE[key];
  return [key, ...(short === undefined ? [] : [short]), ...aliases];
}

/** The variant with every choice made. Choices that cannot change a byte of the output get one fixed value. */
export function fullVariant(loose: LooseVariant): Variant {
  const format = loose.format ?? 'webp';
  const values = FIELD_KEYS.map((key) => {
    const { initial, isFixed } = FIELD_TABLE[key].in(format);
    return [key, isFixed ? initial : (loose[key] ?? initial)];
  });
  let full: Variant = { name: loose.name, ...Object.fromEntries(values) };
  for (const key of FIELD_KEYS) {
    const implied = FIELD_TABLE[key].implied?.(full);
    if (implied !== undefined) full = { ...full, [key]: implied };
  }
  return full;
}

/** The fields that are not off. A missing field counts as off: batches of older versions lack newer fields. */
export function effectiveFields(variant: Variant): (readonly [key: FieldKey, value: unknown])[] {
  const fields = FIELD_KEYS.map((key) => [key, variant[key]] as const);
  return fields.filter(([key, value]) => value !== undefined && value !== FIELD_TABLE[key].off);
}

/** A field as a person writes it; a comma in the value is escaped in a spec. */
export function showField(variant: LooseVariant, key: FieldKey): string {
  const { show = String } = FIELD_TABLE[key].in(variant.format ?? 'webp').type;
  return show(variant[key]);
}

/** The metadata that a variant keeps and gets. */
export type Kept = Pick<Variant, 'keep' | 'copyright' | 'artist'>;

/** The variant with these values where it has none of its own. `loose` is the variant as a person wrote it. */
export function withKept(variant: Variant, common: Kept, loose?: LooseVariant): Variant {
  const isOwn = loose?.keep !== undefined || variant.keep !== NOTHING;
  return {
    ...variant,
    keep: isOwn ? variant.keep : common.keep,
    copyright: variant.copyright ?? common.copyright,
    artist: variant.artist ?? common.artist,
  };
}

/**
 * The variant with this effort, limited to the range of its format. Null changes nothing. JPEG keeps its own effort: the
 * outputs of `--effort` from before JPEG had one stay as they are.
 */
export function withEffort(variant: Variant, effort: number | null): Variant {
  const efforts = EFFORTS[variant.format];
  if (effort === null || efforts === null || variant.format === 'jpeg') return variant;
  return { ...variant, effort: Math.min(Math.max(effort, efforts.least), efforts.most) };
}

/** Formats that lose nothing. */
const isLossless = (format: Format): boolean => format === 'png' || format === 'tiff';

const losslessIn = onlyIn(
  'lossless',
  (format) => (format === 'jpeg' || format === 'gif' ? null : yesOrNo),
  () => false,
);

/** True for a choice that gives the same bytes as `auto`. */
function isUsual({ format, quality, lossless, nearlossless, grayscale, chroma }: Others): boolean {
  if (lossless || nearlossless || (format === 'jpeg' && grayscale)) return true;
  return chroma === (format === 'avif' || (format === 'jpeg' && quality >= FULL_CHROMA) ? '444' : '420');
}
