import { type Place, wrong } from './place.ts';

/** A part of a JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** A kind of value. */
export interface ValueType<T> {
  /** Converts a value as written: a string, or what JSON or YAML yields. Errors name the place. */
  readonly read: (raw: unknown, place: Place) => T;
  /** What a file may say. */
  readonly schema: Schema;
  /** Writes the value as a person would, if `String` does not. */
  show?(value: T): string;
  /** What a file says for the value, if this is not the value itself. */
  toFile?(value: T): unknown;
}

/** A value of one piece. */
export interface Scalar<T> extends ValueType<T> {
  /** Completes "expected …" in an error. */
  readonly expected: string;
  /** Undefined for a wrong value. */
  readonly parse: (raw: unknown) => T | undefined;
  /** Candidates for a suggestion. */
  readonly words?: readonly string[];
  readonly fix?: string;
}

export function scalar<T>(parts: Omit<Scalar<T>, 'read'>): Scalar<T> {
  const { expected, parse, words, fix } = parts;
  return {
    ...parts,
    read(raw, place) {
      const value = parse(raw);
      if (value === undefined) throw wrong(place, expected, raw, { words, fix });
      return value;
    },
  };
}

/** One of some words. With `spellings`, which map other words to these, case and spaces around a word do not matter. */
export function choice<const W extends string>(words: readonly W[], spellings?: ReadonlyMap<string, W>) {
  return scalar({
    expected: `one of ${words.join(', ')}`,
    words,
    schema: { enum: [...words, ...(spellings?.keys() ?? [])] },
    parse(raw) {
      const word = spellings && typeof raw === 'string' ? raw.trim().toLowerCase() : raw;
      return words.find((one) => one === word) ?? spellings?.get(String(word));
    },
  });
}

const YES = ['true', 'yes', 'on', '1'];
export const NO: readonly string[] = ['false', 'no', 'off', '0'];

export const yesOrNo: Scalar<boolean> = scalar({
  expected: 'true or false',
  words: ['true', 'false'],
  schema: { enum: [true, false, ...YES, ...NO] },
  parse(raw) {
    if (typeof raw !== 'boolean' && typeof raw !== 'string') return undefined;
    const word = String(raw).toLowerCase();
    return YES.includes(word) || (NO.includes(word) ? false : undefined);
  },
});

/** Yes, no, or a word that goes further than yes. */
export function yesNoOr<const W extends string>(word: W): Scalar<boolean | W> {
  return scalar<boolean | W>({
    expected: `true, false or ${word}`,
    words: ['true', 'false', word],
    schema: { enum: [true, false, ...YES, ...NO, word] },
    parse: (raw) => (raw === word ? word : yesOrNo.parse(raw)),
  });
}

export function wholeNumber(least: number, most: number, why = ''): Scalar<number> {
  return scalar({
    expected: `a whole number from ${least} to ${most}${why}`,
    schema: {
      anyOf: [
        { type: 'integer', minimum: least, maximum: most },
        { type: 'string', pattern: '^\\s*\\d+\\s*$' },
      ],
    },
    parse(raw) {
      const value = typeof raw === 'string' && /^\s*\d+\s*$/.test(raw) ? Number(raw) : raw;
      return isWholeNumber(value) && value >= least && value <= most ? value : undefined;
    },
  });
}

/** The least decimal number above 0, and the pattern of a decimal number from 0. */
export const LEAST_DECIMAL = 0.0001;
export const DECIMAL = '\\d{1,9}(\\.\\d{1,4})?';

/** A number with at most four decimals. `least` is 0 or more. */
export function decimalNumber(least: number, most: number): Scalar<number> {
  const pattern = `^\\s*${DECIMAL}\\s*$`;
  return scalar({
    expected: `a number from ${least} to ${most}`,
    schema: {
      anyOf: [
        { type: 'number', minimum: least, maximum: most },
        { type: 'string', pattern },
      ],
    },
    parse(raw) {
      const text = typeof raw === 'number' ? String(raw) : raw;
      if (typeof text !== 'string' || !new RegExp(pattern).test(text)) return undefined;
      const value = Number(text);
      return value >= least && value <= most ? value : undefined;
    },
  });
}

/** A whole number that a double holds exactly. */
export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** A value, or a word that leaves the choice to the program and reads as null. */
export function orWord<T>(word: string, { expected, parse, schema, show = String }: Scalar<T>) {
  return scalar<T | null>({
    expected: `${expected}, or ${word}`,
    words: [word],
    schema: { anyOf: [{ enum: [word, null] }, schema] },
    parse: (raw) => (raw === word || raw === null ? null : parse(raw)),
    show: (value) => (value === null ? word : show(value)),
  });
}

/** Text that can be part of a path: not empty, and without NUL. */
export function text(expected: string): Scalar<string> {
  return scalar({ expected, schema: orNumber(TEXT), parse: readText });
}

/** One text or a list of them. */
export function texts(expected: string): Scalar<readonly string[]> {
  return scalar({
    expected: `${expected}, or a list of them`,
    schema: { anyOf: [orNumber(TEXT), { type: 'array', items: orNumber(TEXT) }] },
    show: showList,
    parse(raw) {
      const list = (Array.isArray(raw) ? raw : [raw]).map(readText);
      return list.every((one) => one !== undefined) ? list : undefined;
    },
  });
}

export function showList(values: readonly string[]): string {
  return values.join('; ') || 'none';
}

const TEXT: Schema = { type: 'string', minLength: 1 };

function readText(raw: unknown): string | undefined {
  const words = textOfNumber(raw);
  return typeof words === 'string' && words !== '' && !words.includes('\0') ? words : undefined;
}

/** A whole number as text: `name: 400` in YAML means the name "400". */
export function textOfNumber(raw: unknown): unknown {
  return isWholeNumber(raw) && raw >= 0 ? String(raw) : raw;
}

/** Text, or the whole number that is read as text. */
export function orNumber(text: Schema): Schema {
  return { anyOf: [text, { type: 'integer', minimum: 0 }] };
}

export function isMapping(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
