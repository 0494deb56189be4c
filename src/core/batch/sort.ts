import { basename, dirname, join } from 'node:path';
import type { JobEvent, Output, OutputRecord, SourceRecord, Unstamped } from '../../model.ts';
import type { FoundSource, Lookup } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import {
  decide,
  type Facts,
  isAskedAs,
  isMade,
  sameFile,
  trustedDigest,
  type Wanted,
} from '../job/decide.ts';
import { described, firstOnly, NO_TIME, outputAsGiven, pictureOf } from '../job/events.ts';
import { factsByStat, isBelow } from '../job/facts.ts';
import { isMovedOutput } from '../job/moved.ts';
import { refusedNow } from '../job/open-source.ts';
import { NamedSource } from './names.ts';
import { goneAmong, ownersOf } from './reserve.ts';

/** The files of a chunk. */
export interface Separated {
  readonly sources: readonly NamedSource[];
  /** Files under the names of outputs. They are never sources. When `isMade` is false, a job is making the output. */
  readonly outputs: readonly { readonly found: FoundSource; readonly isMade: boolean }[];
  /** The records of the files, and of outputs under their plain names. */
  readonly lookup: Lookup;
}

/** `sources` are now only those that may need work: a stat could not prove the opposite. */
export interface Sorted extends Separated {
  readonly unchanged: readonly Unchanged[];
}

export interface Unchanged {
  readonly found: FoundSource;
  readonly event: Unstamped<JobEvent>;
  /** Sources that hold its plain names, in a batch with `takesPlainNames`. */
  readonly heldBy: readonly string[];
}

/**
 * Finds out by records and stats alone which files need work. Completes the records of unchanged sources. Code that runs
 * for each source has loops instead of `map`: V8 gives the array of an optimised `map` another type, and compiles all
 * code again that reads it. A run over 5,000 unchanged files spends a third of its time on compiling.
 */
export async function sortOut(context: JobContext, chunk: readonly FoundSource[]): Promise<Sorted> {
  const startedAt = Date.now();
  const preset = context.options.preset.name;
  const { sources, outputs, lookup } = await tellApart(context, chunk);
  const own = await ownNames(context, sources, lookup);
  const paths = sources.flatMap((one) => own.get(one)?.names ?? []);
  // If a folder cannot be read, its own jobs fail later, and the walk goes on.
  const stats = await context.storage.stat(paths).catch(() => []);
  let at = 0;
  const changed: NamedSource[] = [];
  const unchanged: Unchanged[] = [];
  const undated: Pick<SourceRecord, 'path' | 'ctime'>[] = [];
  /** Records of outputs for which the index does not know that this preset asks. */
  const unasked: OutputRecord[] = [];
  for (const one of sources) {
    const { found } = one;
    const mine = own.get(one);
    const recorded = lookup.source(found.source);
    const disk = stats.slice(at, at + (mine?.names.length ?? 0));
    at += disk.length;
    const facts = mine && recorded && factsOf(context, found, recorded, mine, disk);
    if (recorded !== undefined && facts !== undefined && decide(facts).action === 'unchanged') {
      const event = unchangedEvent(context, found.given, recorded, facts, startedAt);
      unchanged.push({ found, event, heldBy: mine?.heldBy ?? [] });
      for (const { record, variant } of facts.wanted) {
        if (isMade(record) && !isAskedAs(variant.name, preset, record))
          unasked.push({ ...record, variant: variant.name });
      }
      const ctime = found.facts?.ctime ?? null;
      if (recorded.ctime === null && ctime !== null) undated.push({ path: found.source, ctime });
    } else changed.push(one);
  }
  if (undated.length > 0) await context.index.addCtimes(undated);
  if (unasked.length > 0) await context.index.ask(preset, unasked, true);
  return { sources: changed, unchanged, outputs, lookup };
}

/** A source's names, all of which it owns, with the records of its outputs. */
interface OwnNames extends Pick<Unchanged, 'heldBy'> {
  readonly names: readonly string[];
  readonly records: readonly Wanted['record'][];
}

/** The names of each source that owns outputs under all its names. */
async function ownNames(context: JobContext, all: readonly NamedSource[], lookup: Lookup) {
  const { index, sources, takesPlainNames } = context;
  const own = new Map<NamedSource, OwnNames>();
  const isOwn = (one: NamedSource, names: readonly string[], from: Lookup, heldBy: readonly string[]) => {
    const records: OutputRecord[] = [];
    for (const name of names) {
      const record = from.output(name);
      if (!isMade(record) || record.source !== one.found.source) return false;
      records.push(record);
    }
    own.set(one, { names, records, heldBy });
    return true;
  };
  const others = all.filter((one) => {
    return !isOwn(one, one.plain, lookup, []) && lookup.source(one.found.source) !== undefined;
  });
  if (others.length === 0) return own;
  const tagged = others.flatMap(({ candidates }) => candidates.slice(1).flat());
  const more = await index.lookup([], tagged);
  const rivals = takesPlainNames ? others.flatMap((one) => ownersOf(one.plain, lookup, one)) : [];
  const gone = await goneAmong(sources, rivals);
  for (const one of others) {
    const heldBy = takesPlainNames
      ? ownersOf(one.plain, lookup, one).filter((owner) => !gone.has(owner))
      : [];
    if (takesPlainNames && heldBy.length === 0) continue;
    one.candidates.slice(1).some((names) => isOwn(one, names, more, heldBy));
  }
  return own;
}

function factsOf(
  context: JobContext,
  { source, facts }: FoundSource,
  recorded: SourceRecord,
  { names, records }: OwnNames,
  disk: readonly Wanted['disk'][],
): Facts | undefined {
  if (facts === null || refusedNow(recorded, context.options.limits) !== undefined) return undefined;
  const known = { source, recorded, digest: trustedDigest(facts, recorded) };
  return factsByStat(context, known, facts, names, records, disk);
}

/** The event has its batch from the start: adding the id later would copy the event. */
function unchangedEvent(
  { options, run }: JobContext,
  given: string,
  recorded: SourceRecord,
  { wanted }: Facts,
  startedAt: number,
): JobEvent {
  const outputs: Output[] = [];
  for (const { record, variant } of wanted) {
    outputs.push(outputAsGiven(described(record as OutputRecord, variant, recorded), options, 'kept'));
  }
  const event = { type: 'job', batch: run.batch, source: given, state: 'unchanged' } as const;
  const ms = { ...NO_TIME, total: Date.now() - startedAt };
  return Object.assign(event, pictureOf(recorded, options), firstOnly(recorded, outputs), {
    outputs,
    ms,
    attempts: 0,
  });
}

/** Names the files, and separates sources from files that the index knows as outputs, by path or by bytes. */
export async function tellApart(context: JobContext, chunk: readonly FoundSource[]): Promise<Separated> {
  const named = chunk.map((found) => new NamedSource(found, context.options));
  const paths = chunk.map(({ source }) => source);
  const plain = named.flatMap((one) => one.plain);
  const lookup = await context.index.lookup(paths, plain);
  const ownPictures = await ownPicturesAmong(context, chunk, lookup);
  const linked = await outputsBehindLinks(context, paths);
  const recordedAs = ({ found: { source } }: NamedSource) => {
    if (linked.has(source)) return 'made';
    const record = lookup.output(source);
    if (record?.path !== source || ownPictures.has(source)) return undefined;
    if (isMade(record)) return 'made';
    return lookup.isInWork(source) || context.suspects.has(source) ? 'in work' : undefined;
  };
  const sources: NamedSource[] = [];
  const outputs: { found: FoundSource; isMade: boolean }[] = [];
  const kinds = named.map(recordedAs);
  const unrecorded = named.filter((_, i) => kinds[i] === undefined);
  const moved = await movedAmong(context, unrecorded, lookup);
  for (const [i, one] of named.entries()) {
    const kind = moved.has(one) ? 'made' : kinds[i];
    if (kind === undefined) sources.push(one);
    else outputs.push({ found: one.found, isMade: kind === 'made' });
  }
  return { lookup, sources, outputs };
}

/**
 * The files that the user names and that have other bytes than the outputs that were made there for another `--out`: they
 * are pictures of the user. An edited output below this `--out` is not one. The batch makes such an output again.
 */
async function ownPicturesAmong(
  { options, storage }: JobContext,
  chunk: readonly FoundSource[],
  lookup: Lookup,
) {
  const own = new Set<string>();
  for (const { source, facts, isNamed } of chunk) {
    if (!isNamed || facts === null || isBelow(source, options.out)) continue;
    const record = lookup.output(source);
    if (!isMade(record) || record.path !== source || sameFile(facts, record)) continue;
    const digest = facts.size === record.size ? trustedDigest(facts, lookup.source(source)) : '';
    if ((digest ?? (await storage.checksum(source).catch(() => ''))) !== record.checksum) own.add(source);
  }
  return own;
}

/** The files that a link among their folders leads to, and that are outputs by their paths without links. */
async function outputsBehindLinks({ index, storage }: JobContext, paths: readonly string[]) {
  const folders = new Map<string, string>();
  const real = new Map<string, string>();
  for (const path of paths) {
    const folder = dirname(path);
    // A file in a folder that cannot be read fails later.
    if (!folders.has(folder)) folders.set(folder, dirname(await storage.realPath(path).catch(() => path)));
    const found = folders.get(folder)!;
    if (found !== folder) real.set(path, join(found, basename(path)));
  }
  if (real.size === 0) return real;
  const lookup = await index.lookup([], [...real.values()]);
  for (const [path, at] of real) {
    const record = lookup.output(at);
    if (!isMade(record) || record.path !== at) real.delete(path);
  }
  return real;
}

/** The files that are outputs of this template by their bytes. Files that are recorded as sources are not read. */
async function movedAmong(context: JobContext, named: readonly NamedSource[], lookup: Lookup) {
  const moved = new Set<NamedSource>();
  const unknown = named.filter(({ found }) => lookup.source(found.source) === undefined);
  const look = async (one: NamedSource) => {
    if (await isMovedOutput(context, one.found.source, lookup)) moved.add(one);
  };
  await Promise.all(unknown.map(look));
  return moved;
}
