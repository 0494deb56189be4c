import * as v from 'valibot';
import { checked, orNull, type Reader } from './values.ts';

/** Bytes by the letters behind a number, in lower case; a plain letter counts in thousands, as `MB` does. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ...{ k: 1e3, kb: 1e3, kib: 2 ** 10 },
  ...{ m: 1e6, mb: 1e6, mib: 2 ** 20 },
  ...{ g: 1e9, gb: 1e9, gib: 2 ** 30 },
  ...{ t: 1e12, tb: 1e12, tib: 2 ** 40 },
};

const WRITTEN = /^(\d+(?:\.\d+)?)\s?([kmgt]i?b|[kmgt]?)$/i;

/** A size as bytes, at least `least`, or a word for "you decide", which is null. */
export function sizeOr(word: string, least: number): Reader<number | null> {
  const written = v.pipe(v.string(), v.trim(), v.regex(WRITTEN), v.transform(bytesOf));
  const bytes = v.pipe(v.union([v.number(), written]), v.safeInteger(), v.minValue(least));
  return checked(orNull(word, bytes), `a size from ${showSize(least)}, such as 512M or 1.5GiB, or ${word}`, [
    word,
  ]);
}

function bytesOf(text: string): number {
  const [, digits = '', unit = ''] = WRITTEN.exec(text) ?? [];
  return Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
}

const SHOWN = { G: 1e9, GiB: 2 ** 30, M: 1e6, MiB: 2 ** 20, k: 1e3, KiB: 2 ** 10, '': 1 };

/** Bytes in the fewest letters that say exactly as many. */
export function showSize(bytes: number): string {
  const ways = Object.entries(SHOWN)
    .filter(([, unit]) => bytes >= unit)
    .map(([name, unit]) => `${bytes / unit}${name}`)
    .filter((way) => WRITTEN.test(way) && bytesOf(way) === bytes);
  return ways.reduce((best, way) => (way.length < best.length ? way : best), String(bytes));
}
