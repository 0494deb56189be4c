import type { JobEvent, OutputRecord, SourceRecord, Unstamped } from '../../model.ts';
import type { FoundSource, Lookup } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { decide, type Facts, isAskedAs, isMade, trustedDigest, type Wanted } from '../job/decide.ts';
import { described, firstOnly, NO_TIME, outputAsGiven, pictureOf } from '../job/events.ts';
import { factsByStat } from '../job/facts.ts';
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

/** Here `sources` are those that need work, or of which a stat does not show that they need none. */
export interface Sorted extends Separated {
  readonly unchanged: readonly Unchanged[];
}

export interface Unchanged {
  readonly found: FoundSource;
  readonly event: Unstamped<JobEvent>;
  /** Sources that hold its plain names, in a batch with `takesPlainNames`. */
  readonly heldBy: readonly string[];
}

/** Finds out by records and stats alone which files need work. Completes the records of unchanged sources. */
export async function sortOut(context: JobContext, chunk: readonly FoundSource[]): Promise<Sorted> {
  const startedAt = Date.now();
  const { sources, outputs, lookup } = await tellApart(context, chunk);
  const own = await ownNames(context, sources, lookup);
  const paths = sources.flatMap((one) => own.get(one)?.names ?? []);
  // An unreadable folder fails its own jobs, not the walk.
  const stats = await context.storage.stat(paths).catch(() => []);
  let at = 0;
  const changed: NamedSource[] = [];
  const unchanged: Unchanged[] = [];
  const undated: Pick<SourceRecord, 'path' | 'ctime'>[] = [];
  const unasked: OutputRecord[] = [];
  for (const one of sources) {
    const { found } = one;
    const mine = own.get(one);
    const recorded = lookup.source(found.source);
    const disk = stats.slice(at, at + (mine?.names.length ?? 0));
    at += disk.length;
    const facts = mine && recorded && factsOf(context, found, recorded, mine, disk);
    if (facts !== undefined && decide(facts).action === 'unchanged') {
      const event = unchangedEvent(context, found.given, facts, startedAt);
      unchanged.push({ found, event, heldBy: mine?.heldBy ?? [] });
      unasked.push(...facts.wanted.flatMap((one) => asAsked(context.options.preset.name, one)));
      const ctime = found.facts?.ctime ?? null;
      if (recorded?.ctime === null && ctime !== null) undated.push({ path: found.source, ctime });
    } else changed.push(one);
  }
  if (undated.length > 0) await context.index.addCtimes(undated);
  if (unasked.length > 0) await context.index.ask(context.options.preset.name, unasked, true);
  return { sources: changed, unchanged, outputs, lookup };
}

/** The record of an output as the preset asks for it, if the index has another one. */
function asAsked(preset: string, { record, variant: { name } }: Wanted): OutputRecord[] {
  if (!isMade(record) || isAskedAs(name, preset, record)) return [];
  return [{ ...record, variant: name }];
}

/** A source's names, all of which it owns, with the records of its outputs. */
interface Own extends Pick<Unchanged, 'heldBy'> {
  readonly names: readonly string[];
  readonly records: readonly Wanted['record'][];
}

/** The names of each source that owns outputs under all its names. */
async function ownNames(context: JobContext, all: readonly NamedSource[], lookup: Lookup) {
  const { index, sources, takesPlainNames } = context;
  const own = new Map<NamedSource, Own>();
  const isOwn = (one: NamedSource, names: readonly string[], from: Lookup, heldBy: readonly string[]) => {
    const records = names.map(from.output);
    const areOwn = records.every((record) => isMade(record) && record.source === one.found.source);
    if (areOwn) own.set(one, { names, records, heldBy });
    return areOwn;
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
  { names, records }: Own,
  disk: readonly Wanted['disk'][],
): Facts | undefined {
  if (facts === null || refusedNow(recorded, context.options.limits) !== undefined) return undefined;
  const known = { source, recorded, digest: trustedDigest(facts, recorded) };
  return factsByStat(context, known, facts, names, records, disk);
}

function unchangedEvent({ options }: JobContext, given: string, facts: Facts, startedAt: number) {
  const { recorded } = facts;
  const outputs = facts.wanted.map(({ record, variant }) =>
    outputAsGiven(described(record as OutputRecord, variant, recorded), options, 'kept'),
  );
  const event: Unstamped<JobEvent> = {
    type: 'job',
    source: given,
    state: 'unchanged',
    ...(recorded && Object.assign(pictureOf(recorded, options), firstOnly(recorded, outputs))),
    outputs,
    ms: { ...NO_TIME, total: Date.now() - startedAt },
    attempts: 0,
  };
  return event;
}

/** Names the files, and separates sources from files that the index knows as outputs, by path or by bytes. */
export async function tellApart(context: JobContext, chunk: readonly FoundSource[]): Promise<Separated> {
  const named = chunk.map((found) => new NamedSource(found, context.options));
  const paths = chunk.map(({ source }) => source);
  const plain = named.flatMap((one) => one.plain);
  const lookup = await context.index.lookup(paths, plain);
  const recordedAs = ({ found: { source } }: NamedSource) => {
    const record = lookup.output(source);
    if (record?.path !== source) return undefined;
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
