import { bytesOf } from '../../model/totals.ts';
import type { Batch, Failure, Job, JobEvent, PassedOverEvent, Unstamped } from '../../model.ts';
import type {
  FoundSource,
  NewJob,
  Skipped,
  UnchangedTotals,
  UnreadableFolder,
  WalkScope,
} from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { NO_TIME } from '../job/events.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import { askNames } from './reserve.ts';
import { sortOut, type Unchanged } from './sort.ts';

/** Number of sources that one step looks up, checks and adds. */
export const CHUNK = 128;

/** What the walk has found so far. */
export interface Walked {
  total: number;
  /** Bytes of the sources found. */
  bytes: number;
  passedOver: number;
  /** Whether everything was walked at least once, and all named folders were there. */
  ended: boolean;
}

/** Finds sources and adds their jobs. Calls `chunkDone` before the events of each chunk; `ended` marks the last one. */
export type TakeIn = (context: JobContext, chunkDone: ChunkDone) => Promise<Walked>;
export type ChunkDone = (walked: Walked, ended: boolean) => void;

/** How a job has ended, or that it waits for another attempt or has left the batch. */
export type JobOutcome = JobEvent['state'] | 'retrying' | 'withdrawn';

/** What differs between process, watch, resume and fix. */
export interface BatchMode {
  readonly takeIn: TakeIn;
  readonly retryPolicy: RetryPolicy;
  readonly ended?: (job: Job, how: JobOutcome) => void;
  /** Whether the batch ends only when it is stopped. Such a batch is finished if no job waits then. */
  readonly isEndless: boolean;
  /** Whether a source with tagged names takes its plain names once they are free. */
  readonly takesPlainNames?: boolean;
  /** For a batch that makes outputs again that are known to be wrong: those files, by path. */
  readonly repairs?: JobContext['repairs'];
  /** Whether the batch continues one that another run began. */
  readonly isResumed?: boolean;
}

/** Takes in the rest of a batch: its waiting jobs, and `all` sources if its walk did not end, or those in `folders`. */
export function takeRest(batch: Batch, all: boolean, folders: readonly string[]): TakeIn {
  const { counts, command, passedOver, walkEnded } = batch;
  const total = counts.pending + counts.retrying;
  return async (context, chunkDone) => {
    const isWalked = walkEnded || command === 'watch';
    if (!all && folders.length === 0) {
      const walked: Walked = { total, bytes: 0, passedOver, ended: isWalked };
      chunkDone(walked, true);
      return walked;
    }
    const scopes = all ? [{}] : folders.map((at) => ({ at }));
    const before = { total, passedOver: all ? 0 : passedOver };
    const walked = await takeIn(context, chunkDone, { scopes, before, isAgain: true });
    return { ...walked, ended: walked.ended && (all || isWalked) };
  };
}

interface WalkOptions {
  readonly scopes?: readonly WalkScope[];
  /** What the batch has already. */
  readonly before?: Pick<Walked, 'total' | 'passedOver'>;
  /** Whether the batch may have jobs for some of the sources. */
  readonly isAgain?: boolean;
  readonly chunkSize?: number;
}

/** Walks the inputs in chunks. Counts sources whose outputs are in order as unchanged, and adds jobs for the others. */
export async function takeIn(context: JobContext, chunkDone: ChunkDone, options: WalkOptions = {}) {
  const { scopes = [{}], before = { total: 0, passedOver: 0 }, isAgain = false, chunkSize = CHUNK } = options;
  const { index, run, sources, emit, signal } = context;
  const walked: Walked = { ...before, bytes: 0, ended: false };
  const passOver = (entry: Omit<Skipped, 'type' | 'path'>) => {
    walked.passedOver++;
    emit(passedOverEvent(entry));
  };
  const newOf = async <Found extends { readonly source: string }>(some: readonly Found[]) => {
    if (!isAgain) return some;
    const paths = some.map(({ source }) => source);
    const known = new Set(await index.known(run, paths));
    return some.filter(({ source }) => !known.has(source));
  };
  let chunk: FoundSource[] = [];
  let unreadable: UnreadableFolder[] = [];
  const flush = async (ended: boolean) => {
    const sorted = await sortOut(context, await newOf(chunk));
    for (const { found } of sorted.outputs) passOver({ given: found.given, reason: 'output' });
    for (const { found } of [...sorted.sources, ...sorted.unchanged]) walked.bytes += found.facts?.size ?? 0;
    const unchanged = sorted.unchanged.map(({ event }) => event);
    const asked = await askNames(context, sorted.sources, sorted.lookup);
    const folders = await newOf(unreadable);
    const jobs = [...folders.map((one) => failedJob(one, one.error)), ...asked.map(({ job }) => job)];
    walked.total += unchanged.length + (await index.add(run, jobs, unchangedTotals(sorted.unchanged)));
    chunkDone(walked, ended);
    for (const event of [...unchanged, ...folders.map((one) => failedEvent(one, one.error))]) emit(event);
    [chunk, unreadable] = [[], []];
    await context.ready();
  };
  emit({ type: 'walk', found: 0, bytes: 0 });
  let isAllThere = true;
  for (const scope of scopes) {
    for await (const entry of sources.walk(signal, scope)) {
      if (entry.type === 'skipped') passOver(entry);
      else if (entry.type === 'warning') emit(entry);
      else if (entry.type === 'unreadable') unreadable.push(entry);
      else if (entry.type === 'found') chunk.push(entry);
      // When the missing path is a picture, its own job reports it.
      else if ((await index.known(run, [entry.path])).length === 0) {
        isAllThere = false;
        const message = `${sources.givenOf(entry.path)}: is not there`;
        emit({ type: 'warning', message, fix: 'mount or bring it back, and resume again' });
      }
      if (chunk.length + unreadable.length === chunkSize) await flush(false);
    }
  }
  walked.ended = !signal.aborted && isAllThere;
  await flush(!signal.aborted);
  return walked;
}

type FailedSource = Pick<UnreadableFolder, 'source' | 'given' | 'relative'>;

/** The job of a folder that cannot be read. It needs no names. */
export function failedJob({ source, given, relative }: FailedSource, failed: Failure): NewJob {
  return { source, given, relative, candidates: [], failed };
}

export function failedEvent({ given }: FailedSource, error: Failure): Unstamped<JobEvent> {
  return { type: 'job', source: given, state: 'failed', error, ms: NO_TIME, attempts: 1 };
}

export function passedOverEvent({ given, reason, kind }: Omit<Skipped, 'type' | 'path'>) {
  const event: Unstamped<PassedOverEvent> = { type: 'passed_over', path: given, reason };
  return kind === undefined ? event : { ...event, kind };
}

/** The totals of a chunk of unchanged sources. */
export function unchangedTotals(unchanged: readonly Unchanged[]): UnchangedTotals {
  const events = unchanged.map(({ event }) => event);
  const bytesIn = events.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const bytesOut = events.reduce((sum, { outputs = [] }) => sum + bytesOf(outputs), 0);
  const degraded = unchanged.flatMap(({ found, event }) => (event.degraded ? [found.source] : []));
  return { unchanged: events.length, bytesIn, bytesOut, degraded };
}
