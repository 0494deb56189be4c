import { dirname } from 'node:path';
import { asImgtoolError } from '../../errors.ts';
import type { FileFacts, OutputRecord, SourceRecord } from '../../model.ts';
import type { Lookup, Storage } from '../../ports.ts';
import type { JobContext } from './context.ts';
import { type Facts, isChanged, isMade, isUnclear, isUnknown, sameFile, type Wanted } from './decide.ts';
import { madeAs } from './moved.ts';

/** The facts about a source by stat alone. The index must record an output under each of its names. */
export function factsByStat(
  { options, settings }: JobContext,
  { source, recorded, digest }: Pick<Facts, 'source' | 'recorded' | 'digest'>,
  { mtime }: Pick<FileFacts, 'mtime'>,
  paths: readonly string[],
  records: readonly Wanted['record'][],
  disk: readonly (FileFacts | 'foreign' | null)[],
): Facts {
  const { force, outdated, duplicates, preset, times } = options;
  // A loop instead of `map`, for the reason given at `sortOut`.
  const wanted: Wanted[] = [];
  for (const [i, variant] of preset.variants.entries()) {
    const [path, record, found] = [paths[i]!, records[i], disk[i] ?? null];
    wanted.push({ path, variant, settings: settings[i]!, record, disk: found, holds: null });
  }
  const kind = digest === undefined ? undefined : recorded;
  const modified = times === true ? mtime : null;
  return { source, recorded, digest, kind, wanted, elsewhere: [], force, outdated, duplicates, modified };
}

/** The facts about one job, whatever is under its names. Reads an output when a stat is not enough. */
export async function factsOfJob(
  context: JobContext,
  source: string,
  found: FileFacts,
  paths: readonly string[],
): Promise<Facts> {
  const { index, storage, sources, options } = context;
  const lookup = await index.lookup([source, ...paths], paths);
  const facts = factsByStat(
    context,
    { source, recorded: lookup.source(source), digest: undefined },
    found,
    paths,
    paths.map(lookup.output),
    await storage.stat(paths),
  );
  const wanted: Wanted[] = [];
  for (const { record: recorded, ...rest } of facts.wanted) {
    const { path, disk } = rest;
    const isOwn = recorded?.source === source;
    const isOther = isOwn && (await isOtherFile(storage, recorded, rest));
    const one: Wanted = {
      ...rest,
      ...(isOther ? { record: undefined, former: recorded } : { record: recorded }),
    };
    const isSource = await holdsSource(context, one, lookup);
    let holds: Wanted['holds'] = null;
    if (disk !== null && !isMade(one.record)) {
      if (disk !== 'foreign' && sameFile(disk, found)) holds = 'this source';
      // A source is any file of this batch or of an earlier one.
      else if (isSource || (await sources.covers(path))) holds = 'another source';
    }
    const isFree = !isSource && holds !== 'this source' && (!options.force || holds !== null);
    const mayBeMoved = isUnknown(one) && isFree;
    const checksum = isUnclear(one) || mayBeMoved ? ((await storage.checksum(path)) ?? undefined) : undefined;
    const isMoved =
      mayBeMoved && checksum !== undefined && (await madeAs(context, path, checksum)) !== undefined;
    // A batch has processed what somebody put in the place of the output.
    if (isSource && isChanged({ ...one, checksum })) holds = 'another source';
    const known = { ...one, holds: isMoved ? null : holds, checksum, isMoved };
    wanted.push(leftAsEdit(context, known));
  }
  return { ...facts, wanted };
}

/**
 * Whether a batch has processed the file as a source, also by its path without links. If imgtool made the output after
 * that, the source was taken away before, and the file is an edit.
 */
async function holdsSource({ index, storage }: JobContext, { path, record, disk }: Wanted, lookup: Lookup) {
  if (disk === null || disk === 'foreign') return lookup.source(path) !== undefined;
  if (isMade(record) && sameFile(disk, record)) return false;
  const real = await storage.realPath(path);
  const source =
    lookup.source(path) ?? (real === path ? undefined : (await index.lookup([real], [])).source(real));
  if (source === undefined || !isMade(record)) return source !== undefined;
  return sameFile(disk, source) || !(Number(record.mtime) / 1e6 > source.seenAt);
}

/** Whether the file is not the recorded output, whose name differs only in its spelling. */
async function isOtherFile(
  storage: Storage,
  record: Wanted['record'],
  { path, disk }: Omit<Wanted, 'record'>,
) {
  if (!isMade(record) || record.path === path || disk === null || disk === 'foreign') return false;
  if (sameFile(disk, record)) return false;
  const [recorded = null] = await storage.stat([record.path]);
  return recorded === null || recorded === 'foreign' || !sameFile(recorded, disk);
}

/** The output, left as it is where somebody has edited it and an edit must stay. */
function leftAsEdit({ repairs, options, suspects }: JobContext, wanted: Wanted): Wanted {
  const isLeft =
    isChanged(wanted) && (repairs === null ? options.keepEdited === true : !isOneOf(repairs, wanted));
  return isLeft ? { ...wanted, isLeft, isSuspect: suspects.has(wanted.path) } : wanted;
}

/** The facts with the checksums of these outputs. Errors: `output_unreadable`. Nobody knows what such a file is. */
export async function withChecksums(
  context: JobContext,
  facts: Facts,
  unread: readonly Wanted[],
): Promise<Facts> {
  const wanted = facts.wanted.map(async (one) => {
    if (!unread.includes(one)) return one;
    const checksum = (await context.storage.checksum(one.path)) ?? undefined;
    return leftAsEdit(context, { ...one, checksum });
  });
  return { ...facts, wanted: await Promise.all(wanted) };
}

/** Whether the file is one of those that were found wrong. */
function isOneOf(repairs: ReadonlyMap<string, FileFacts>, { path, record, disk }: Wanted): boolean {
  const wrong = repairs.get(record?.path ?? path);
  return wrong !== undefined && disk !== null && disk !== 'foreign' && sameFile(disk, wrong);
}

/** Adds what is known of the source, and the outputs of the same bytes under other names. */
export async function withDigest(
  context: JobContext,
  facts: Facts,
  source: Pick<SourceRecord, 'digest' | 'format' | 'pages'>,
): Promise<Facts> {
  const { index, storage, sources, options } = context;
  const { digest } = source;
  const known = { ...facts, digest, kind: source };
  const settings = [...new Set(facts.wanted.map((one) => one.settings))];
  const made = await index.made(digest, settings);
  const records = made.filter(({ path }) => facts.wanted.every((one) => one.path !== path));
  if (records.length === 0) return { ...known, elsewhere: [] };
  const owners = [...new Set(records.map((record) => record.source))];
  const [lookup, there] = await Promise.all([index.lookup(owners, []), sources.statAll(owners)]);
  const others = owners.filter((owner, i) => has(there[i], lookup.source(owner), digest));
  const live = new Set(others.filter((owner) => owner !== facts.source));
  const elsewhere = records.map(async (record) => ({
    record,
    intact: await isThereIntact(record, storage),
    ownerThere: live.has(record.source),
    sameFolder: isBelow(record.path, options.out),
    linkable: record.linkable === options.out.length && isBelow(record.path, options.out),
  }));
  return { ...known, elsewhere: await Promise.all(elsewhere) };
}

/** Whether a source exists and still has its recorded bytes. */
export function has(facts: FileFacts | null | undefined, recorded: SourceRecord | undefined, digest: string) {
  return facts != null && recorded?.digest === digest && sameFile(facts, recorded);
}

/** Whether an output is there as recorded. One that cannot be read is of no use to others. */
async function isThereIntact(record: OutputRecord, storage: Storage): Promise<boolean> {
  try {
    const [disk = null] = await storage.stat([record.path]);
    return await isIntact(record, disk, storage);
  } catch (error) {
    if (asImgtoolError(error).fatal) throw error;
    return false;
  }
}

/** Whether a file has the recorded bytes. It is read: an edit in place can keep size, time and inode. */
export async function hasBytes(record: OutputRecord, disk: Wanted['disk'], storage: Storage) {
  if (disk === null || disk === 'foreign' || disk.size !== record.size) return false;
  return (await storage.checksum(record.path)) === record.checksum;
}

/** Whether a file is as recorded, as far as its stat shows. If the stat differs, the file is read. */
export async function isIntact(record: OutputRecord, disk: Wanted['disk'], storage: Storage) {
  if (disk === null || disk === 'foreign' || disk.size !== record.size) return false;
  return sameFile(disk, record) || (await storage.checksum(record.path)) === record.checksum;
}

export function isBelow(path: string, folder: string): boolean {
  for (let above = dirname(path); ; above = dirname(above)) {
    if (above === folder) return true;
    if (above === dirname(above)) return false;
  }
}
