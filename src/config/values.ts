import * as v from 'valibot';
import { type Place, wrong } from './place.ts';

/** Takes a value as written (a string, or what JSON and YAML make of it); throws an error that names the place. */
export type Reader<T> = (raw: unknown, place: Place) => T;

/** A value checked by a schema; `expected` completes "expected …" when it fails. */
export function checked<T>(
  schema: v.GenericSchema<unknown, T>,
  expected: string,
  words?: readonly string[],
): Reader<T> {
  return (raw, place) => {
    const result = v.safeParse(schema, raw, { abortEarly: true });
    if (!result.success) throw wrong(place, expected, raw, { words });
    return result.output;
  };
}

export function choice<const W extends string>(words: readonly W[]): Reader<W> {
  return checked(v.picklist(words), `one of ${words.join(', ')}`, words);
}

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

export const yesOrNo: Reader<boolean> = checked(
  v.union([
    v.boolean(),
    v.pipe(
      v.string(),
      v.toLowerCase(),
      v.picklist([...YES, ...NO]),
      v.transform((word) => YES.includes(word)),
    ),
  ]),
  'true or false',
  ['true', 'false'],
);

export function wholeNumber(least: number, most: number, why = ''): Reader<number> {
  return checked(whole(least, most), `a whole number from ${least} to ${most}${why}`);
}

/** A whole number, or a word for "you decide", which is null. */
export function wholeNumberOr(word: string, least: number, most: number): Reader<number | null> {
  return checked(orNull(word, whole(least, most)), `a whole number from ${least} to ${most}, or ${word}`, [
    word,
  ]);
}

function whole(least: number, most: number) {
  return v.pipe(numberWritten(/^\d+$/), v.integer(), v.minValue(least), v.maxValue(most));
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

/** A duration as milliseconds: a number of `unit`s, or with a unit of its own such as 500ms, 1.5s, 10m. */
export function duration(unit: Unit, least: number, most: number): Reader<number> {
  const written = v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/),
    v.transform((text) => {
      const [, digits = '', own = unit] = /^([\d.]+)(.*)$/.exec(text) ?? [];
      return Number(digits) * UNITS[(own || unit) as Unit];
    }),
  );
  const plain = v.pipe(
    v.number(),
    v.transform((value) => value * UNITS[unit]),
  );
  const schema = v.pipe(
    v.union([plain, written]),
    v.minValue(least),
    v.maxValue(most),
    v.transform((milliseconds) => Math.round(milliseconds)),
  );
  return checked(schema, `a time from ${showDuration(least)} to ${showDuration(most)}`);
}

/** Milliseconds as a person would write them: the largest unit that leaves a whole number. */
export function showDuration(milliseconds: number): string {
  const fitting = (Object.keys(UNITS) as Unit[]).filter((unit) => milliseconds % UNITS[unit] === 0);
  const unit = fitting.at(-1) ?? 'ms';
  return `${milliseconds / UNITS[unit]}${unit}`;
}

function numberWritten(pattern: RegExp) {
  return v.union([v.number(), v.pipe(v.string(), v.trim(), v.regex(pattern), v.transform(Number))]);
}

/** A count with an optional k, M or G, each a thousand times the one before. */
export const count: Reader<number> = checked(amount(/^([\d.]+)([kmg]?)$/i), 'a number such as 100M or 500k');

function amount(pattern: RegExp) {
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.trim(), v.regex(pattern))]),
    v.transform((written) => (typeof written === 'number' ? written : scaled(written, pattern))),
    v.safeInteger(),
    v.minValue(1),
  );
}

function scaled(written: string, pattern: RegExp): number {
  const [, digits = '', suffix = ''] = pattern.exec(written) ?? [];
  return Math.round(Number(digits) * 1000 ** ' kmg'.indexOf(suffix.toLowerCase() || ' '));
}

/** An amount as a person would write it. */
export function shortAmount(value: number): string {
  const power = [3, 2, 1].find((power) => value % 1000 ** power === 0) ?? 0;
  return `${value / 1000 ** power}${['', 'k', 'M', 'G'][power]}`;
}

/** What a schema takes, or a word for "you decide", which is null. */
export function orNull<T>(word: string, schema: v.GenericSchema<unknown, T>) {
  return v.union([
    v.pipe(
      v.union([v.null(), v.literal(word)]),
      v.transform(() => null),
    ),
    schema,
  ]);
}

/** Text that can be part of a path: something, and no NUL. */
const text = v.pipe(v.string(), v.nonEmpty(), v.excludes('\0'));

export function textOf(what: string): Reader<string> {
  return checked(text, what);
}

/** One text or a list of them. */
export function textsOf(what: string): Reader<readonly string[]> {
  const one = v.pipe(
    text,
    v.transform((only) => [only]),
  );
  return checked(v.union([one, v.array(text)]), `${what}, or a list of them`);
}
