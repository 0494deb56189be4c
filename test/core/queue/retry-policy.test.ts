import { describe, expect, it } from 'vitest';
import {
  BATCH_RETRIES,
  type RetryPolicy,
  WATCH_ONCE_RETRIES,
  WATCH_RETRIES,
} from '../../../src/core/queue/retry-policy.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { failure } from '../made-up.ts';

const UNFINISHED = [
  'corrupt',
  'not_an_image',
  'source_changed',
  'source_unreadable',
  'not_writable',
] as const;
const TRANSIENT = ['worker_crashed', 'io'] as const;
const LASTING = ['unsupported_format', 'too_large', 'timeout', 'output_exists', 'internal'] as const;
/** Milliseconds of all attempts at an unfinished picture: 12.5 minutes. */
const ALL = 750_000;

/** The decisions after the first to the fifth failed attempt. */
async function delays(retryPolicy: RetryPolicy, code: ErrorCode, age = 0) {
  const attempts = [1, 2, 3, 4, 5];
  return Promise.all(attempts.map((each) => retryPolicy(failure(code), each, async () => age)));
}

describe('the retry policy of a batch', () => {
  it.each([...TRANSIENT, 'source_changed'] as const)(
    'tries twice more within moments after %s',
    async (code) => {
      expect(await delays(BATCH_RETRIES, code)).toEqual([500, 1_000, undefined, undefined, undefined]);
    },
  );

  it.each([
    ...LASTING,
    'corrupt',
    'not_an_image',
    'source_missing',
    'source_unreadable',
    'source_outside',
  ] as const)('fails a picture at once after %s', async (code) => {
    expect(await delays(BATCH_RETRIES, code)).toEqual(Array(5).fill(undefined));
  });
});

describe('the retry policy of a watch', () => {
  it.each(UNFINISHED)(
    'tries again after 30 seconds, 2 and 10 minutes after %s, then gives up',
    async (code) => {
      expect(await delays(WATCH_RETRIES, code)).toEqual([30_000, 120_000, 600_000, undefined, undefined]);
    },
  );

  it.each(TRANSIENT)('tries twice more within moments after %s', async (code) => {
    expect(await delays(WATCH_RETRIES, code)).toEqual([500, 1_000, undefined, undefined, undefined]);
  });

  it.each(LASTING)('fails a picture at once after %s', async (code) => {
    expect(await delays(WATCH_RETRIES, code)).toEqual(Array(5).fill(undefined));
  });

  it.each(['source_missing', 'source_outside'] as const)('withdraws a picture after %s', async (code) => {
    expect(await delays(WATCH_RETRIES, code)).toEqual(Array(5).fill('leave'));
  });
});

describe('the retry policy of watch --once', () => {
  it.each(UNFINISHED)('leaves a recently changed picture to the next run after %s', async (code) => {
    expect(await delays(WATCH_ONCE_RETRIES, code, ALL - 1)).toEqual(Array(5).fill('leave'));
  });

  it.each(UNFINISHED)('fails a picture that has not changed for long after %s', async (code) => {
    expect(await delays(WATCH_ONCE_RETRIES, code, ALL)).toEqual(Array(5).fill(undefined));
  });

  it.each(UNFINISHED)(
    'leaves a picture dated slightly in the future to the next run after %s',
    async (code) => {
      expect(await delays(WATCH_ONCE_RETRIES, code, -119_000)).toEqual(Array(5).fill('leave'));
    },
  );

  it.each(UNFINISHED)('fails a picture dated far in the future after %s', async (code) => {
    for (const ahead of [120_000, 86_400_000, 3e12]) {
      expect(await delays(WATCH_ONCE_RETRIES, code, -ahead)).toEqual(Array(5).fill(undefined));
    }
  });

  it.each(TRANSIENT)('tries twice more within moments after %s', async (code) => {
    expect(await delays(WATCH_ONCE_RETRIES, code)).toEqual([500, 1_000, undefined, undefined, undefined]);
  });

  it('withdraws a picture that is gone or a link, without asking for its age', async () => {
    const age = () => Promise.reject(new Error('asked'));
    expect(await WATCH_ONCE_RETRIES(failure('source_missing'), 1, age)).toBe('leave');
    expect(await WATCH_ONCE_RETRIES(failure('source_outside'), 1, age)).toBe('leave');
    expect(await WATCH_ONCE_RETRIES(failure('timeout'), 1, age)).toBeUndefined();
  });
});
