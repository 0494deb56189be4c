import * as v from 'valibot';
import type { Reader } from './plain.ts';
import { bytesOf, SIZE, showSize } from './show.ts';
import { checked, orNull } from './values.ts';

/** A size as bytes, at least `least`, or a word for "you decide", which is null. */
export function sizeOr(word: string, least: number): Reader<number | null> {
  const written = v.pipe(v.string(), v.trim(), v.regex(SIZE), v.transform(bytesOf));
  const bytes = v.pipe(v.union([v.number(), written]), v.safeInteger(), v.minValue(least));
  return checked(orNull(word, bytes), `a size from ${showSize(least)}, such as 512M or 1.5GiB, or ${word}`, [
    word,
  ]);
}
