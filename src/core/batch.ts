import { asImgtoolError, type ImgtoolError } from '../errors.ts';
import type { BatchFinished, BatchOptions, BatchState, Event } from '../model.ts';
import type { Index, NewBatch, Renderer, Sources, Storage } from '../ports.ts';
import { takeIn, type Walked } from './intake.ts';
import type { Bench } from './job.ts';
import { announce } from './news.ts';
import { workThrough } from './work.ts';

/** Batches that ended longer ago than this leave the history: 90 days in milliseconds. */
const KEPT = 90 * 24 * 60 * 60 * 1_000;
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
): Promise<BatchFinished> {
  const { index, storage } = ports;
  await storage.sweep(await index.recover());
  await storage.prepare(work.options.out);
  const startedAt = performance.now();
  const run = await index.begin({ ...work, run: ports.run });
  const bench: Bench = { ...ports, run, options: work.options };
  const fatal = await takeInAndWork(bench, emit, signal);
  const state: Exclude<BatchState, 'running'> =
    fatal !== undefined ? 'interrupted' : signal.aborted ? 'cancelled' : 'finished';
  if (state === 'cancelled') while ((await index.cancelWaiting(run, CANCELLED_AT_ONCE)) > 0);
  const batch = await index.end(run, state);
  if (fatal !== undefined)
    emit({ type: 'warning', message: fatal.message, ...(fatal.fix ? { fix: fatal.fix } : {}) });
  await index.prune(Date.now() - KEPT);
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

/** Walks and works side by side; what made either pointless. */
async function takeInAndWork(
  bench: Bench,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<ImgtoolError | undefined> {
  const { index, run, options } = bench;
  const intake = announce();
  const stopped = new AbortController();
  let finishing = 0;
  const tell = (event: Event) => {
    if (event.type === 'job.started') finishing++;
    if (event.type === 'job.retrying' || event.type === 'job') finishing--;
    emit(event);
  };
  const stop = async () => {
    stopped.abort();
    intake.wake();
    const { counts } = await index.batch(run.batch);
    const dropping = counts.pending + counts.retrying + counts.processing - finishing;
    emit({ type: 'stopping', batch: run.batch, finishing, dropping });
  };
  let told: Promise<void> | undefined;
  const onAbort = () => {
    told = stop();
  };
  if (signal.aborted) stopped.abort();
  signal.addEventListener('abort', onAbort, { once: true });

  let began = false;
  const chunkDone = ({ total, bytes }: Walked, ended: boolean) => {
    if (!began) {
      began = true;
      const known = ended ? total : null;
      const { outGiven: out, preset, jobs } = options;
      emit({ type: 'batch.started', batch: run.batch, total: known, bytes, out, preset: preset.name, jobs });
    } else if (ended) emit({ type: 'total', batch: run.batch, total, bytes });
    else emit({ type: 'walk', found: total, bytes });
    intake.wake();
  };
  const walk = takeIn(bench, emit, chunkDone, stopped.signal)
    .then(async ({ passedOver }) => {
      if (!stopped.signal.aborted) await index.walked(run, passedOver);
      return undefined;
    })
    .catch((error: unknown) => {
      stopped.abort();
      return asImgtoolError(error);
    })
    .finally(() => intake.end());
  const worked = workThrough(bench, intake, tell, stopped.signal).then(({ fatal }) => {
    if (fatal !== undefined) stopped.abort();
    return fatal;
  });
  const [walkFailed, workFailed] = await Promise.all([walk, worked]);
  signal.removeEventListener('abort', onAbort);
  await told;
  return workFailed ?? walkFailed;
}

function exitCode(failed: number, fatal: ImgtoolError | undefined, signal: AbortSignal): number {
  if (fatal !== undefined) return fatal.fatal ? fatal.exitCode : 3;
  if (signal.aborted) return 130;
  return failed > 0 ? 1 : 0;
}
