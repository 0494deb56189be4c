import { failureOf, type ImgtoolError } from '../../errors.ts';
import type { Job, JobEvent, Unstamped } from '../../model.ts';
import type { Settlement } from '../../ports.ts';
import type { BatchMode } from '../batch/intake.ts';
import { steadyNow } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { jobEvent } from '../job/events.ts';
import { NO_SOURCE } from './retry-policy.ts';

/** Milliseconds of the longest timer. Node cannot set a timer beyond 2^31 milliseconds. */
const LONGEST_WAIT = 3_600_000;

/** Decides what becomes of jobs that failed: another attempt, the end, or a place outside of the batch. */
export class FailedJobs {
  /** The error after which no job could succeed. */
  fatal: ImgtoolError | undefined;
  readonly #context: JobContext;
  readonly #mode: Pick<BatchMode, 'retryPolicy' | 'ended' | 'isEndless'>;
  /** Ids of jobs that wait for another attempt, with its due time. */
  readonly #due = new Map<number, number>();
  /** Sources that left the batch because a link led outside of their folder. */
  readonly #outside = new Set<string>();

  constructor(context: JobContext, mode: Pick<BatchMode, 'retryPolicy' | 'ended' | 'isEndless'>) {
    this.#context = context;
    this.#mode = mode;
  }

  /** Whether no more work may begin. */
  get isStopped(): boolean {
    return this.#context.signal.aborted || this.fatal !== undefined;
  }

  /** Number of jobs that wait for another attempt. */
  get waiting(): number {
    return this.#due.size;
  }

  /** Milliseconds until the next attempt is due. Undefined when no job waits. */
  untilDue(): number | undefined {
    if (this.#due.size === 0) return undefined;
    const left = Math.min(...this.#due.values()) - steadyNow();
    return Math.min(Math.max(1, left), LONGEST_WAIT);
  }

  /** Notes that these jobs were taken at `now`. `isAll`: a job that was due and was not taken has left the batch. */
  taken(jobs: readonly Job[], now: number, isAll: boolean): void {
    for (const { id } of jobs) this.#due.delete(id);
    if (isAll) for (const [id, due] of this.#due) if (due <= now) this.#due.delete(id);
  }

  /** Ends the attempt at a job with this error. */
  async handle(job: Job, error: ImgtoolError): Promise<void> {
    const { index } = this.#context;
    if (error.fatal) this.fatal ??= error;
    // The index cannot record anything now. The end of the run frees its jobs.
    if (error.code === 'index_unusable') return;
    // After a fatal error the job stays pending.
    if (error.fatal || (error.code === 'cancelled' && this.fatal !== undefined)) {
      return index.giveBack(job, 'pending');
    }
    const delay = await this.#mode.retryPolicy.after(error, job.attempts + 1, () => this.#ageOf(job));
    // A source that a walk finds again must fail, or it would enter and leave the batch for ever.
    const isBack = error.code === 'source_outside' && this.#outside.has(job.source);
    if (delay === 'leave' && !isBack) return this.#leave(job, error);
    if (typeof delay === 'number') return this.#retry(job, error, delay);
    this.#context.emit(await this.#settle(job, error));
    this.#mode.ended?.(job, 'failed');
  }

  async #leave(job: Job, error: ImgtoolError): Promise<void> {
    const { index, emit } = this.#context;
    const isOutside = error.code === 'source_outside';
    if (isOutside) this.#outside.add(job.source);
    await index.withdraw(job);
    // In an endless batch the next walk reports it.
    if (isOutside && !this.#mode.isEndless) emit({ type: 'passed_over', path: job.given, reason: 'symlink' });
    if (!NO_SOURCE.has(error.code)) emit(leftToNextRun(job, error));
    this.#mode.ended?.(job, 'withdrawn');
    emit({ type: 'withdrawn', job: job.id, source: job.given });
  }

  async #retry(job: Job, error: ImgtoolError, delay: number): Promise<void> {
    const { index, emit } = this.#context;
    // The next run of this batch makes the next attempt.
    if (this.isStopped) return index.giveBack(job, 'pending');
    this.#mode.ended?.(job, 'retrying');
    const due = Math.ceil(steadyNow() + delay);
    await index.giveBack(job, 'retrying', due);
    this.#due.set(job.id, due);
    const attempts = job.attempts + 1;
    const failure = failureOf(error);
    emit({ type: 'job.retrying', job: job.id, source: job.given, attempts, delay, error: failure });
  }

  async #settle(job: Job, error: ImgtoolError): Promise<Unstamped<JobEvent>> {
    const { index, run, sources } = this.#context;
    const isCancelled = error.code === 'cancelled';
    const settlement: Settlement = {
      state: isCancelled ? 'cancelled' : 'failed',
      ...{ made: [], skipped: [], outputs: [] },
      ...(isCancelled ? {} : { error: failureOf(error) }),
    };
    await index.settle(run, job, settlement);
    const [facts] = await sources.statAll([job.source]).catch(() => []);
    return { ...jobEvent(job, settlement, this.#context), ...(facts == null ? {} : { bytes: facts.size }) };
  }

  /** Milliseconds since a job's source was last changed. */
  async #ageOf({ source }: Job): Promise<number> {
    const [facts] = await this.#context.sources.statAll([source]);
    return facts == null ? 0 : Date.now() - Number(BigInt(facts.mtime) / 1_000_000n);
  }
}

/** The source may be incomplete. The next run tries it again. */
function leftToNextRun({ given }: Job, { message }: ImgtoolError): Unstamped {
  return { type: 'warning', message: `${given}: is left to the next run: ${message}` };
}
