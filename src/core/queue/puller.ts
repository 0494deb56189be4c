import pLimit from 'p-limit';
import { asImgtoolError } from '../../errors.ts';
import type { Job } from '../../model.ts';
import type { BatchMode } from '../batch/intake.ts';
import { openWakeup, steadyNow } from '../clock.ts';
import type { Begun, JobContext } from '../job/context.ts';
import { runJob } from '../job/job.ts';
import { openCopies, openDuplicateWaitlist, type WaitingJob } from './copies.ts';
import { openFailedJobs } from './failed-jobs.ts';

/** Most jobs that wait for duplicates. Above this number no more jobs are taken. */
const MOST_WAITING = 1_000;
/** Most jobs in work for each slot, so outputs do not pile up before a slow disk. */
const MOST_IN_WORK = 4;
/** Most jobs in work for each slot while most jobs are copies: copies write little. */
const MOST_COPIES = 16;
/** Copies that are taken and recognised together. The number is small enough for all slots to have work. */
const TOGETHER = 8;
/** Milliseconds between checks for changes by other processes. */
const LOOK_AGAIN = 100;

export type Intake = ReturnType<typeof openIntake>;

/** How the walk of a batch signals its progress to the pull loop. It calls `wake` after additions, and `end` at its end. */
export function openIntake() {
  const { wait, wake } = openWakeup();
  let ended = false;
  return {
    ...{ wait, wake },
    /** Whether no more jobs will be added. */
    get ended() {
      return ended;
    },
    end() {
      ended = true;
      wake();
    },
  };
}

/**
 * Takes pending jobs of the run's batch and processes `options.jobs` at a time. Ends when the intake has ended and no job
 * waits, when `signal` aborts, or after an error that would fail every job. Waits for images in work. Resolves to the
 * error after which no job could succeed, if any.
 */
export async function workThrough(given: JobContext, intake: Intake, mode: BatchMode) {
  const { index, run, ready, emit, options } = given;
  /** The bytes that jobs in work have claimed. */
  const claims = new Map<Job['id'], string>();
  const context = { ...given, index: { ...index, claim } };
  const failed = openFailedJobs(context, mode);
  const copies = openCopies(context);
  const waitlist = openDuplicateWaitlist();
  const slots = pLimit({ concurrency: options.jobs, rejectOnClear: true });
  const inWork = new Set<Promise<void>>();
  await pull().catch(failed.giveUp);
  // Images in work always finish.
  await allEnded();
  return failed.fatal();

  async function pull(): Promise<void> {
    while (!failed.isStopped()) {
      await ready();
      const free = waitlist.size < MOST_WAITING ? capacity() : 0;
      const now = steadyNow();
      // Read this first: jobs added during `take` may be missing from its result.
      const isAll = intake.ended;
      const taken = free > 0 ? await index.take(run, free, now) : [];
      startAll(taken);
      failed.taken(taken, now, taken.length < free);
      const isIdle = inWork.size === 0 && free > 0 && taken.length === 0;
      if (isAll && isIdle && waitlist.size === 0 && failed.waiting === 0) return;
      // Without capacity no timer is needed: the next job that ends wakes the loop.
      const within = free > 0 ? failed.untilDue() : undefined;
      // The end of a job in work wakes the copies of its bytes. Only the jobs of other processes end unnoticed.
      const isElsewhere = waitlist.waitsForOthers(claimedHere());
      const woken = await intake.wait(isElsewhere ? LOOK_AGAIN : within);
      if (!woken) waitlist.takeOneOfEach(claimedHere()).forEach(start);
    }
    await allEnded();
    for (const { job } of waitlist.takeAll()) await index.giveBack(job, 'pending');
  }

  /** Number of jobs to take now. At least one job waits for each slot while more are pending, so no slot is ever idle. */
  function capacity(): number {
    const { jobs } = options;
    // Copies are taken several at a time or not at all.
    if (copies.areLikely) return inWork.size + TOGETHER <= MOST_COPIES * jobs ? TOGETHER : 0;
    if (slots.pendingCount >= jobs) return 0;
    return Math.min(2 * jobs, MOST_IN_WORK * jobs - inWork.size);
  }

  /** Repeats because a job that ends may start others. */
  async function allEnded(): Promise<void> {
    while (inWork.size > 0) await Promise.all(inWork);
  }

  /** Starts jobs that were taken together. Likely copies are recognised together first. */
  function startAll(jobs: readonly Job[]): void {
    const looks = options.preset.variants.length;
    const recognise = async () => (failed.isStopped() ? new Map() : copies.recognise(jobs));
    const known = copies.areLikely && jobs.length > 1 ? slots(recognise) : undefined;
    for (const job of jobs) {
      const begun = { job, isReported: false, looks };
      start(known?.then((learnt) => ({ ...begun, learnt: learnt.get(job) })) ?? begun);
    }
  }

  function start(begun: Begun | Promise<Begun>): void {
    const work = runInSlot(begun)
      .catch(failed.giveUp)
      .finally(() => {
        inWork.delete(work);
        intake.wake();
      });
    inWork.add(work);
  }

  /** Runs a job in a slot. The slot is free again while the job makes its outputs visible. */
  async function runInSlot(beginning: Begun | Promise<Begun>): Promise<void> {
    const begun = await beginning;
    let work: Promise<void> | undefined;
    await slots(
      () =>
        new Promise<void>((resolve) => {
          const free = () => {
            resolve();
            intake.wake();
          };
          work = failed.isStopped() ? index.giveBack(begun.job, 'pending') : attempt(begun, free);
          work.then(free, free);
        }),
    );
    await work;
  }

  async function attempt(begun: Begun, rendered: () => void): Promise<void> {
    const { job, isReported } = begun;
    const started = performance.now();
    if (!isReported) emit({ type: 'job.started', job: job.id, source: job.given });
    try {
      const outcome = await runJob(context, begun, rendered);
      if (!isReported) copies.note(outcome);
      if (outcome.type !== 'job') {
        return outcome.type === 'again' ? start(outcome.begun) : waitFor(outcome.begun);
      }
      emit(outcome);
      mode.ended?.(job, outcome.state);
      if (outcome.digest !== undefined) waitlist.take(outcome.digest).forEach(start);
    } catch (thrown) {
      await failed.handle(job, asImgtoolError(thrown), performance.now() - started);
      claims.delete(job.id);
      // The digest of the failed job may be unknown here, so one waiting job of each digest tries again.
      waitlist.takeOneOfEach(claimedHere()).forEach(start);
    } finally {
      claims.delete(job.id);
    }
  }

  async function claim(...asked: Parameters<typeof index.claim>): Promise<boolean> {
    const isClaimed = await index.claim(...asked);
    const [, { id }, digest] = asked;
    if (isClaimed) claims.set(id, digest);
    return isClaimed;
  }

  function claimedHere(): ReadonlySet<string> {
    return new Set(claims.values());
  }

  function waitFor(waiting: WaitingJob): void {
    const { job, learnt } = waiting;
    emit({ type: 'job.waiting', job: job.id, source: job.given, bytes: learnt.size });
    waitlist.add(waiting);
  }
}
