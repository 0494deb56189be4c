import type { Batch, Event, JobEvent, Warning } from '../../model.ts';
import type { FoundSource, NewJob, UnchangedTotals, UnreadableFolder, WalkScope } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { type Asked, askNames } from './reserve.ts';
import { sortOut } from './sort.ts';

/** Number of sources that one step looks up, checks and adds. */
export const CHUNK = 256;

/** What the walk has found so far. */
export interface Walked {
  total: number;
  /** Bytes of the sources found. */
  bytes: number;
  passedOver: number;
  /** Whether everything was walked at least once, and all named folders were there. */
  ended: boolean;
}

/**
 * Finds sources and adds jobs for them, until there are no more or `signal` aborts. Calls `chunkDone` for each chunk,
 * before the events of the chunk. `ended` marks the last chunk.
 */
export type TakeIn = (
  context: JobContext,
  emit: (event: Event) => void,
  chunkDone: (walked: Walked, ended: boolean) => void,
  signal: AbortSignal,
) => Promise<Walked>;

/**
 * Walks the inputs once, one chunk at a time. Reports and counts sources whose outputs are all in order as unchanged.
 * Adds the other sources to the index.
 */
export const takeIn: TakeIn = (context, emit, chunkDone, signal) =>
  walkThrough(
    { context, emit, chunkDone, signal },
    [{}],
    { total: 0, passedOver: 0 },
    async (chunk) => chunk,
  );

/** Which parts of the sources a resumed batch walks again. */
export interface WalkAgain {
  /** Whether to walk everything, because the first walk did not come to its end. */
  readonly all: boolean;
  /** Absolute paths of folders that could not be read before. */
  readonly folders: readonly string[];
}

/** Takes in the rest of a batch that another run began: its waiting jobs, and the sources that it did not yet find. */
export function takeRest(batch: Batch, { all, folders }: WalkAgain): TakeIn {
  const { counts, command, passedOver, walkEnded } = batch;
  const total = counts.pending + counts.retrying;
  return async (context, emit, chunkDone, signal) => {
    const { index, run } = context;
    const isWalked = walkEnded || command === 'watch';
    if (!all && folders.length === 0) {
      const walked: Walked = { total, bytes: 0, passedOver, ended: isWalked };
      chunkDone(walked, true);
      return walked;
    }
    const scopes = all ? [{}] : folders.map((at) => ({ at }));
    const before = { total, passedOver: all ? 0 : passedOver };
    const walked = await walkThrough({ context, emit, chunkDone, signal }, scopes, before, async (chunk) => {
      const paths = chunk.map(({ source }) => source);
      const known = new Set(await index.known(run, paths));
      return chunk.filter(({ source }) => !known.has(source));
    });
    return { ...walked, ended: walked.ended && (all || isWalked) };
  };
}

interface Walking {
  readonly context: JobContext;
  readonly emit: (event: Event) => void;
  readonly chunkDone: (walked: Walked, ended: boolean) => void;
  readonly signal: AbortSignal;
}

/** `before` counts what the batch has already. `newOf` removes known sources from a chunk. */
async function walkThrough(
  { context, emit, chunkDone, signal }: Walking,
  scopes: readonly WalkScope[],
  before: Pick<Walked, 'total' | 'passedOver'>,
  newOf: <Found extends { readonly source: string }>(chunk: readonly Found[]) => Promise<readonly Found[]>,
): Promise<Walked> {
  const walked: Walked = { ...before, bytes: 0, ended: false };
  const passOver = (path: string, reason: Extract<Event, { type: 'passed_over' }>['reason']) => {
    walked.passedOver++;
    emit({ type: 'passed_over', path, reason });
  };
  const unreadable: UnreadableFolder[] = [];
  const flush = async (chunk: readonly FoundSource[], ended: boolean) => {
    const sorted = await sortOut(context, await newOf(chunk));
    for (const { found } of sorted.outputs) passOver(found.given, 'output');
    for (const { facts } of [...sorted.changed, ...sorted.unchanged.map(({ found }) => found)]) {
      walked.bytes += facts?.size ?? 0;
    }
    const unchanged = sorted.unchanged.map(({ event }) => event);
    const asked = await askNames(context, sorted.changed);
    const folders = await newOf(unreadable.splice(0));
    const jobs = [...folders.map(failedJob), ...sorted.changed.map((found, i) => jobFor(found, asked[i]!))];
    walked.total += unchanged.length + (await context.index.add(context.run, jobs, tallyOf(unchanged)));
    chunkDone(walked, ended);
    for (const event of [...unchanged, ...folders.map((one) => failedEvent(one, context.run.batch))])
      emit(event);
    await context.ready();
  };
  emit({ type: 'walk', found: 0, bytes: 0 });
  let isAllThere = true;
  let chunk: FoundSource[] = [];
  for (const scope of scopes)
    for await (const entry of context.sources.walk(signal, scope)) {
      if (entry.type === 'skipped') passOver(entry.given, entry.reason);
      // When the missing path is a picture, its own job reports it.
      else if (entry.type === 'gone' && (await context.index.known(context.run, [entry.path])).length === 0) {
        isAllThere = false;
        emit(notThere(context.sources.givenOf(entry.path)));
      } else if (entry.type === 'unreadable') unreadable.push(entry);
      else if (entry.type === 'found' && chunk.push(entry) === CHUNK) {
        await flush(chunk, false);
        chunk = [];
      }
    }
  walked.ended = !signal.aborted && isAllThere;
  await flush(chunk, !signal.aborted);
  return walked;
}

function notThere(folder: string): Warning {
  return {
    type: 'warning',
    message: `${folder}: is not there`,
    fix: 'mount or bring it back, and resume again',
  };
}

export function jobFor(
  { source, given, relative, facts }: FoundSource,
  { heldBy: _, ...names }: Asked,
): NewJob {
  return { source, given, relative, size: facts?.size, ...names };
}

type Unreadable = Omit<UnreadableFolder, 'type'>;

/** The job of a file or folder that cannot be read. */
export function failedJob({ source, given, relative, error }: Unreadable): NewJob {
  return { source, given, relative, candidates: [], failed: error };
}

export function failedEvent({ given, error }: Unreadable, batch: string): JobEvent {
  return { type: 'job', batch, source: given, state: 'failed', error, attempts: 1 };
}

/** The totals of a chunk of unchanged sources. */
export function tallyOf(unchanged: readonly JobEvent[]): UnchangedTotals {
  let bytesIn = 0;
  let bytesOut = 0;
  for (const event of unchanged) {
    bytesIn += event.bytes ?? 0;
    for (const { bytes } of event.outputs ?? []) bytesOut += bytes;
  }
  return { unchanged: unchanged.length, bytesIn, bytesOut };
}
