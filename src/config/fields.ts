import * as v from 'valibot';
import type { Fit, Format, Position, Variant } from '../model.ts';
import { EFFORTS } from './effort.ts';
import { type Place, wrong } from './place.ts';
import { choice, type Reader, yesOrNo } from './plain.ts';
import { checked, wholeNumber } from './values.ts';

/** Other ways to write a key of a variant. */
export const KEY_ALIASES: Readonly<Record<string, string>> = {
  w: 'width',
  h: 'height',
  q: 'quality',
  greyscale: 'grayscale',
};

type Fields = { readonly [K in Exclude<keyof Variant, 'name'>]: Reader<Exclude<Variant[K], null>> };

/** The largest side an encoder takes, in pixels. */
const LONGEST: Readonly<Record<Format, number>> = { webp: 16383, avif: 16384, jpeg: 65535, png: 65535 };

const FORMATS = ['webp', 'jpeg', 'png', 'avif'] as const satisfies readonly Format[];
const FITS = ['inside', 'cover'] as const satisfies readonly Fit[];
const POSITIONS = [
  'centre',
  'top',
  'right top',
  'right',
  'right bottom',
  'bottom',
  'left bottom',
  'left',
  'left top',
  'entropy',
  'attention',
] as const satisfies readonly Position[];

const COLORS: Readonly<Record<string, string>> = { white: '#ffffff', black: '#000000' };

export const readFormat = respelt(choice(FORMATS), (word) => (word === 'jpg' ? 'jpeg' : word));

/** A reader for each key of a variant in this format. */
export function fieldsFor(format: Format): Fields {
  const side = wholeNumber(1, LONGEST[format], ` (the most ${format} holds)`);
  return {
    width: side,
    height: side,
    fit: choice(FITS),
    position: respelt(choice(POSITIONS), (word) => word.replace('-', ' ').replace('center', 'centre')),
    format: readFormat,
    quality: wholeNumber(1, 100),
    effort: format === 'jpeg' ? noEffort : wholeNumber(...EFFORTS[format], ` (for ${format})`),
    lossless: format === 'jpeg' ? neverLossless : yesOrNo,
    grayscale: yesOrNo,
    sharpen: yesOrNo,
    background: respelt(checked(hexColor(), 'a colour such as #ffffff, #fff, white or black'), rrggbb),
  };
}

function hexColor() {
  return v.pipe(v.string(), v.regex(/^#[\da-f]{6}$/));
}

function rrggbb(word: string): string {
  return COLORS[word] ?? word.replace(/^#([\da-f])([\da-f])([\da-f])$/, '#$1$1$2$2$3$3');
}

function neverLossless(raw: unknown, place: Place): boolean {
  if (!yesOrNo(raw, place)) return false;
  throw wrong(place, 'no lossless for jpeg', raw, { fix: 'choose format=png, webp or avif' });
}

/** The 0 that a complete JPEG variant holds, as `imgtool presets --json` prints it, is none. */
function noEffort(raw: unknown, place: Place): number {
  if (raw === 0 || raw === '0') return 0;
  throw wrong(place, 'no effort for jpeg', raw, {
    fix: 'leave effort out, or choose format=webp, avif or png',
  });
}

/** Reads a word in its usual spelling. */
function respelt<T>(read: Reader<T>, respell: (word: string) => string): Reader<T> {
  return (raw, place) => {
    const usual = typeof raw === 'string' ? respell(raw.trim().toLowerCase()) : raw;
    return read(usual, place);
  };
}
