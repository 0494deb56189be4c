import pLimit from 'p-limit';
import { asImgtoolError, type ImgtoolError } from '../errors.ts';
import type { Event, Job, SourceRecord } from '../model.ts';
import type { Settlement } from '../ports.ts';
import { type Bench, runJob } from './job.ts';
import { failureOf, jobEvent } from './tell.ts';

/** Attempts at one image in all, where trying again may help. */
const ATTEMPTS = 3;
/** Milliseconds before the second attempt; twice that before the third. */
const BACKOFF = 500;
/** Jobs that may wait for others' bytes before no more are taken. */
const MOST_WAITING = 1_000;
/** Milliseconds between looks at what other processes may have changed. */
const LOOK_AGAIN = 100;

/** What the pull loop and the rest of a batch tell each other. */
export interface Intake {
  /** No more jobs will be added. */
  readonly ended: boolean;
  /** Resolves when something was added, or ended, or the milliseconds are over. */
  news(within?: number): Promise<void>;
  /** Wakes whoever waits for news. */
  wake(): void;
}

/** How the pull loop ended. */
export interface WorkEnd {
  /** What made going on pointless, if anything did. */
  readonly fatal: ImgtoolError | undefined;
}

/**
 * Pulls pending jobs of the run's batch and works through them, as many at a time as the options say, until intake
 * has ended and nothing waits, `signal` aborts, or an error shows that no job could succeed. Images in work are
 * always finished.
 */
export async function workThrough(
  bench: Bench,
  intake: Intake,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<WorkEnd> {
  const { index, run, options } = bench;
  const limit = pLimit({ concurrency: options.jobs, rejectOnClear: true });
  const waiting = new Map<Job, SourceRecord>();
  const inWork = new Set<Promise<void>>();
  let retries = 0;
  let fatal: ImgtoolError | undefined;
  const stopped = () => signal.aborted || fatal !== undefined;

  const start = (job: Job, learnt?: SourceRecord) => {
    const work = limit(() => (stopped() ? index.giveBack(job, 'pending') : attempt(job, learnt)))
      .catch((error: unknown) => {
        fatal ??= asImgtoolError(error);
      })
      .finally(() => {
        inWork.delete(work);
        // One that waits changed nothing for the others: waking them would only make all of them ask in turn.
        if (!waiting.has(job)) intake.wake();
      });
    inWork.add(work);
  };

  const attempt = async (job: Job, learnt?: SourceRecord) => {
    if (learnt === undefined) emit({ type: 'job.started', batch: run.batch, source: job.given });
    try {
      const outcome = await runJob(bench, job, learnt);
      if (outcome.type === 'waiting') waiting.set(job, outcome.learnt);
      else emit(outcome);
    } catch (thrown) {
      await giveUp(job, asImgtoolError(thrown));
    }
  };

  const giveUp = async (job: Job, error: ImgtoolError) => {
    if (error.fatal) {
      fatal ??= error;
      return index.giveBack(job, 'pending');
    }
    const attempts = job.attempts + 1;
    if (error.retryable && attempts < ATTEMPTS && !stopped()) {
      const delay = BACKOFF * attempts;
      await index.giveBack(job, 'retrying', Date.now() + delay);
      retries++;
      emit({
        type: 'job.retrying',
        batch: run.batch,
        source: job.given,
        attempts,
        delay,
        error: failureOf(error),
      });
      return;
    }
    const state = error.code === 'cancelled' ? 'cancelled' : 'failed';
    const settlement: Settlement = {
      state,
      made: [],
      skipped: [],
      outputs: [],
      ...(state === 'failed' ? { error: failureOf(error) } : {}),
    };
    await index.settle(run, job, settlement);
    emit(jobEvent(job, settlement, bench));
  };

  while (!stopped()) {
    const again = [...waiting];
    waiting.clear();
    for (const [job, learnt] of again) start(job, learnt);
    const room = again.length < MOST_WAITING ? 2 * options.jobs - inWork.size : 0;
    const taken = room > 0 ? await index.take(run, room) : [];
    for (const job of taken) start(job);
    retries = Math.max(0, retries - taken.filter(({ attempts }) => attempts > 0).length);
    if (taken.length > 0 && inWork.size < 2 * options.jobs) continue;
    if (intake.ended && taken.length === 0 && inWork.size === 0 && waiting.size === 0 && retries === 0) break;
    await intake.news(waiting.size > 0 || retries > 0 || inWork.size === 0 ? LOOK_AGAIN : undefined);
  }
  await Promise.all(inWork);
  for (const job of waiting.keys()) await index.giveBack(job, 'pending');
  return { fatal };
}
