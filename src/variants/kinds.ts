import { type Allowed, type Chroma, onlyIn } from './allowed.ts';
import { type Format, formatsOf, LONGEST_SIDE } from './formats.ts';
import { holdsTexts, stampType } from './keeps.ts';
import { type Scalar, scalar, wholeNumber } from './values.ts';
import type { Fit, Percent } from './words.ts';

/** What the table of fields says about a field, and the kinds of fields. */

/** One field of a variant. */
export interface Field<T> {
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

/** Fields that others depend on. */
export interface Others {
  readonly width: number | null;
  readonly height: number | null;
  readonly fit: Fit;
  readonly scale: Percent | null;
  readonly ratio: Ratio | null;
  readonly format: Format;
  readonly quality: number;
  readonly lossless: boolean;
  readonly nearlossless: boolean;
  readonly chroma: Chroma;
  readonly grayscale: boolean;
}

export type Ratio = readonly [width: number, height: number];

export function field<T>(one: Field<T>): Field<T> {
  return one;
}

/** A field with the same values in every format, whose default changes nothing. */
export function everywhere<T>(
  type: Scalar<Exclude<T, null>>,
  initial: T,
  rest: Omit<Field<T>, 'in' | 'off'>,
) {
  return field<T>({ ...rest, off: initial, in: () => ({ type, initial }) });
}

/** A field that is null unless a variant names it. */
export function optional<T>(type: Scalar<Exclude<T, null>>, about: string): Field<T | null> {
  return { about, off: null, in: () => ({ type, initial: null }) };
}

/** A text that is written into outputs of formats that hold texts. */
export function stamp(key: string, about: string): Field<string | null> {
  const fix = `leave ${key} out, or choose format=${formatsOf(holdsTexts)}`;
  const none = scalar<string>({
    ...{ expected: `no ${key}, which this format cannot hold`, fix },
    ...{ schema: { enum: [null] }, parse: () => undefined },
  });
  const allowed: Allowed<string | null> = { type: stampType, initial: null };
  const without: Allowed<string | null> = { type: none, initial: null, isFixed: true };
  return { about, off: null, in: (format) => (holdsTexts(format) ? allowed : without) };
}

export function side(short: string, about: string): Field<number | null> {
  const type = (format: Format) => wholeNumber(1, LONGEST_SIDE[format], ` (the most ${format} holds)`);
  return { short, about, off: null, in: (format) => ({ type: type(format), initial: null }) };
}

/** A field that only some formats have, whose default changes nothing. */
export function special<T extends string | number | boolean>(
  key: string,
  type: (format: Format) => Scalar<T> | null,
  initial: T,
  rest: Omit<Field<T>, 'in' | 'off'>,
) {
  return field<T>({ ...rest, off: initial, in: onlyIn(key, type, () => initial) });
}
