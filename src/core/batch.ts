import { setImmediate as breathe } from 'node:timers/promises';
import { asImgtoolError, type ImgtoolError } from '../errors.ts';
import type { BatchFinished, BatchOptions, Event, Job, JobEvent, Warning } from '../model.ts';
import type { Index, NewBatch, Renderer, Run, Sources, Storage } from '../ports.ts';
import { settingsOfAll } from './facts.ts';
import { type TakeIn, takeIn, type Walked } from './intake.ts';
import type { Bench } from './job.ts';
import { announce } from './news.ts';
import { type Patience, SHORT } from './patience.ts';
import { type Intake, workThrough } from './work.ts';

/** Batches that ended longer ago than this leave the history: 90 days in milliseconds. */
export const KEPT = 90 * 24 * 60 * 60 * 1_000;
/** Jobs cancelled in one step. */
const CANCELLED_AT_ONCE = 1_000;

/** The opened ports a batch works with. */
export interface Ports {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly renderer: Renderer;
  /** Hex id of this run, as its staged files carry it. */
  readonly run: string;
}

export interface NewWork {
  readonly command: NewBatch['command'];
  /** As given, for the record. */
  readonly inputs: readonly string[];
  readonly cwd: string;
  readonly options: BatchOptions;
}

/** Where a batch gets its jobs from and how it deals with those that fail. */
export interface Manner {
  readonly takeIn: TakeIn;
  readonly patience: Patience;
  /** Hears of each job that has ended, or is to be tried again. */
  readonly ended?: (job: Job, how: JobEvent['state'] | 'retrying' | 'withdrawn') => void;
  /** Whether it goes on until it is stopped, which then cuts nothing short as long as nothing waits. */
  readonly isEndless: boolean;
}

const ONE_WALK: Manner = { takeIn, patience: SHORT, isEndless: false };

/**
 * One batch from its walk to its end: everything found is settled, or cancelled when `signal` aborts, or left pending
 * when going on was pointless. Tells all by `emit`, last `batch.finished`, which is returned too. Errors: those of the
 * index before the batch began; later ones end it as `interrupted` and are told as a warning.
 */
export async function runBatch(
  ports: Ports,
  work: NewWork,
  emit: (event: Event) => void,
  signal: AbortSignal,
  manner: Manner = ONE_WALK,
): Promise<BatchFinished> {
  const { index, storage } = ports;
  const dead = await index.recover();
  await storage.sweep(dead);
  await storage.prepare(work.options.out);
  const startedAt = performance.now();
  const run = await index.begin({ ...work, run: ports.run });
  const suspects = new Set(dead.flatMap(({ outputs }) => outputs));
  const bench: Bench = {
    ...ports,
    run,
    options: work.options,
    settings: settingsOfAll(work.options),
    suspects,
  };
  const fatal = await takeInAndWork(bench, manner, emit, signal);
  const isStopped = fatal === undefined && signal.aborted;
  const cancelled = isStopped ? await cancelWaiting(index, run) : 0;
  const isCutShort = isStopped && (cancelled > 0 || !manner.isEndless);
  const state = fatal !== undefined ? 'interrupted' : isCutShort ? 'cancelled' : 'finished';
  const batch = await index.end(run, state).catch((error: unknown) => {
    throw fatal ?? error;
  });
  if (fatal !== undefined) emit(warning(fatal));
  await index.prune(Date.now() - KEPT).catch((error: unknown) => emit(warning(asImgtoolError(error))));
  const finished: BatchFinished = {
    type: 'batch.finished',
    batch: run.batch,
    state,
    counts: batch.counts,
    passedOver: batch.passedOver,
    bytesIn: batch.bytesIn,
    bytesOut: batch.bytesOut,
    ms: Math.round(performance.now() - startedAt),
    exit: exitCode(batch.counts.failed, fatal, signal),
  };
  emit(finished);
  return finished;
}

async function cancelWaiting(index: Index, run: Run): Promise<number> {
  for (let cancelled = 0; ; ) {
    const more = await index.cancelWaiting(run, CANCELLED_AT_ONCE);
    if (more === 0) return cancelled;
    cancelled += more;
    // A second signal is heard between two steps.
    await breathe();
  }
}

function warning({ message, fix }: ImgtoolError): Warning {
  return fix === undefined ? { type: 'warning', message } : { type: 'warning', message, fix };
}

/** Walks and works side by side; what made either pointless. */
async function takeInAndWork(
  bench: Bench,
  manner: Manner,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<ImgtoolError | undefined> {
  const intake = announce();
  const stopped = new AbortController();
  let finishing = 0;
  const tell = (event: Event) => {
    if (event.type === 'job.started') finishing++;
    if (event.type === 'job.retrying' || event.type === 'job' || event.type === 'withdrawn') finishing--;
    emit(event);
  };
  let told: Promise<void> | undefined;
  const onAbort = () => {
    stopped.abort();
    intake.wake();
    told = tellStopping(bench, finishing, emit);
  };
  if (signal.aborted) stopped.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  /** One of the two cannot go on: the other need not. */
  const giveUp = (error: ImgtoolError) => {
    stopped.abort();
    return error;
  };
  const walk = manner
    .takeIn(bench, emit, announceChunks(bench, intake, emit), stopped.signal)
    .then(async ({ passedOver, ended }) => {
      await bench.index.walked(bench.run, passedOver, ended);
      return undefined;
    })
    .catch((error: unknown) => giveUp(asImgtoolError(error)))
    .finally(() => intake.end());
  const working = workThrough(bench, intake, tell, stopped.signal, manner).then(
    ({ fatal }) => fatal && giveUp(fatal),
  );
  const [walkFailed, workFailed] = await Promise.all([walk, working]);
  signal.removeEventListener('abort', onAbort);
  await told;
  return workFailed ?? walkFailed;
}

/** The batch begins for others with its first chunk: a small folder is known in full by then. */
function announceChunks({ run, options }: Bench, intake: Intake, emit: (event: Event) => void) {
  let began = false;
  return ({ total, bytes }: Walked, ended: boolean) => {
    if (!began) {
      began = true;
      const { outGiven: out, preset, jobs } = options;
      const known = ended ? total : null;
      emit({ type: 'batch.started', batch: run.batch, total: known, bytes, out, preset: preset.name, jobs });
    } else if (ended) emit({ type: 'total', batch: run.batch, total, bytes });
    else emit({ type: 'walk', found: total, bytes });
    intake.wake();
  };
}

async function tellStopping({ index, run }: Bench, finishing: number, emit: (event: Event) => void) {
  try {
    const { counts } = await index.batch(run.batch);
    const dropping = counts.pending + counts.retrying + counts.processing - finishing;
    emit({ type: 'stopping', batch: run.batch, finishing, dropping });
  } catch {
    // An index that fails is told by whoever needs it; here it would only have told how much is left.
    emit({ type: 'stopping', batch: run.batch, finishing, dropping: 0 });
  }
}

function exitCode(failed: number, fatal: ImgtoolError | undefined, signal: AbortSignal): number {
  if (fatal !== undefined) return fatal.fatal ? fatal.exitCode : 3;
  if (signal.aborted) return 130;
  return failed > 0 ? 1 : 0;
}
