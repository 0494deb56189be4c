import type { Event, Failure } from '../model.ts';

/** Words a hint: the command line writes a setting such as `{{limitPixels 12M}}` as `--limit-pixels 12M`. */
export type WordHint = (hint: string) => string;

/** The event with its hints in words. */
export function wordEvent(event: Event, word: WordHint): Event {
  if (event.type === 'warning') return event.fix === undefined ? event : { ...event, fix: word(event.fix) };
  if ((event.type === 'job' || event.type === 'job.retrying') && event.error !== undefined) {
    return { ...event, error: wordFailure(event.error, word) };
  }
  return event;
}

/** The failure with its hint in words. */
export function wordFailure(failure: Failure, word: WordHint): Failure {
  return failure.fix === undefined ? failure : { ...failure, fix: word(failure.fix) };
}
