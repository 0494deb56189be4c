import { type CropBox, cropType, type Percent, pair, percentType, ratioSide } from './lengths.ts';
import { FITS, type Fit, type Position, positionType } from './shapes.ts';
import { choice, type Scalar, scalar, wholeNumber, yesOrNo } from './values.ts';

export const FORMATS = ['webp', 'jpeg', 'png', 'avif'] as const;
export type Format = (typeof FORMATS)[number];

type PerFormat<T> = Readonly<Record<Format, T>>;

/** Extension of an output's name. */
export const EXTENSIONS: PerFormat<string> = { webp: 'webp', jpeg: 'jpg', png: 'png', avif: 'avif' };

/** Longest side that may be asked for, in pixels. */
const LONGEST: PerFormat<number> = { webp: 16383, avif: 16384, jpeg: 65535, png: 65535 };

/** Effort of each encoder. AVIF at 0, 2 and 4 takes 60, 240 and 1750 ms for 1200 px (two cores, libvips 8.18). */
const EFFORTS = {
  webp: { least: 0, most: 6, initial: 4 },
  avif: { least: 0, most: 9, initial: 2 },
  png: { least: 1, most: 10, initial: 7 },
} as const;

/** The highest effort of any encoder; the lowest is 0. */
export const MOST_EFFORT = Math.max(...Object.values(EFFORTS).map(({ most }) => most));

const QUALITIES: PerFormat<number> = { webp: 85, jpeg: 85, avif: 60, png: 100 };

/** One field of a variant. */
interface Field<T> {
  /** One line of help. */
  readonly about: string;
  /** A shorter key, which printed specs use. */
  readonly short?: string;
  readonly aliases?: readonly string[];
  /** The value that has no effect on the output. A field without such a value is always part of the digest. */
  readonly off?: T;
  /** What the field can be in this format. */
  in(format: Format): Allowed<T>;
  /** The value that follows from other fields; undefined where a person chooses. */
  implied?(others: Others): T | undefined;
}

export interface Allowed<T> {
  readonly type: Scalar<Exclude<T, null>>;
  readonly initial: T;
  /** The format has no choice: the value is always `initial`. */
  readonly isFixed?: boolean;
}

/** Fields that others depend on. */
interface Others {
  readonly width: number | null;
  readonly height: number | null;
  readonly fit: Fit;
  readonly scale: Percent | null;
  readonly ratio: Ratio | null;
  readonly lossless: boolean;
}

type Ratio = readonly [width: number, height: number];

function field<T>(one: Field<T>): Field<T> {
  return one;
}

/** A field with the same values in every format, whose default changes nothing. */
function everywhere<T>(type: Scalar<Exclude<T, null>>, initial: T, rest: Omit<Field<T>, 'in' | 'off'>) {
  return field<T>({ ...rest, off: initial, in: () => ({ type, initial }) });
}

/** A field that is null unless a variant names it. */
function optional<T>(type: Scalar<Exclude<T, null>>, about: string): Field<T | null> {
  return { about, off: null, in: () => ({ type, initial: null }) };
}

function side(short: string, about: string): Field<number | null> {
  const type = (format: Format) => wholeNumber(1, LONGEST[format], ` (the most ${format} holds)`);
  return { short, about, off: null, in: (format) => ({ type: type(format), initial: null }) };
}

/** The format is read first: the other fields depend on it. */
export const formatType: Scalar<Format> = choice(FORMATS, new Map([['jpg', 'jpeg']]));

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
  /** A part of the upright source. All other sizes start from it. */
  crop: optional<CropBox>(cropType, 'the part of the upright source to use'),
  trim: everywhere<boolean>(yesOrNo, false, { about: 'cut off edges of one colour' }),
  /** From 1. */
  page: everywhere<number>(wholeNumber(1, 500), 1, { about: 'the page of a TIFF, from 1' }),
  linear: everywhere<boolean>(yesOrNo, false, { about: 'resize in linear light' }),
  format: field<Format>({
    about: 'file format of the output',
    in: () => ({ type: formatType, initial: 'webp' }),
  }),
  /** 1 to 100; always 100 where lossless. */
  quality: field<number>({
    short: 'q',
    about: 'quality of a lossy encoder',
    in: (format) => ({ type: wholeNumber(1, 100), initial: QUALITIES[format] }),
    implied: ({ lossless }) => (lossless ? 100 : undefined),
  }),
  /** How hard the encoder tries: webp 0 to 6, avif 0 to 9, png 1 to 10. JPEG has no effort and always holds 0. */
  effort: field<number>({
    about: 'how hard the encoder tries, from fastest to smallest',
    in(format) {
      if (format === 'jpeg') return { type: NO_EFFORT, initial: 0, isFixed: true };
      const { least, most, initial } = EFFORTS[format];
      return { type: wholeNumber(least, most, ` (for ${format})`), initial };
    },
  }),
  lossless: field<boolean>({
    about: 'keep every pixel as it is; png always does',
    off: false,
    in: (format) => ({
      type: format === 'jpeg' ? NEVER_LOSSLESS : yesOrNo,
      initial: format === 'png',
      isFixed: format === 'png' || format === 'jpeg',
    }),
  }),
  grayscale: everywhere<boolean>(yesOrNo, false, { aliases: ['greyscale'], about: 'no colours' }),
  sharpen: everywhere<boolean>(yesOrNo, false, { about: 'sharpen a little after resizing' }),
  /** `#rrggbb` under transparency; null keeps transparency. JPEG has none and gets white by default. */
  background: field<string | null>({
    about: 'colour under transparency',
    off: null,
    in: (format) => ({ type: COLOR, initial: format === 'jpeg' ? '#ffffff' : null }),
  }),
};

export type FieldKey = keyof typeof FIELDS;
type ValueOf<F> = F extends Field<infer T> ? T : never;
type Values = { readonly [K in FieldKey]: ValueOf<(typeof FIELDS)[K]> };

/** One output that is made of every image. Absent choices are null, so that equal variants are equal as data. */
export interface Variant extends Values {
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

/** The fields that are not off. A batch recorded before a field existed does not have it, which is off too. */
export function effectiveFields(variant: Variant): (readonly [key: FieldKey, value: unknown])[] {
  const fields = FIELD_KEYS.map((key) => [key, variant[key]] as const);
  return fields.filter(([key, value]) => value !== undefined && value !== FIELD_TABLE[key].off);
}

/** A field as a person writes it; a comma in the value is escaped in a spec. */
export function showField(variant: LooseVariant, key: FieldKey): string {
  const { show = String } = FIELD_TABLE[key].in(variant.format ?? 'webp').type;
  return show(variant[key]);
}

/** The variant with this effort, limited to the range of its format. Null, and JPEG, change nothing. */
export function withEffort(variant: Variant, effort: number | null): Variant {
  if (effort === null || variant.format === 'jpeg') return variant;
  const { least, most } = EFFORTS[variant.format];
  return { ...variant, effort: Math.min(Math.max(effort, least), most) };
}

const NEVER_LOSSLESS: Scalar<boolean> = scalar({
  expected: 'no lossless for jpeg',
  fix: 'choose format=png, webp or avif',
  schema: { enum: [false, 'false', 'no', 'off', '0'] },
  parse: (raw) => (yesOrNo.parse(raw) === false ? false : undefined),
});

/** A complete JPEG variant, as `imgtool presets --json` prints it, has effort 0. */
const NO_EFFORT: Scalar<number> = scalar({
  expected: 'no effort for jpeg',
  fix: 'leave effort out, or choose format=webp, avif or png',
  schema: { enum: [0, '0'] },
  parse: (raw) => (raw === 0 || raw === '0' ? 0 : undefined),
});

const COLOR: Scalar<string> = scalar({
  expected: 'a colour such as #ffffff, #fff, white or black',
  schema: { type: 'string', pattern: '^\\s*(#[\\dA-Fa-f]{3}|#[\\dA-Fa-f]{6}|white|black)\\s*$' },
  parse(raw) {
    const word = typeof raw === 'string' ? raw.trim().toLowerCase() : '';
    const short = word.replace(/^white$/, '#fff').replace(/^black$/, '#000');
    const hex = short.replace(/^#([\da-f])([\da-f])([\da-f])$/, '#$1$1$2$2$3$3');
    return /^#[\da-f]{6}$/.test(hex) ? hex : undefined;
  },
});
