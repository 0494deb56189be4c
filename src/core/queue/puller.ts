import pLimit from 'p-limit';
import { asImgtoolError, failureOf, type ImgtoolError } from '../../errors.ts';
import type { Event, Job, JobEvent } from '../../model.ts';
import type { Settlement } from '../../ports.ts';
import type { BatchMode } from '../batch/intake.ts';
import { steadyNow } from '../clock.ts';
import type { Begun, JobContext } from '../job/context.ts';
import { jobEvent } from '../job/events.ts';
import { runJob } from '../job/job.ts';
import { openCopies } from './copies.ts';
import { openDuplicateWaitlist, type WaitingJob } from './duplicate-waitlist.ts';
import { NO_SOURCE } from './retry-policy.ts';
import type { Intake } from './wakeup.ts';

/** Most jobs that wait for duplicates. Above this number no more jobs are taken. */
const MOST_WAITING = 1_000;
/** Most jobs in work for each slot, so outputs do not pile up before a slow disk. */
const MOST_IN_WORK = 4;
/** Most jobs in work for each slot while most jobs are copies: copies write little. */
const MOST_COPIES = 16;
/** Copies that are taken and recognised together. The number is small enough for all slots to have work. */
const TOGETHER = 8;
/** Milliseconds of the longest timer. Node cannot set a timer beyond 2^31 milliseconds. */
const LONGEST_WAIT = 3_600_000;
/** Milliseconds between checks for changes by other processes. */
const LOOK_AGAIN = 100;

/** How the pull loop ended. */
export interface WorkEnd {
  /** The error after which no job could succeed, if any. */
  readonly fatal: ImgtoolError | undefined;
}

/**
 * Takes pending jobs of the run's batch and processes `options.jobs` at a time. Ends when the intake has ended and no job
 * waits, when `signal` aborts, or after an error that leaves no job a chance. Waits for images in work.
 */
export async function workThrough(
  context: JobContext,
  intake: Intake,
  { retryPolicy, ended, isEndless }: Pick<BatchMode, 'retryPolicy' | 'ended' | 'isEndless'>,
): Promise<WorkEnd> {
  const { index, run, options, emit, signal } = context;
  const limit = pLimit({ concurrency: options.jobs, rejectOnClear: true });
  const waitlist = openDuplicateWaitlist();
  const copies = openCopies(context);
  const inWork = new Set<Promise<void>>();
  /** Least number of jobs that wait for a slot while more are pending, so no slot is ever idle. */
  const reserve = options.jobs;
  /** Ids of jobs that wait for another attempt, with its due time. */
  const retrying = new Map<number, number>();
  let fatal: ImgtoolError | undefined;
  /** Sources that left the batch because a link led outside of their folder. */
  const outside = new Set<string>();
  const stopped = () => signal.aborted || fatal !== undefined;

  const start = (begun: Begun | Promise<Begun>) => {
    const work = runInSlot(begun)
      .catch((error: unknown) => {
        fatal ??= asImgtoolError(error);
      })
      .finally(() => {
        inWork.delete(work);
        intake.wake();
      });
    inWork.add(work);
  };

  /** Runs a job in a slot. The slot is free again while the job makes its outputs visible. */
  const runInSlot = async (beginning: Begun | Promise<Begun>) => {
    const begun = await beginning;
    let work: Promise<void> | undefined;
    await limit(
      () =>
        new Promise<void>((resolve) => {
          const free = () => {
            resolve();
            intake.wake();
          };
          work = stopped() ? index.giveBack(begun.job, 'pending') : attempt(begun, free);
          work.then(free, free);
        }),
    );
    await work;
  };

  const attempt = async (begun: Begun, rendered: () => void) => {
    const { job, isReported } = begun;
    if (!isReported) emit({ type: 'job.started', batch: run.batch, source: job.given });
    try {
      const outcome = await runJob(context, begun, rendered);
      if (!isReported) copies.note(outcome);
      if (outcome.type !== 'job')
        return outcome.type === 'waiting' ? waitFor(outcome.begun) : start(outcome.begun);
      emit(outcome);
      ended?.(job, outcome.state);
      restart(outcome.digest === undefined ? [] : waitlist.take(outcome.digest));
    } catch (thrown) {
      await giveUp(context, job, asImgtoolError(thrown));
      // The digest of the failed job is unknown here, so one waiting job of each digest tries again.
      restart(waitlist.takeOneOfEach());
    }
  };

  const waitFor = (waiting: WaitingJob) => {
    const { job, learnt } = waiting;
    emit({ type: 'job.waiting', batch: run.batch, source: job.given, bytes: learnt.size });
    waitlist.add(waiting);
  };

  const restart = (waiting: readonly WaitingJob[]) => {
    for (const begun of waiting) start(begun);
  };

  /** Starts jobs that were taken together. Likely copies are recognised together first. */
  const startAll = (jobs: readonly Job[]) => {
    const looks = options.preset.variants.length;
    const recognise = async () => (stopped() ? new Map() : copies.recognise(jobs));
    const known = copies.areLikely && jobs.length > 1 ? limit(recognise) : undefined;
    for (const job of jobs) {
      const begun = { job, isReported: false, looks };
      start(known === undefined ? begun : known.then((learnt) => ({ ...begun, learnt: learnt.get(job) })));
    }
  };

  const giveUp = async (context: JobContext, job: Job, error: ImgtoolError) => {
    if (error.fatal) fatal ??= error;
    // The index cannot record anything now. The end of the run frees its jobs.
    if (error.code === 'index_unusable') return;
    // After a fatal error the job stays pending.
    if (error.fatal || (error.code === 'cancelled' && fatal !== undefined)) {
      return index.giveBack(job, 'pending');
    }
    const attempts = job.attempts + 1;
    const delay = await retryPolicy.after(error, attempts, () => ageOf(context, job));
    // A source that a walk finds again must fail, or it would enter and leave the batch for ever.
    const isBack = error.code === 'source_outside' && outside.has(job.source);
    if (delay === 'leave' && !isBack) {
      if (error.code === 'source_outside') outside.add(job.source);
      await index.withdraw(job);
      // In an endless batch the next walk reports it.
      if (error.code === 'source_outside' && !isEndless) emit(passedOver(job));
      if (!NO_SOURCE.has(error.code)) emit(leftAlone(job, error));
      ended?.(job, 'withdrawn');
      return emit({ type: 'withdrawn', batch: run.batch, source: job.given });
    }
    // The next run of this batch makes the next attempt.
    if (typeof delay === 'number' && stopped()) return index.giveBack(job, 'pending');
    if (typeof delay === 'number') {
      ended?.(job, 'retrying');
      const due = Math.ceil(steadyNow() + delay);
      await index.giveBack(job, 'retrying', due);
      retrying.set(job.id, due);
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
    emit(await settleFailed(context, job, error));
    ended?.(job, 'failed');
  };

  try {
    await pull();
  } catch (error) {
    fatal ??= asImgtoolError(error);
  }
  // Images in work always finish.
  await allEnded();
  return { fatal };

  /** Repeats because a job that ends may start others. */
  async function allEnded(): Promise<void> {
    while (inWork.size > 0) await Promise.all(inWork);
  }

  /** Milliseconds until the next attempt is due. */
  function untilDue(): number | undefined {
    if (retrying.size === 0) return undefined;
    const left = Math.min(...retrying.values()) - steadyNow();
    return Math.min(Math.max(1, left), LONGEST_WAIT);
  }

  /** Number of jobs to take now. */
  function capacity(): number {
    // Copies are taken several at a time or not at all.
    if (copies.areLikely) return inWork.size + TOGETHER <= MOST_COPIES * options.jobs ? TOGETHER : 0;
    if (limit.pendingCount >= reserve) return 0;
    return Math.min(2 * reserve, MOST_IN_WORK * options.jobs - inWork.size);
  }

  async function pull(): Promise<void> {
    while (!stopped()) {
      await context.ready();
      const free = waitlist.size < MOST_WAITING ? capacity() : 0;
      const now = steadyNow();
      // Read this first: jobs added during `take` may be missing from its result.
      const isAll = intake.ended;
      const taken = free > 0 ? await index.take(run, free, now) : [];
      for (const job of taken) retrying.delete(job.id);
      startAll(taken);
      // A job that was due and was not taken has left the batch.
      if (taken.length < free) for (const [id, due] of retrying) if (due <= now) retrying.delete(id);
      const isIdle = inWork.size === 0 && free > 0 && taken.length === 0;
      if (isAll && isIdle && waitlist.size === 0 && retrying.size === 0) return;
      // Without capacity no timer is needed: the next job that ends wakes the loop.
      const woken = await intake.wait(waitlist.size > 0 ? LOOK_AGAIN : free > 0 ? untilDue() : undefined);
      if (!woken) restart(waitlist.takeOneOfEach());
    }
    await allEnded();
    for (const { job } of waitlist.takeAll()) await index.giveBack(job, 'pending');
  }
}

function passedOver({ given }: Job): Event {
  return { type: 'passed_over', path: given, reason: 'symlink' };
}

/** The source may be incomplete. The next run tries it again. */
function leftAlone({ given }: Job, { message }: ImgtoolError): Event {
  return { type: 'warning', message: `${given}: is left to the next run: ${message}` };
}

/** Milliseconds since a job's source was last changed. */
async function ageOf({ sources }: JobContext, { source }: Job): Promise<number> {
  const [facts] = await sources.statAll([source]);
  return facts == null ? 0 : Date.now() - Number(BigInt(facts.mtime) / 1_000_000n);
}

async function settleFailed(context: JobContext, job: Job, error: ImgtoolError): Promise<JobEvent> {
  const isCancelled = error.code === 'cancelled';
  const settlement: Settlement = {
    state: isCancelled ? 'cancelled' : 'failed',
    made: [],
    skipped: [],
    outputs: [],
    ...(isCancelled ? {} : { error: failureOf(error) }),
  };
  await context.index.settle(context.run, job, settlement);
  const [facts] = await context.sources.statAll([job.source]).catch(() => []);
  return { ...jobEvent(job, settlement, context), ...(facts == null ? {} : { bytes: facts.size }) };
}
