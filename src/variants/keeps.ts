import type { Format, PerFormat } from './formats.ts';
import { type Place, unknown, wrong } from './place.ts';
import { orNumber, type Scalar, scalar, textOfNumber } from './values.ts';
import { KEEPS, type Keep, keptWords, NOTHING } from './words.ts';

/** What outputs keep of the metadata of their source, and the texts that are written into them. */

/** A TIFF has XMP, which holds these. A GIF has none. */
const IN_XMP: readonly Keep[] = ['copyright', 'description', 'date', 'gps', 'camera', 'xmp'];

/** What outputs of each format can hold. */
const HELD: PerFormat<readonly Keep[]> = {
  ...{ webp: KEEPS, jpeg: KEEPS, png: KEEPS, avif: KEEPS },
  ...{ gif: [], tiff: IN_XMP },
};

/** Words with `+` or `,` between them, or a list in a file. The value is text, in the order of KEEPS. */
export function keepType(format?: Format): Scalar<string> {
  const held = format === undefined ? KEEPS : HELD[format];
  const expected =
    held.length === 0 ? NOTHING : `one or more of ${held.join(', ')}, joined by +, or ${NOTHING}`;
  const word = `\\s*(${held.join('|')})\\s*`;
  const joined = { type: 'string', pattern: `^${word}([+,]${word})*$` };
  const list = { type: 'array', minItems: 1, items: { enum: [...held] } };
  const none = { enum: [NOTHING, false] };
  const parse = (raw: unknown): string | undefined => {
    const words = listOf(raw);
    const isKnown = words.length > 0 && words.every((one) => held.some((known) => known === one));
    if (isKnown) return KEEPS.filter((one) => words.includes(one)).join('+');
    return raw === NOTHING || raw === false ? NOTHING : undefined;
  };
  return {
    ...scalar<string>({
      ...{ expected, parse, words: [...held, NOTHING] },
      schema: held.length === 0 ? none : { anyOf: [joined, list, none] },
    }),
    read(raw, place) {
      const value = parse(raw);
      if (value !== undefined) return value;
      const words = listOf(raw).map(String);
      const others = words.filter((one) => !KEEPS.some((known) => known === one) && one !== NOTHING);
      if (others.length > 0 && typeof raw !== 'boolean')
        throw unknown(place, 'metadata', others, [...KEEPS, NOTHING]);
      if (format !== undefined) assertHeld(words.join('+'), format, place);
      throw wrong(place, expected, raw);
    },
  };
}

/** Checks that outputs of a format can hold these. Errors: those of the place. */
export function assertHeld(keep: string, format: Format, place: Place, fix?: string): void {
  const held = HELD[format];
  const others = keptWords(keep).filter((word) => !held.includes(word));
  if (others.length === 0) return;
  const most = held.length === 0 ? `${format} holds no metadata` : `${format} holds ${held.join(', ')}`;
  throw wrong(place, `what ${format} can hold`, others.join('+'), {
    fix: `${most}: ${fix ?? `leave out ${others.join('+')}, or choose format=jpeg or webp`}`,
  });
}

/** Whether outputs of a format can have texts written into them. */
export const holdsTexts = (format: Format): boolean => HELD[format].includes('copyright');

/** The most characters of a text: a longer one is a mistake. */
const LONGEST = 2000;

/** A text to write into outputs, such as a copyright notice. */
export const stampType: Scalar<string> = scalar({
  expected: `a text of 1 to ${LONGEST} characters without control characters`,
  schema: orNumber({ type: 'string', pattern: `^[^\\x00-\\x1f\\x7f-\\x9f]{1,${LONGEST}}$` }),
  parse(raw) {
    const words = textOfNumber(raw);
    const isText = typeof words === 'string' && words.trim() !== '' && words.length <= LONGEST;
    // No lone surrogate has a form in UTF-8.
    return isText && !/\p{Cc}|\p{Cs}/u.test(words) ? words.trim() : undefined;
  },
});

function listOf(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw;
  return typeof raw === 'string' ? raw.split(/[+,]/).map((word) => word.trim()) : [];
}
