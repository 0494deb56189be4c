import type { ErrorCode, ImgtoolError } from '../../errors.ts';

/** How a batch deals with images that failed. */
export interface RetryPolicy {
  /**
   * Milliseconds until an image that failed so is tried again, having been tried so many times; undefined when it has
   * failed for good; `leave` when it is to leave the batch, being no source, or none yet.
   */
  after(
    error: ImgtoolError,
    attempts: number,
    age: () => Promise<number>,
  ): Promise<number | 'leave' | undefined>;
}

/** Attempts at one image in all, where trying again may help. */
const ATTEMPTS = 3;
/** Milliseconds before the second attempt; twice that before the third. */
const BACKOFF = 500;

/** What a file fails with that is gone, or that is not in its place any more: a link is passed over. */
export const NO_SOURCE: ReadonlySet<ErrorCode> = new Set(['source_missing', 'source_outside']);
/** What a picture fails with as long as it, or the place of its outputs, is not wholly there or not yet given over. */
const UNFINISHED: ReadonlySet<ErrorCode> = new Set([
  'corrupt',
  'not_an_image',
  'source_changed',
  'source_unreadable',
  'not_writable',
]);
/** Milliseconds before each new attempt at one of those: 30 seconds, 2 minutes, 10 minutes. */
const LATER = [30_000, 120_000, 600_000];
/** So long after its last change an unfinished picture would have been given up. */
const ALL_LATER = LATER.reduce((sum, delay) => sum + delay, 0);
/** Milliseconds by which the clock of another machine that wrote a file may be ahead. */
const CLOCKS_DIFFER = 120_000;

/** Of a batch that is to end: what may pass within moments is tried again. */
export const BATCH_RETRIES: RetryPolicy = {
  after: async (error, attempts) => backoff(error, attempts),
};

/** Of a watch: a picture that does not decode may still be written. */
export const WATCH_RETRIES: RetryPolicy = {
  async after(error, attempts) {
    if (NO_SOURCE.has(error.code)) return 'leave';
    return UNFINISHED.has(error.code) ? LATER[attempts - 1] : backoff(error, attempts);
  },
};

/** Of a watch that is to end: such a picture is left to the next one, unless it has long been as it is. */
export const WATCH_ONCE_RETRIES: RetryPolicy = {
  async after(error, attempts, age) {
    if (NO_SOURCE.has(error.code)) return 'leave';
    if (!UNFINISHED.has(error.code)) return backoff(error, attempts);
    return isYoung(await age()) ? 'leave' : undefined;
  },
};

/** A date beyond what clocks differ by was not set by a write: such a file would be young for ever. */
function isYoung(age: number): boolean {
  return age > -CLOCKS_DIFFER && age < ALL_LATER;
}

function backoff(error: ImgtoolError, attempts: number): number | undefined {
  return error.retryable && attempts < ATTEMPTS ? BACKOFF * attempts : undefined;
}
