import { ImgtoolError } from '../errors.ts';
import { nearest } from './nearest.ts';

/** Where a value was written: what an error about it names first. */
export interface Place {
  /** `usage` for the command line, `config` for the environment and files. */
  readonly code: 'usage' | 'config';
  /** Such as `--jobs`, `IMGTOOL_JOBS`, `/home/a/.imgtoolrc: jobs`. */
  readonly text: string;
}

/** A place within a place. */
export function at(place: Place, more: string): Place {
  return { code: place.code, text: place.text + more };
}

/** The error of a value that is not what it should be; `words` are the ones it might have been. */
export function wrong(
  place: Place,
  expected: string,
  received: unknown,
  options: { words?: readonly string[] | undefined; fix?: string } = {},
): ImgtoolError {
  const hint = typeof received === 'string' && options.words ? didYouMean(received, options.words) : '';
  return new ImgtoolError(
    place.code,
    `${place.text}: expected ${expected}, got ${written(received)}${hint}`,
    {
      fix: options.fix,
    },
  );
}

/** The error of words nobody knows; `what` is the kind of word, `words` the ones there are. */
export function unknown(
  place: Place,
  what: string,
  received: readonly string[],
  words: readonly string[],
): ImgtoolError {
  const each = received.map((word) => `unknown ${what} ${written(word)}${didYouMean(word, words)}`);
  return new ImgtoolError(place.code, `${place.text}: ${each.join('; ')}`, {
    fix: `use ${words.length === 1 ? '' : 'one of: '}${words.join(', ')}`,
  });
}

function didYouMean(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}

/** A value as an error shows it: short, on one line, without control characters. */
function written(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
