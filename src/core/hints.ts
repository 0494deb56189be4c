import type { Event, Failure, Warning } from '../model.ts';

/** Words a hint: the command line writes a setting such as `{{limitPixels 12M}}` as `--limit-pixels 12M`. */
export type WordHint = (hint: string) => string;

/** The event with its hints in words. */
export function wordEvent(event: Event, word: WordHint): Event {
  if (event.type === 'warning') return wordFailure(event, word);
  if ((event.type !== 'job' && event.type !== 'job.retrying') || event.error === undefined) return event;
  return { ...event, error: wordFailure(event.error, word) };
}

/** The failure or warning with its hint in words. */
export function wordFailure<Reported extends Failure | Warning>(failure: Reported, word: WordHint): Reported {
  return failure.fix === undefined ? failure : { ...failure, fix: word(failure.fix) };
}
