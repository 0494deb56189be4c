import { distance } from 'fastest-levenshtein';
import { ImgtoolError } from '../errors.ts';

/** Where a value was written. An error about the value starts with its place. */
export interface Place {
  /** `usage` for the command line, `config` for the environment and files. */
  readonly code: 'usage' | 'config';
  /** For example `--jobs`, `IMGTOOL_JOBS` or `/home/a/.imgtoolrc: jobs`. */
  readonly text: string;
}

/** A place within a place. */
export function at(place: Place, more: string): Place {
  return { code: place.code, text: place.text + more };
}

type ValueAdvice = { readonly words?: readonly string[] | undefined; readonly fix?: string | undefined };

/** The error for a value that was not expected. `words` are candidates for a suggestion. */
export function wrong(place: Place, expected: string, received: unknown, { words, fix }: ValueAdvice = {}) {
  const hint = typeof received === 'string' && words ? didYouMean(received, words) : '';
  const message = `${place.text}: expected ${expected}, got ${shown(received)}${hint}`;
  return new ImgtoolError(place.code, message, { fix });
}

/** The error for unknown words. `what` names the kind of word, `known` lists the right ones, `advice` replaces the list. */
export function unknown(
  place: Place,
  what: string,
  words: readonly string[],
  known: readonly string[],
  advice?: string,
) {
  const hint = (word: string) => (advice === undefined ? didYouMean(word, known) : '');
  const each = words.map((word) => `unknown ${what} ${shown(word)}${hint(word)}`);
  const fix = advice ?? `use ${known.length === 1 ? '' : 'one of: '}${known.join(', ')}`;
  return new ImgtoolError(place.code, `${place.text}: ${each.join('; ')}`, { fix });
}

/** Checks that all words are known. `adviceFor` may advise on a word of other programs. Errors: those of `unknown`. */
export function checkKnown(
  place: Place,
  what: string,
  words: readonly string[],
  known: readonly string[],
  adviceFor: (word: string) => string | undefined = () => undefined,
) {
  const others = words.filter((word) => !known.includes(word));
  if (others.length > 0) throw unknown(place, what, others, known, others.map(adviceFor).find(Boolean));
}

/** A suggestion in brackets, or nothing. */
function didYouMean(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}

/** A word with more edits than this counts as another word. */
const MOST_EDITS = 3;

/**
 * The candidate that a mistyped word most likely means, or undefined. `most` is the largest number of edits between the
 * two. Ignores case.
 */
export function nearest(word: string, candidates: Iterable<string>, most = MOST_EDITS): string | undefined {
  const ranked = [...candidates].map((candidate) => ({ candidate, edits: editsBetween(word, candidate) }));
  const near = ranked.filter(({ edits }) => edits <= most);
  return near.sort((a, b) => a.edits - b.edits)[0]?.candidate;
}

/** Edits from one word to the other; infinite where there are too many for a typing mistake. */
function editsBetween(word: string, other: string): number {
  const [typed, candidate] = [word.toLowerCase(), other.toLowerCase()];
  // A prefix counts as near, whatever is missing: `thumb`, `thumbnail`.
  if (typed.length >= 3 && candidate.startsWith(typed)) return 1;
  // The same letters in another order count as near: `wbe`, `web`.
  if (typed !== candidate && sorted(typed) === sorted(candidate)) return 1;
  const edits = distance(typed, candidate);
  const limit = Math.min(MOST_EDITS, Math.floor(Math.max(typed.length, candidate.length) * 0.4));
  return edits <= limit ? edits : Number.POSITIVE_INFINITY;
}

function sorted(word: string): string {
  return [...word].sort().join('');
}

/** A value for an error message: short, on one line, without control characters. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
