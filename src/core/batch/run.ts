import { asImgtoolError, failureOf, type ImgtoolError } from '../../errors.ts';
import type { BatchFinished, Event, Unstamped, Warning } from '../../model/events.ts';
import { BatchTotals, leftOf } from '../../model/totals.ts';
import type { Batch, BatchOptions, BatchState } from '../../model.ts';
import type { DeadRun, NewBatch, ResumeChoice } from '../../ports.ts';
import type { Emit, JobContext, Ports } from '../job/context.ts';
import { renamedSettings, settingsOfAll, withNewerFields } from '../job/settings-digest.ts';
import { type Intake, openIntake, workThrough } from '../queue/puller.ts';
import { BATCH_RETRIES } from '../queue/retry-policy.ts';
import { type BatchMode, type ChunkDone, takeIn, takeRest } from './intake.ts';
import { fittingDisk } from './names.ts';
import { notingProgress } from './note-progress.ts';
import { ASKED, cancelWaiting, stopOf } from './stop.ts';

/** Milliseconds that the history keeps ended batches: 90 days. */
export const KEPT = 90 * 24 * 60 * 60 * 1_000;

/** The inputs are those that the user gave. */
export type NewWork = Omit<NewBatch, 'run'>;

/** A batch that ended early or failed in part, and the part to do again. */
export interface OldWork extends Omit<ResumeChoice, 'withdrawn'> {
  readonly batch: Batch;
}

export const ONE_WALK: BatchMode = { takeIn, retryPolicy: BATCH_RETRIES, isEndless: false };

/**
 * Runs one batch from its walk to its end. Settles all jobs; cancels the waiting ones when `signal` aborts or another
 * process asks for it; leaves them pending after a fatal error. The last event is `batch.finished`, which is also
 * returned. Errors: those of the index before the batch begins. Later errors are warnings, and the batch is `interrupted`.
 */
export async function runBatch(
  ports: Ports,
  work: NewWork,
  emit: Emit,
  signal: AbortSignal,
  mode = ONE_WALK,
): Promise<BatchFinished> {
  const { dead, longestName } = await tidyUp(ports, work.options, emit);
  const options = fittingDisk(work.options, longestName);
  const run = await ports.index.begin({ ...work, options, run: ports.run });
  return workOn(ports, { dead, run, options, signal }, emit, mode);
}

/** Runs the rest of a batch, and the jobs that should be done again. Errors: also `batch_running`. */
export async function resumeBatch(ports: Ports, work: OldWork, emit: Emit, signal: AbortSignal) {
  const { batch, ...again } = work;
  const { options, states, walk } = again;
  const { dead } = await tidyUp(ports, options, emit);
  const folders = states.includes('failed') ? await unreadFolders(ports, batch.id) : [];
  // The walk finds what these folders hold, or that they still cannot be read.
  const { run, batch: resumed } = await ports.index.resume(ports.run, batch.id, {
    ...again,
    withdrawn: folders,
  });
  const takeIn = takeRest({ ...resumed, walkEnded: batch.walkEnded }, walk, folders);
  return workOn(ports, { dead, run, options, signal }, emit, { ...ONE_WALK, takeIn, isResumed: true });
}

/** The folders that a batch could not read. */
async function unreadFolders({ index, sources }: Ports, batch: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const { source, error } of index.jobs(batch, ['failed'])) {
    if (error?.code === 'source_unreadable' && (await sources.isFolder(source))) folders.push(source);
  }
  return folders;
}

/** Frees the jobs of dead runs, and checks that outputs can be written. */
async function tidyUp({ index, storage }: Ports, options: BatchOptions, emit: Emit) {
  const dead = await index.dead();
  // Sweep before recovery: after a kill in between, the next run repeats both.
  for (const path of await storage.sweep(dead)) emit(notRemoved(path));
  await index.recover(dead);
  const longestName = await storage.prepare(options.out);
  await index.renameSettings(renamedSettings(options));
  return { dead, longestName };
}

function notRemoved(path: string): Warning {
  const fix = 'it is of no use any more: remove it';
  return { type: 'warning', message: `${path}: could not be removed`, fix };
}

/** The event with the id of its batch, behind its type. */
function stamp(event: Event | Unstamped, batch: string): Event {
  if ('batch' in event) return event;
  return Object.assign({ type: event.type, batch }, event) as Event;
}

/** What differs between the runs of one engine. `dead`: runs whose outputs may be unknown to the index. */
interface RunGiven extends Pick<JobContext, 'run' | 'options' | 'signal'> {
  readonly dead: readonly DeadRun[];
}

/** What the jobs of a batch work with. `report` receives their events. */
export function contextOf(
  ports: Ports,
  { dead, options: recorded, ...given }: RunGiven,
  report: Emit,
  { takesPlainNames = false, repairs = null }: Pick<BatchMode, 'takesPlainNames' | 'repairs'> = {},
): JobContext {
  const suspects = new Set(dead.flatMap(({ outputs }) => outputs));
  const options = { ...recorded, preset: withNewerFields(recorded.preset) };
  const settings = settingsOfAll(options);
  const ready = async () => {};
  const emit: JobContext['emit'] = (event) => report(stamp(event, given.run.batch));
  const own = { takesPlainNames, repairs, leftBehind: [], settings, suspects };
  return { ready, ...ports, ...own, emit, options, ...given };
}

async function workOn(ports: Ports, begun: RunGiven, report: Emit, mode: BatchMode): Promise<BatchFinished> {
  const totals = new BatchTotals();
  const noting = notingProgress(ports.index, report);
  const given = contextOf(ports, begun, totals.counting(noting.emit), mode);
  const { index, run, emit } = given;
  const startedAt = performance.now();
  const stop = stopOf(given);
  const context = { ...given, signal: stop.signal };
  let stopping: Promise<void> | undefined;
  const onAbort = () => {
    stopping = reportStopping(context, totals.inWork.size);
  };
  context.signal.addEventListener('abort', onAbort, { once: true });
  const work = () => takeInAndWork(context, mode, totals);
  const worked = await (context.options.mirror ? workAndMirror(context, work) : onlyWork(work));
  context.signal.removeEventListener('abort', onAbort);
  await stopping;
  noting.close();
  let fatal = worked.fatal ?? stop.error();
  stop.close();
  const giveUp = (error: unknown) => {
    fatal ??= asImgtoolError(error);
    return undefined;
  };
  // Try once more to remove staged files that could not be removed before.
  for (const one of context.leftBehind) await one.discard().catch(() => emit(notRemoved(one.path)));
  const isStopped = fatal === undefined && stop.signal.aborted;
  if (isStopped) await cancelWaiting(index, run.batch).catch(giveUp);
  const before = await index.batch(run.batch).catch(giveUp);
  const known = fatal;
  const state =
    before === undefined || known ? 'interrupted' : stateOf(before, mode, isStopped, worked.isDone);
  // Report the error first: `end` may wait long for an index that another program holds.
  if (known !== undefined) emit({ type: 'warning', ...failureOf(known) });
  const batch = await index.end(run, state).catch(giveUp);
  if (fatal !== undefined && fatal !== known) emit({ type: 'warning', ...failureOf(fatal) });
  const onPruneFailed = (error: unknown) => emit({ type: 'warning', ...failureOf(asImgtoolError(error)) });
  if (fatal === undefined) await index.prune(Date.now() - KEPT).catch(onPruneFailed);
  const { counts, passedOver, degraded, bytesIn, bytesOut } = batch ?? atRest(totals);
  const ended = fatal === undefined ? state : 'interrupted';
  const finished: BatchFinished = {
    ...{ type: 'batch.finished', batch: run.batch, state: ended },
    ...{ counts, passedOver, ...totals.aside, degraded, bytesIn, bytesOut },
    ms: Math.round(performance.now() - startedAt),
    ...stoppedBy(ended, stop.signal, mode),
  };
  emit(finished);
  return finished;
}

/** Resolves to a fatal error, if any. */
type WorkOfBatch = () => Promise<ImgtoolError | undefined>;

async function onlyWork(work: WorkOfBatch) {
  return { fatal: await work(), isDone: true };
}

/** Does the work, then removes outputs that nothing asks for any more. `isDone` is false when a stop left some of them. */
async function workAndMirror(context: JobContext, work: WorkOfBatch) {
  try {
    const { planMirror } = await import('./mirror-plan.ts');
    const { carryOutMirror } = await import('./mirror.ts');
    const plan = await planMirror(context);
    const fatal = await work();
    return { fatal, isDone: fatal !== undefined || (await carryOutMirror(context, plan)) };
  } catch (error) {
    return { fatal: asImgtoolError(error), isDone: false };
  }
}

/** The totals of a batch whose index cannot be read, after all work has ended. */
function atRest({ counts, passedOver, degraded, bytesIn, bytesOut }: BatchTotals) {
  const rest = { pending: leftOf(counts), processing: 0, retrying: 0 };
  return { counts: { ...counts, ...rest }, passedOver, degraded, bytesIn, bytesOut };
}

/** The final state of a batch without waiting jobs. This run or an earlier one may have been stopped. */
function stateOf(
  { counts, walkEnded }: Batch,
  { isEndless }: BatchMode,
  isStopped: boolean,
  isDone: boolean,
) {
  if (counts.cancelled > 0 || !isDone) return 'cancelled';
  if (walkEnded || isEndless) return 'finished';
  // Some inputs have not been walked yet.
  return isStopped ? 'cancelled' : 'interrupted';
}

/** Walks and works at the same time. Resolves to the fatal error of either, if any. */
async function takeInAndWork(context: JobContext, mode: BatchMode, totals: BatchTotals) {
  const { index, run, signal } = context;
  const intake = openIntake();
  const stopped = new AbortController();
  const onAbort = () => {
    stopped.abort();
    intake.wake();
  };
  if (signal.aborted) stopped.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  /** A fatal error of one stops the other too. */
  const giveUp = (error: ImgtoolError) => {
    stopped.abort();
    return error;
  };
  const stoppable = { ...context, signal: stopped.signal };
  const takeInAll = async () => {
    const chunkDone = announceChunks(context, intake, mode.isResumed === true);
    const { passedOver, ended } = await mode.takeIn(stoppable, chunkDone);
    // A resumed batch may have met only some of these files.
    await index.walked(run, passedOver, ended, totals.passedOver === passedOver ? totals.aside : undefined);
    return undefined;
  };
  const walk = takeInAll()
    .catch((error: unknown) => giveUp(asImgtoolError(error)))
    .finally(intake.end);
  const work = workThrough(stoppable, intake, mode).then((fatal) => fatal && giveUp(fatal));
  const [walkFailed, workFailed] = await Promise.all([walk, work]);
  signal.removeEventListener('abort', onAbort);
  return workFailed ?? walkFailed;
}

/** Emits `batch.started` after the first chunk: by then the total of a small folder is known. */
function announceChunks({ options, emit }: JobContext, intake: Intake, isResumed: boolean): ChunkDone {
  const { outGiven: out, preset, jobs } = options;
  let began = false;
  return ({ total, bytes }, ended) => {
    if (!began) {
      const about = { total: ended ? total : null, bytes, out, preset: preset.name, jobs };
      emit({ type: 'batch.started', ...about, ...(isResumed ? { resumed: true } : {}) });
    } else if (ended) emit({ type: 'total', total, bytes });
    else emit({ type: 'walk', found: total, bytes });
    began = true;
    intake.wake();
  };
}

async function reportStopping({ index, run, emit }: JobContext, finishing: number) {
  // The index only gives a number here. Other calls report its failure.
  const batch = await index.batch(run.batch).catch(() => undefined);
  const dropping = batch === undefined ? 0 : leftOf(batch.counts) - finishing;
  emit({ type: 'stopping', finishing, dropping });
}

/** Why the batch stopped. A request after the last job has no effect. */
function stoppedBy(state: BatchState, signal: AbortSignal, mode: BatchMode): Pick<BatchFinished, 'stopped'> {
  if (!signal.aborted || state === 'interrupted') return {};
  if (signal.reason !== ASKED) return { stopped: 'signal' };
  return state === 'finished' && !mode.isEndless ? {} : { stopped: 'request' };
}
