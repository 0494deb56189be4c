import pLimit from 'p-limit';
import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { Event, Job, JobEvent } from '../../model.ts';
import type { Settlement } from '../../ports.ts';
import type { BatchMode } from '../batch/mode.ts';
import { steadyNow } from '../clock.ts';
import type { Begun, JobContext } from '../job/context.ts';
import { failureOf, jobEvent } from '../job/events.ts';
import { runJob } from '../job/job.ts';
import { openCopies } from './copies.ts';
import { openDuplicateWaitlist, type WaitingJob } from './duplicate-waitlist.ts';
import { NO_SOURCE } from './retry-policy.ts';
import type { Intake } from './wakeup.ts';

/** Jobs that may wait for others' bytes before no more are taken. */
const MOST_WAITING = 1_000;
/** Jobs in work for each place at most: outputs that wait for a slow disk are not to pile up. */
const MOST_IN_WORK = 4;
/** The same while most are copies, which leave little to be written. */
const MOST_COPIES = 16;
/** Copies that are taken and recognised together: few enough that each place has some. */
const TOGETHER = 8;
/** Milliseconds a timer is set for at most: longer ones are no timers any more. */
const LONGEST_WAIT = 3_600_000;
/** Milliseconds between looks at what other processes may have changed. */
const LOOK_AGAIN = 100;

/** How the pull loop ended. */
export interface WorkEnd {
  /** What made going on pointless, if anything did. */
  readonly fatal: ImgtoolError | undefined;
}

/**
 * Pulls pending jobs of the run's batch and works through them, as many at a time as the options say, until intake
 * has ended and nothing waits, `signal` aborts, or an error shows that no job could succeed. Images in work are
 * waited for.
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
  /** Jobs that wait for a place at least while more are pending, so that none is ever free. */
  const reserve = options.jobs;
  /** Jobs that wait for another attempt, and when that is due. */
  const retrying = new Map<number, number>();
  let fatal: ImgtoolError | undefined;
  /** Sources that have left the batch since they lay outside of where they were found. */
  const outside = new Set<string>();
  const stopped = () => signal.aborted || fatal !== undefined;

  const start = (begun: Begun | Promise<Begun>) => {
    const work = place(begun)
      .catch((error: unknown) => {
        fatal ??= asImgtoolError(error);
      })
      .finally(() => {
        inWork.delete(work);
        intake.wake();
      });
    inWork.add(work);
  };

  /** A place among those that render, which is free again while the outputs of its job are made visible. */
  const place = async (beginning: Begun | Promise<Begun>) => {
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
    const { job, isTold } = begun;
    if (!isTold) emit({ type: 'job.started', batch: run.batch, source: job.given });
    try {
      const outcome = await runJob(context, begun, rendered);
      if (!isTold) copies.note(outcome);
      if (outcome.type !== 'job')
        return outcome.type === 'waiting' ? waitFor(outcome.begun) : start(outcome.begun);
      emit(outcome);
      ended?.(job, outcome.state);
      restart(outcome.digest === undefined ? [] : waitlist.take(outcome.digest));
    } catch (thrown) {
      await giveUp(context, job, asImgtoolError(thrown));
      // The bytes of a failed job are not known here, so one waiter of each asks anew.
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

  /** Those taken together, which are recognised together where they are likely copies. */
  const startAll = (jobs: readonly Job[]) => {
    const looks = options.preset.variants.length;
    const recognise = async () => (stopped() ? new Map() : copies.recognise(jobs));
    const known = copies.areLikely && jobs.length > 1 ? limit(recognise) : undefined;
    for (const job of jobs) {
      const begun = { job, isTold: false, looks };
      start(known === undefined ? begun : known.then((learnt) => ({ ...begun, learnt: learnt.get(job) })));
    }
  };

  const giveUp = async (context: JobContext, job: Job, error: ImgtoolError) => {
    if (error.fatal) fatal ??= error;
    // The index that failed needs no telling: the end of the run frees what it has in work.
    if (error.code === 'index_unusable') return;
    // One that was stopped by what another met is left as that is.
    if (error.fatal || (error.code === 'cancelled' && fatal !== undefined)) {
      return index.giveBack(job, 'pending');
    }
    const attempts = job.attempts + 1;
    const delay = await retryPolicy.after(error, attempts, () => ageOf(context, job));
    // One that a walk finds again in its place fails: it would come and leave for ever.
    const isBack = error.code === 'source_outside' && outside.has(job.source);
    if (delay === 'leave' && !isBack) {
      if (error.code === 'source_outside') outside.add(job.source);
      await index.withdraw(job);
      // The next walk of an endless batch tells what is there now.
      if (error.code === 'source_outside' && !isEndless) emit(passedOver(job));
      if (!NO_SOURCE.has(error.code)) emit(leftAlone(job, error));
      ended?.(job, 'withdrawn');
      return emit({ type: 'withdrawn', batch: run.batch, source: job.given });
    }
    // It would have been tried again: that is left to whoever goes on.
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
  // Images in work are finished whatever stopped the rest.
  await allEnded();
  return { fatal };

  /** One that ends may begin others. */
  async function allEnded(): Promise<void> {
    while (inWork.size > 0) await Promise.all(inWork);
  }

  /** Milliseconds until the next attempt is due. */
  function untilDue(): number | undefined {
    if (retrying.size === 0) return undefined;
    const left = Math.min(...retrying.values()) - steadyNow();
    return Math.min(Math.max(1, left), LONGEST_WAIT);
  }

  /** Jobs to be taken now. */
  function capacity(): number {
    // Never one by one.
    if (copies.areLikely) return inWork.size + TOGETHER <= MOST_COPIES * options.jobs ? TOGETHER : 0;
    if (limit.pendingCount >= reserve) return 0;
    return Math.min(2 * reserve, MOST_IN_WORK * options.jobs - inWork.size);
  }

  async function pull(): Promise<void> {
    while (!stopped()) {
      await context.ready();
      // As many again are taken each time: one step of the index for several jobs.
      const room = waitlist.size < MOST_WAITING ? capacity() : 0;
      const now = steadyNow();
      // Asked first: what is added while jobs are taken may not be among them.
      const isAll = intake.ended;
      const taken = room > 0 ? await index.take(run, room, now) : [];
      for (const job of taken) retrying.delete(job.id);
      startAll(taken);
      // Who was due and did not come has left the batch.
      if (taken.length < room) for (const [id, due] of retrying) if (due <= now) retrying.delete(id);
      const isIdle = inWork.size === 0 && room > 0 && taken.length === 0;
      if (isAll && isIdle && waitlist.size === 0 && retrying.size === 0) return;
      // Who is due is taken once there is room, and then somebody has ended.
      const woken = await intake.wait(waitlist.size > 0 ? LOOK_AGAIN : room > 0 ? untilDue() : undefined);
      if (!woken) restart(waitlist.takeOneOfEach());
    }
    await allEnded();
    for (const { job } of waitlist.takeAll()) await index.giveBack(job, 'pending');
  }
}

function passedOver({ given }: Job): Event {
  return { type: 'passed_over', path: given, reason: 'symlink' };
}

/** It may not be whole yet: whoever comes next will see. */
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
