import { asImgtoolError, failureOf, hasTrait, type ImgtoolError } from '../../errors.ts';
import type { Job } from '../../model.ts';
import type { Settlement } from '../../ports.ts';
import type { BatchMode } from '../batch/intake.ts';
import { steadyNow } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { jobEvent, NO_TIME } from '../job/events.ts';

/** Milliseconds of the longest timer. Node cannot set a timer beyond 2^31 milliseconds. */
const LONGEST_WAIT = 3_600_000;

/** Decides what becomes of jobs that failed: another attempt, the end, or removal from the batch. */
export function openFailedJobs(context: JobContext, { retryPolicy, ended, isEndless }: BatchMode) {
  const { index, run, sources, emit, signal } = context;
  let fatal: ImgtoolError | undefined;
  /** Ids of jobs that wait for another attempt, with its due time. */
  const dueTimes = new Map<number, number>();
  /** Sources that were removed from the batch because a link led outside of their folder. */
  const outside = new Set<string>();
  const isStopped = () => signal.aborted || fatal !== undefined;

  async function leave(job: Job, error: ImgtoolError): Promise<void> {
    const { id, source, given } = job;
    const isOutside = error.code === 'source_outside';
    if (isOutside) outside.add(source);
    await index.withdraw(job);
    // In an endless batch, the next walk reports the symbolic link.
    if (isOutside && !isEndless) emit({ type: 'passed_over', path: given, reason: 'symlink' });
    // The source may be incomplete. The next run tries it again.
    const message = `${given}: is left to the next run: ${error.message}`;
    if (!hasTrait(error.code, 'gone')) emit({ type: 'warning', message });
    ended?.(job, 'withdrawn');
    emit({ type: 'withdrawn', job: id, source: given });
  }

  async function retry(job: Job, error: ImgtoolError, delay: number): Promise<void> {
    // The next run of this batch makes the next attempt.
    if (isStopped()) return index.giveBack(job, 'pending');
    ended?.(job, 'retrying');
    const due = Math.ceil(steadyNow() + delay);
    await index.giveBack(job, 'retrying', due);
    dueTimes.set(job.id, due);
    const attempts = job.attempts + 1;
    const failure = failureOf(error);
    emit({ type: 'job.retrying', job: job.id, source: job.given, attempts, delay, error: failure });
  }

  async function settle(job: Job, error: ImgtoolError, total: number): Promise<void> {
    const isCancelled = error.code === 'cancelled';
    const settlement: Settlement = {
      state: isCancelled ? 'cancelled' : 'failed',
      ...{ made: [], skipped: [], outputs: [] },
      ...(isCancelled ? {} : { error: failureOf(error), ms: { ...NO_TIME, total: Math.round(total) } }),
    };
    await index.settle(run, job, settlement);
    const [facts] = await sources.statAll([job.source]).catch(() => []);
    emit({ ...jobEvent(job, settlement, context), ...(facts == null ? {} : { bytes: facts.size }) });
    ended?.(job, 'failed');
  }

  /** Milliseconds since a job's source was last changed. */
  async function ageOf({ source }: Job): Promise<number> {
    const [facts] = await sources.statAll([source]);
    return facts == null ? 0 : Date.now() - Number(BigInt(facts.mtime) / 1_000_000n);
  }

  return {
    /** Whether no more work may begin. */
    isStopped,
    /** The error after which no job could succeed. */
    fatal: () => fatal,
    giveUp(error: unknown): void {
      fatal ??= asImgtoolError(error);
    },
    /** Number of jobs that wait for another attempt. */
    get waiting() {
      return dueTimes.size;
    },
    /** Milliseconds until the next attempt is due. Undefined when no job waits. */
    untilDue(): number | undefined {
      if (dueTimes.size === 0) return undefined;
      const first = [...dueTimes.values()].reduce((least, due) => Math.min(least, due));
      const left = first - steadyNow();
      return Math.min(Math.max(1, left), LONGEST_WAIT);
    },
    /** Notes that these jobs were taken at `now`. `isAll`: a job that was due and was not taken has left the batch. */
    taken(jobs: readonly Job[], now: number, isAll: boolean): void {
      for (const { id } of jobs) dueTimes.delete(id);
      if (isAll) for (const [id, due] of dueTimes) if (due <= now) dueTimes.delete(id);
    },
    /** Ends the attempt at a job with this error, after `ms` milliseconds. */
    async handle(job: Job, error: ImgtoolError, ms: number): Promise<void> {
      if (error.fatal) fatal ??= error;
      // The index cannot record anything now. The end of the run frees its jobs.
      if (error.code === 'index_unusable') return;
      // After a fatal error the job stays pending.
      if (error.fatal || (error.code === 'cancelled' && fatal !== undefined)) {
        return index.giveBack(job, 'pending');
      }
      const delay = await retryPolicy(error, job.attempts + 1, () => ageOf(job));
      // A source that a walk finds again must fail, or it would enter and leave the batch without end.
      const isBack = error.code === 'source_outside' && outside.has(job.source);
      if (delay === 'leave' && !isBack) return leave(job, error);
      return typeof delay === 'number' ? retry(job, error, delay) : settle(job, error, ms);
    },
  };
}
