import { hasTrait, type ImgtoolError } from '../../errors.ts';

/**
 * When a batch tries a failed image again. Resolves to the milliseconds until the next attempt, after this error and this
 * many attempts; to undefined when the image has failed for good; to `leave` when it must leave the batch, because it is
 * no source or not a source yet. `age` resolves to the milliseconds since its last change.
 */
export type RetryPolicy = (
  error: ImgtoolError,
  attempts: number,
  age: () => Promise<number>,
) => Promise<number | 'leave' | undefined>;

/** Most attempts at one image after errors that may pass. */
const ATTEMPTS = 3;
/** Milliseconds before the second attempt; twice as many before the third. */
const BACKOFF = 500;

/** Milliseconds before each new attempt at an unfinished picture: 30 seconds, 2 minutes, 10 minutes. */
const LATER = [30_000, 120_000, 600_000];
/** Milliseconds after the last change at which a watch gives up an unfinished picture. */
const ALL_LATER = LATER.reduce((sum, delay) => sum + delay, 0);
/** Milliseconds by which the clock of another machine that wrote a file may be ahead. */
const CLOCKS_DIFFER = 120_000;

/** For a batch that ends: errors that may pass within moments are tried again. */
export const BATCH_RETRIES: RetryPolicy = async (error, attempts) => backoff(error, attempts);

/** For a watch: another program may still be writing a picture that does not decode. */
export const WATCH_RETRIES: RetryPolicy = async (error, attempts) => {
  if (hasTrait(error.code, 'gone')) return 'leave';
  return hasTrait(error.code, 'unfinished') ? LATER[attempts - 1] : backoff(error, attempts);
};

/** For `watch --once`: a picture that does not decode is left to the next run, unless it has not changed for long. */
export const WATCH_ONCE_RETRIES: RetryPolicy = async (error, attempts, age) => {
  if (hasTrait(error.code, 'gone')) return 'leave';
  if (!hasTrait(error.code, 'unfinished')) return backoff(error, attempts);
  return isYoung(await age()) ? 'leave' : undefined;
};

/** A write does not set a date so far in the future. A file with such a date would stay young for ever. */
function isYoung(age: number): boolean {
  return age > -CLOCKS_DIFFER && age < ALL_LATER;
}

function backoff(error: ImgtoolError, attempts: number): number | undefined {
  return error.retryable && attempts < ATTEMPTS ? BACKOFF * attempts : undefined;
}
