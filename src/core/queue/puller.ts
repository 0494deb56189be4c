import pLimit from 'p-limit';
import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { Job } from '../../model.ts';
import type { BatchMode } from '../batch/intake.ts';
import { steadyNow } from '../clock.ts';
import type { Begun, JobContext } from '../job/context.ts';
import { runJob } from '../job/job.ts';
import { type Copies, openCopies } from './copies.ts';
import { openDuplicateWaitlist, type WaitingJob } from './duplicate-waitlist.ts';
import { FailedJobs } from './failed-jobs.ts';
import type { Intake } from './wakeup.ts';

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

/**
 * Takes pending jobs of the run's batch and processes `options.jobs` at a time. Ends when the intake has ended and no job
 * waits, when `signal` aborts, or after an error that leaves no job a chance. Waits for images in work. Resolves to the
 * error after which no job could succeed, if any.
 */
export async function workThrough(
  context: JobContext,
  intake: Intake,
  mode: Pick<BatchMode, 'retryPolicy' | 'ended' | 'isEndless'>,
): Promise<ImgtoolError | undefined> {
  const failed = new FailedJobs(context, mode);
  await new Puller(context, intake, mode, failed).run();
  return failed.fatal;
}

/** Takes jobs, runs them in slots, and waits for them. */
class Puller {
  readonly #context: JobContext;
  readonly #intake: Intake;
  readonly #ended: BatchMode['ended'];
  readonly #failed: FailedJobs;
  readonly #copies: Copies;
  readonly #waitlist = openDuplicateWaitlist();
  readonly #slots: ReturnType<typeof pLimit>;
  readonly #inWork = new Set<Promise<void>>();

  constructor(context: JobContext, intake: Intake, { ended }: Pick<BatchMode, 'ended'>, failed: FailedJobs) {
    this.#context = context;
    this.#intake = intake;
    this.#ended = ended;
    this.#failed = failed;
    this.#copies = openCopies(context);
    this.#slots = pLimit({ concurrency: context.options.jobs, rejectOnClear: true });
  }

  async run(): Promise<void> {
    try {
      await this.#pull();
    } catch (error) {
      this.#failed.fatal ??= asImgtoolError(error);
    }
    // Images in work always finish.
    await this.#allEnded();
  }

  async #pull(): Promise<void> {
    const { index, run, ready } = this.#context;
    while (!this.#failed.isStopped) {
      await ready();
      const free = this.#waitlist.size < MOST_WAITING ? this.#capacity() : 0;
      const now = steadyNow();
      // Read this first: jobs added during `take` may be missing from its result.
      const isAll = this.#intake.ended;
      const taken = free > 0 ? await index.take(run, free, now) : [];
      this.#startAll(taken);
      this.#failed.taken(taken, now, taken.length < free);
      const isIdle = this.#inWork.size === 0 && free > 0 && taken.length === 0;
      if (isAll && isIdle && this.#waitlist.size === 0 && this.#failed.waiting === 0) return;
      // Without capacity no timer is needed: the next job that ends wakes the loop.
      const within = free > 0 ? this.#failed.untilDue() : undefined;
      const woken = await this.#intake.wait(this.#waitlist.size > 0 ? LOOK_AGAIN : within);
      if (!woken) this.#restart(this.#waitlist.takeOneOfEach());
    }
    await this.#allEnded();
    for (const { job } of this.#waitlist.takeAll()) await index.giveBack(job, 'pending');
  }

  /** Number of jobs to take now. At least one job waits for each slot while more are pending, so no slot is ever idle. */
  #capacity(): number {
    const { jobs } = this.#context.options;
    // Copies are taken several at a time or not at all.
    if (this.#copies.areLikely) return this.#inWork.size + TOGETHER <= MOST_COPIES * jobs ? TOGETHER : 0;
    if (this.#slots.pendingCount >= jobs) return 0;
    return Math.min(2 * jobs, MOST_IN_WORK * jobs - this.#inWork.size);
  }

  /** Repeats because a job that ends may start others. */
  async #allEnded(): Promise<void> {
    while (this.#inWork.size > 0) await Promise.all(this.#inWork);
  }

  /** Starts jobs that were taken together. Likely copies are recognised together first. */
  #startAll(jobs: readonly Job[]): void {
    const looks = this.#context.options.preset.variants.length;
    const recognise = async () => (this.#failed.isStopped ? new Map() : this.#copies.recognise(jobs));
    const known = this.#copies.areLikely && jobs.length > 1 ? this.#slots(recognise) : undefined;
    for (const job of jobs) {
      const begun = { job, isReported: false, looks };
      this.#start(known?.then((learnt) => ({ ...begun, learnt: learnt.get(job) })) ?? begun);
    }
  }

  #restart(waiting: readonly WaitingJob[]): void {
    for (const begun of waiting) this.#start(begun);
  }

  #start(begun: Begun | Promise<Begun>): void {
    const work = this.#runInSlot(begun)
      .catch((error: unknown) => {
        this.#failed.fatal ??= asImgtoolError(error);
      })
      .finally(() => {
        this.#inWork.delete(work);
        this.#intake.wake();
      });
    this.#inWork.add(work);
  }

  /** Runs a job in a slot. The slot is free again while the job makes its outputs visible. */
  async #runInSlot(beginning: Begun | Promise<Begun>): Promise<void> {
    const begun = await beginning;
    const { index } = this.#context;
    let work: Promise<void> | undefined;
    await this.#slots(
      () =>
        new Promise<void>((resolve) => {
          const free = () => {
            resolve();
            this.#intake.wake();
          };
          work = this.#failed.isStopped ? index.giveBack(begun.job, 'pending') : this.#attempt(begun, free);
          work.then(free, free);
        }),
    );
    await work;
  }

  async #attempt(begun: Begun, rendered: () => void): Promise<void> {
    const { job, isReported } = begun;
    const { emit } = this.#context;
    if (!isReported) emit({ type: 'job.started', job: job.id, source: job.given });
    try {
      const outcome = await runJob(this.#context, begun, rendered);
      if (!isReported) this.#copies.note(outcome);
      if (outcome.type !== 'job')
        return outcome.type === 'again' ? this.#start(outcome.begun) : this.#waitFor(outcome.begun);
      emit(outcome);
      this.#ended?.(job, outcome.state);
      this.#restart(outcome.digest === undefined ? [] : this.#waitlist.take(outcome.digest));
    } catch (thrown) {
      await this.#failed.handle(job, asImgtoolError(thrown));
      // The digest of the failed job is unknown here, so one waiting job of each digest tries again.
      this.#restart(this.#waitlist.takeOneOfEach());
    }
  }

  #waitFor(waiting: WaitingJob): void {
    const { job, learnt } = waiting;
    const { emit } = this.#context;
    emit({ type: 'job.waiting', job: job.id, source: job.given, bytes: learnt.size });
    this.#waitlist.add(waiting);
  }
}
