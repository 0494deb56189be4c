import type { Batch, Event, FileFacts, JobEvent, OutputRecord, Warning } from '../model.ts';
import type { Found, Lookup, NewJob, Tally } from '../ports.ts';
import { decide, type Facts, isMade, trustedDigest } from './decide.ts';
import { factsByStat, type Places } from './facts.ts';
import type { Bench } from './job.ts';
import { candidateNames, plainNames } from './names.ts';
import { describe, outputAsGiven, pictureOf } from './tell.ts';

/** Sources looked up, stat'ed and added in one step. */
export const CHUNK = 256;

/** What the walk has found so far. */
export interface Walked {
  total: number;
  /** Bytes of the sources found. */
  bytes: number;
  passedOver: number;
  /** Everything was walked at least once: all folders that were named were there. */
  ended: boolean;
}

/**
 * Makes jobs of what there is to do, until there is no more or `signal` aborts. `chunkDone` hears of each chunk before
 * its events, and with `ended` that it was the last.
 */
export type TakeIn = (
  bench: Bench,
  emit: (event: Event) => void,
  chunkDone: (walked: Walked, ended: boolean) => void,
  signal: AbortSignal,
) => Promise<Walked>;

/**
 * Walks the inputs once, a chunk at a time: sources whose outputs are all in order are told and counted as unchanged,
 * the rest is added to the index.
 */
export const takeIn: TakeIn = (bench, emit, chunkDone, signal) =>
  walkThrough({ bench, emit, chunkDone, signal }, 0, async (chunk) => chunk);

/** What is left of a batch that was begun by another run: its jobs that wait, and what its walk had not come to. */
export function takeRest({ counts, command, passedOver, walkEnded }: Batch, walk: boolean): TakeIn {
  const waiting = counts.pending + counts.retrying;
  return async (bench, emit, chunkDone, signal) => {
    const { index, run } = bench;
    if (!walk) {
      const ended = walkEnded || command === 'watch';
      const walked: Walked = { total: waiting, bytes: 0, passedOver, ended };
      chunkDone(walked, true);
      return walked;
    }
    return walkThrough({ bench, emit, chunkDone, signal }, waiting, async (chunk) => {
      const known = new Set(
        await index.known(
          run,
          chunk.map(({ source }) => source),
        ),
      );
      return chunk.filter(({ source }) => !known.has(source));
    });
  };
}

interface Walking {
  readonly bench: Bench;
  readonly emit: (event: Event) => void;
  readonly chunkDone: (walked: Walked, ended: boolean) => void;
  readonly signal: AbortSignal;
}

/** `total` jobs are there already; `newOf` leaves out of a chunk what is known of. */
async function walkThrough(
  { bench, emit, chunkDone, signal }: Walking,
  total: number,
  newOf: (chunk: readonly Found[]) => Promise<readonly Found[]>,
): Promise<Walked> {
  const walked: Walked = { total, bytes: 0, passedOver: 0, ended: false };
  const passOver = (path: string, reason: Extract<Event, { type: 'passed_over' }>['reason']) => {
    walked.passedOver++;
    emit({ type: 'passed_over', path, reason });
  };
  const flush = async (chunk: readonly Found[], ended: boolean) => {
    const sorted = await sortOut(bench, await newOf(chunk));
    for (const { found } of sorted.outputs) passOver(found.given, 'output');
    for (const { facts } of [...sorted.changed, ...sorted.unchanged.map(({ found }) => found)]) {
      walked.bytes += facts?.size ?? 0;
    }
    const events = sorted.unchanged.map(({ event }) => event);
    const jobs = sorted.changed.map((found) => jobFor(bench, found));
    walked.total += events.length + (await bench.index.add(bench.run, jobs, tallyOf(events)));
    chunkDone(walked, ended);
    for (const event of events) emit(event);
  };
  emit({ type: 'walk', found: 0, bytes: 0 });
  let isAllThere = true;
  let chunk: Found[] = [];
  for await (const entry of bench.sources.walk(signal)) {
    if (entry.type === 'skipped') passOver(entry.given, entry.reason);
    // The job of a picture that is gone says so itself.
    else if (entry.type === 'gone' && (await bench.index.known(bench.run, [entry.path])).length === 0) {
      isAllThere = false;
      emit(notThere(bench.sources.givenOf(entry.path)));
    } else if (entry.type === 'found' && chunk.push(entry) === CHUNK) {
      await flush(chunk, false);
      chunk = [];
    }
  }
  walked.ended = !signal.aborted && isAllThere;
  await flush(chunk, !signal.aborted);
  return walked;
}

/** Its pictures are still to come. */
function notThere(folder: string): Warning {
  return {
    type: 'warning',
    message: `${folder}: is not there`,
    fix: 'mount or bring it back, and resume again',
  };
}

export interface Sorted extends Pick<Told, 'outputs'> {
  /** Sources with something to be done, or of which a stat cannot tell. */
  readonly changed: readonly Found[];
  readonly unchanged: readonly { readonly found: Found; readonly event: JobEvent }[];
}

interface Told {
  readonly sources: readonly Found[];
  /** Files under the names of outputs: never sources. One that is not made yet is just being made. */
  readonly outputs: readonly { readonly found: Found; readonly isMade: boolean }[];
}

/** Tells sources from files that the index knows as outputs. */
export function tellApart({ suspects }: Bench, chunk: readonly Found[], lookup: Lookup): Told {
  const sources: Found[] = [];
  const outputs: { found: Found; isMade: boolean }[] = [];
  for (const found of chunk) {
    const record = lookup.output(found.source);
    const isHeld = lookup.isInWork(found.source) || suspects.has(found.source);
    const isOutput = record?.path === found.source && (isMade(record) || isHeld);
    if (isOutput) outputs.push({ found, isMade: isMade(record) });
    else sources.push(found);
  }
  return { sources, outputs };
}

export function jobFor({ options }: Bench, found: Found): NewJob {
  const { source, given, relative, facts } = found;
  return { source, given, relative, size: facts?.size, candidates: candidateNames(found, options) };
}

/** Tells apart, by what is recorded and by stat alone, which of these files need work. */
export async function sortOut(bench: Bench, chunk: readonly Found[]): Promise<Sorted> {
  const changed: Found[] = [];
  const unchanged: { found: Found; event: JobEvent }[] = [];
  const seenAt = Date.now();
  const named = new Map(chunk.map((found) => [found, plainNames(found, bench.options)]));
  const paths = [...named].flatMap(([{ source }, names]) => [source, ...names]);
  const lookup = await bench.index.lookup([...chunk.map(({ source }) => source), ...paths], paths);
  const { sources, outputs } = tellApart(bench, chunk, lookup);
  const own = await Promise.all(
    sources.map((found) => ownNames(bench, { found, names: named.get(found) ?? [] }, lookup)),
  );
  // A folder that cannot be looked into fails its own jobs, not the walk.
  const disk = await bench.storage.stat(own.flatMap((one) => one?.names ?? [])).catch(() => null);
  let at = 0;
  for (const [i, found] of sources.entries()) {
    const mine = own[i];
    const here = disk?.slice(at, at + (mine?.names.length ?? 0));
    at += here?.length ?? 0;
    const facts = mine && here && (await factsOf(bench, found, mine.names, mine.lookup, here));
    if (facts !== undefined && decide(facts).action === 'unchanged') {
      unchanged.push({ found, event: unchangedEvent(bench, found, facts, seenAt) });
    } else changed.push(found);
  }
  return { changed, unchanged, outputs };
}

/** The names under which this source's outputs would be in order: all of them made, and its own. */
async function ownNames(
  { index, options }: Bench,
  { found, names }: { found: Found; names: string[] },
  lookup: Lookup,
): Promise<{ names: string[]; lookup: Lookup } | undefined> {
  const owners = names
    .map((path) => lookup.output(path))
    .map((record) => (isMade(record) ? record.source : undefined));
  if (owners.every((owner) => owner === found.source)) return { names, lookup };
  // Only where the plain names are another's may this source have got others.
  if (owners.every((owner) => owner === undefined || owner === found.source)) return undefined;
  const tagged = candidateNames(found, options).slice(1);
  const more = await index.lookup([found.source, ...tagged.flat()], tagged.flat());
  const own = tagged.find((paths) =>
    paths.every((path) => {
      const record = more.output(path);
      return isMade(record) && record.source === found.source;
    }),
  );
  return own && { names: own, lookup: more };
}

async function factsOf(
  places: Places,
  { source, facts }: Found,
  paths: readonly string[],
  lookup: Lookup,
  disk: readonly (FileFacts | 'foreign' | null)[],
): Promise<Facts | undefined> {
  const recorded = lookup.source(source);
  if (facts === null || recorded === undefined) return undefined;
  const digest = trustedDigest(facts, recorded);
  return { ...(await factsByStat(places, source, facts, paths, lookup, disk)), digest };
}

function unchangedEvent({ options, run }: Bench, found: Found, facts: Facts, started: number): JobEvent {
  const outputs = facts.wanted.map(({ record }) => describe(record as OutputRecord));
  return {
    type: 'job',
    batch: run.batch,
    source: found.given,
    state: 'unchanged',
    ...(facts.recorded === undefined ? {} : pictureOf(facts.recorded)),
    outputs: outputs.map((output) => outputAsGiven(output, options)),
    ms: { digest: 0, decode: 0, encode: 0, commit: 0, total: Date.now() - started },
    attempts: 0,
  };
}

/** What a chunk of unchanged sources adds to the counts. */
export function tallyOf(unchanged: readonly JobEvent[]): Tally {
  let bytesIn = 0;
  let bytesOut = 0;
  for (const event of unchanged) {
    bytesIn += event.bytes ?? 0;
    for (const { bytes } of event.outputs ?? []) bytesOut += bytes;
  }
  return { unchanged: unchanged.length, bytesIn, bytesOut };
}
