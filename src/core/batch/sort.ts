import type { FileFacts, JobEvent, OutputRecord, Reservation, SourceRecord } from '../../model.ts';
import type { FoundSource, Lookup } from '../../ports.ts';
import type { FactPorts, JobContext } from '../job/context.ts';
import { decide, type Facts, isMade, trustedDigest } from '../job/decide.ts';
import { describe, outputAsGiven, pictureOf } from '../job/events.ts';
import { factsByStat } from '../job/facts.ts';
import { refusedNow } from '../job/limits.ts';
import { isMovedOutput } from '../job/moved.ts';
import { candidateNames, plainNames } from './names.ts';
import { ownersOf } from './reserve.ts';

export interface Sorted extends Pick<Separated, 'outputs'> {
  /** Sources that need work, or of which a stat does not show that they need none. */
  readonly changed: readonly FoundSource[];
  readonly unchanged: readonly Unchanged[];
}

interface Unchanged {
  readonly found: FoundSource;
  readonly event: JobEvent;
  /** Sources that hold its plain names, in a batch that mirrors. */
  readonly heldBy: readonly string[];
}

interface Separated {
  readonly sources: readonly FoundSource[];
  /** Files under the names of outputs. They are never sources. When `isMade` is false, a job is making the output. */
  readonly outputs: readonly { readonly found: FoundSource; readonly isMade: boolean }[];
}

/**
 * Finds out which files need work, by records and stats alone. Adds the ctime to the record of an unchanged source that
 * has none.
 */
export async function sortOut(context: JobContext, chunk: readonly FoundSource[]): Promise<Sorted> {
  const changed: FoundSource[] = [];
  const unchanged: Unchanged[] = [];
  const seenAt = Date.now();
  const named = new Map(chunk.map((found) => [found, plainNames(found, context.options)]));
  const lookup = await context.index.lookup(
    chunk.map(({ source }) => source),
    [...named.values()].flat(),
  );
  const { sources, outputs } = await tellApart(context, chunk, lookup);
  const own = await ownNames(context, sources, named, lookup);
  // An unreadable folder fails its own jobs, not the walk.
  const paths = sources.flatMap((found) => own.get(found)?.names ?? []);
  const disk = await context.storage.stat(paths).catch(() => null);
  const undated: { path: string; ctime: string }[] = [];
  let at = 0;
  for (const found of sources) {
    const mine = own.get(found);
    const here = disk?.slice(at, at + (mine?.names.length ?? 0));
    at += here?.length ?? 0;
    const facts = mine && here && factsOf(context, found, mine, here);
    if (facts !== undefined && decide(facts).action === 'unchanged') {
      unchanged.push({
        found,
        event: unchangedEvent(context, found, facts, seenAt),
        heldBy: mine?.heldBy ?? [],
      });
      const ctime = found.facts?.ctime ?? null;
      if (facts.recorded?.ctime === null && ctime !== null) undated.push({ path: found.source, ctime });
    } else changed.push(found);
  }
  if (undated.length > 0) await context.index.addCtimes(undated);
  return { changed, unchanged, outputs };
}

/** A source's names, all of which it owns, with the records of its outputs and of the source. */
interface Own {
  readonly names: readonly string[];
  readonly records: readonly OutputRecord[];
  readonly recorded: SourceRecord | undefined;
  readonly heldBy: readonly string[];
}

/** The names of each source that owns outputs under all its names. */
async function ownNames(
  context: JobContext,
  sources: readonly FoundSource[],
  plain: ReadonlyMap<FoundSource, readonly string[]>,
  lookup: Lookup,
): Promise<ReadonlyMap<FoundSource, Own>> {
  const { index, options } = context;
  const own = new Map<FoundSource, Own>();
  const tagged = new Map<FoundSource, readonly string[][]>();
  for (const found of sources) {
    const names = plain.get(found) ?? [];
    const records = names.map(lookup.output);
    const recorded = lookup.source(found.source);
    if (areAllOf(found, records)) own.set(found, { names, records, recorded, heldBy: [] });
    else if (recorded !== undefined) tagged.set(found, candidateNames(found, options).slice(1));
  }
  if (tagged.size === 0) return own;
  const more = await index.lookup([], [...tagged.values()].flat(2));
  const holders = context.mirror ? await holdersOf(context, [...tagged.keys()], plain, lookup) : undefined;
  for (const [found, candidates] of tagged) {
    for (const names of candidates) {
      const records = names.map(more.output);
      if (!areAllOf(found, records)) continue;
      const heldBy = holders?.get(found) ?? [];
      const recorded = lookup.source(found.source);
      // In a mirror a source takes its plain names as soon as they are free.
      if (holders === undefined || heldBy.length > 0) own.set(found, { names, records, recorded, heldBy });
      break;
    }
  }
  return own;
}

/** For each source, the other existing sources that own one of its plain names. */
async function holdersOf(
  { sources }: JobContext,
  found: readonly FoundSource[],
  plain: ReadonlyMap<FoundSource, readonly string[]>,
  lookup: Lookup,
): Promise<ReadonlyMap<FoundSource, readonly string[]>> {
  const owners = new Map(found.map((one) => [one, ownersOf(plain.get(one) ?? [], lookup, one.source)]));
  const gone = new Set(await sources.gone([...new Set([...owners.values()].flat())]));
  return new Map([...owners].map(([one, those]) => [one, those.filter((owner) => !gone.has(owner))]));
}

/** Whether all records are outputs of this source. */
function areAllOf(
  { source }: FoundSource,
  records: readonly (OutputRecord | Reservation | undefined)[],
): records is readonly OutputRecord[] {
  return records.every((record) => isMade(record) && record.source === source);
}

function factsOf(
  ports: FactPorts,
  { source, facts }: FoundSource,
  { names, records, recorded }: Own,
  disk: readonly (FileFacts | 'foreign' | null)[],
): Facts | undefined {
  if (facts === null || recorded === undefined) return undefined;
  if (refusedNow(recorded, ports.options.limits) !== undefined) return undefined;
  const known = { source, recorded, digest: trustedDigest(facts, recorded) };
  return factsByStat(ports, known, names, records, disk);
}

function unchangedEvent(
  { options, run }: JobContext,
  found: FoundSource,
  facts: Facts,
  started: number,
): JobEvent {
  const picture = facts.recorded && pictureOf(facts.recorded);
  return {
    type: 'job',
    batch: run.batch,
    source: found.given,
    state: 'unchanged',
    ...picture,
    outputs: facts.wanted.map(({ record }) => outputAsGiven(describe(record as OutputRecord), options)),
    ms: { digest: 0, decode: 0, encode: 0, commit: 0, total: Date.now() - started },
    attempts: 0,
  };
}

/** Separates sources from files that the index knows as outputs, by path or by bytes. */
export async function tellApart(
  context: JobContext,
  chunk: readonly FoundSource[],
  lookup: Lookup,
): Promise<Separated> {
  const { suspects } = context;
  const sources: FoundSource[] = [];
  const outputs: { found: FoundSource; isMade: boolean }[] = [];
  const unknown: FoundSource[] = [];
  for (const found of chunk) {
    const record = lookup.output(found.source);
    const isHeld = () => lookup.isInWork(found.source) || suspects.has(found.source);
    if (record?.path === found.source && (isMade(record) || isHeld()))
      outputs.push({ found, isMade: isMade(record) });
    else unknown.push(found);
  }
  const moved = await Promise.all(unknown.map(({ source }) => isMovedOutput(context, source, lookup)));
  for (const [i, found] of unknown.entries()) {
    if (moved[i]) outputs.push({ found, isMade: true });
    else sources.push(found);
  }
  return { sources, outputs };
}
