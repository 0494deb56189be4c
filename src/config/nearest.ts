import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The word a mistyped one was probably meant to be; undefined when none is near. Case does not matter. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const away = steps(typed, candidate.toLowerCase());
    if (away < least) {
      best = candidate;
      least = away;
    }
  }
  return best;
}

/** Edits from one to the other; infinite when so many that the likeness is chance. */
function steps(typed: string, candidate: string): number {
  // The beginning of a word is near it however much is missing: `thumb`, `thumbnail`.
  if (typed.length >= 3 && candidate.startsWith(typed)) return 1;
  // So are its letters in another order: `wbe`, `web`.
  if (typed !== candidate && sorted(typed) === sorted(candidate)) return 1;
  // Only a mistake needs it.
  const { distance }: typeof import('fastest-levenshtein') = require('fastest-levenshtein');
  const edits = distance(typed, candidate);
  const bearable = Math.min(3, Math.floor(Math.max(typed.length, candidate.length) * 0.4));
  return edits <= bearable ? edits : Number.POSITIVE_INFINITY;
}

function sorted(word: string): string {
  return [...word].sort().join('');
}
