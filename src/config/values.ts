import * as v from 'valibot';
import { wrong } from './place.ts';
import type { Reader } from './plain.ts';
import { DURATIONS, type DurationUnit, showDuration } from './show.ts';

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

/** A duration as milliseconds: a number of `unit`s, or with a unit of its own such as 500ms, 1.5s, 10m. */
export function duration(unit: DurationUnit, least: number, most: number): Reader<number> {
  const written = v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/),
    v.transform((text) => {
      const [, digits = '', own = unit] = /^([\d.]+)(.*)$/.exec(text) ?? [];
      return Number(digits) * DURATIONS[(own || unit) as DurationUnit];
    }),
  );
  const plain = v.pipe(
    v.number(),
    v.transform((value) => value * DURATIONS[unit]),
  );
  const schema = v.pipe(
    v.union([plain, written]),
    v.minValue(least),
    v.maxValue(most),
    v.transform((milliseconds) => Math.round(milliseconds)),
  );
  return checked(schema, `a time from ${showDuration(least)} to ${showDuration(most)}`);
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
