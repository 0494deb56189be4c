import type { Job, OutputRecord } from '../../model.ts';
import type { Staged } from '../../ports.ts';
import { pathAsGiven, taggedNaming } from '../batch/names.ts';
import { giveAway } from './commit.ts';
import type { JobContext } from './context.ts';
import { isMade, type Step, sameFile } from './decide.ts';
import { isBelow, isIntact } from './facts.ts';

/** Removed outputs, and the new outputs of skipped duplicates that they were given to. */
interface Removal {
  /** Absolute paths. */
  readonly removed: readonly string[];
  readonly given: readonly OutputRecord[];
}

/**
 * Removes outputs that the source had under other names and that its new outputs replace: those under a former spelling,
 * and in a mirror those under tagged names once the source has its plain names. `givenUp` are names that it gives up.
 */
export async function removeSuperseded(
  context: JobContext,
  job: Job,
  digest: string,
  steps: readonly Step[],
  staged: Staged[],
): Promise<Removal & { readonly givenUp: readonly string[] }> {
  const tagged = context.mirror && job.naming === 0 ? await taggedOutputs(context, job) : [];
  const former = [...steps.flatMap(formerSpelling), ...tagged];
  const isShared = (one: OutputRecord) =>
    one.digest !== digest || steps.every(({ wanted }) => wanted.settings !== one.settings);
  const removal = await removeOutputs(context, job.source, former, isShared, staged);
  return { ...removal, givenUp: tagged.map(({ path }) => path) };
}

/**
 * Removes outputs of a source, except files that are not as recorded. Skipped duplicates first get those that are
 * `isShared`. Appends the files that it stages to `staged`.
 */
export async function removeOutputs(
  context: JobContext,
  source: string,
  outputs: readonly OutputRecord[],
  isShared: (output: OutputRecord) => boolean,
  staged: Staged[],
): Promise<Removal> {
  const { index, storage, sources, options } = context;
  if (outputs.length === 0) return { removed: [], given: [] };
  const disk = await storage.stat(outputs.map(({ path }) => path));
  const given: OutputRecord[] = [];
  const intact: string[] = [];
  for (const [i, record] of outputs.entries()) {
    if (!(await isIntact(record, disk[i] ?? null, storage))) continue;
    if (isShared(record)) given.push(...(await giveAway(context, record, source, staged)));
    intact.push(record.path);
  }
  // A renamed source may have taken over some outputs in the meantime.
  const still = new Set((await index.ownedBy(source)).map(({ path }) => path));
  const removed = intact.filter((path) => still.has(path));
  // A folder among the sources belongs to the user and is never removed.
  await storage.remove(removed, (await sources.covers(outputs[0]!.path)) ? null : options.out);
  return { removed, given };
}

/** Reports removed outputs, if any. `source` as given. */
export function reportRemoved(
  { emit, run, options }: JobContext,
  source: string,
  removed: readonly string[],
) {
  const paths = removed.map((path) => pathAsGiven(path, options));
  if (paths.length > 0) emit({ type: 'removed', batch: run.batch, source, paths });
}

/** The output under a former spelling of its name, on a disk that distinguishes the two spellings. */
function formerSpelling({ wanted: { record, path, disk } }: Step): OutputRecord[] {
  if (!isMade(record) || record.path === path) return [];
  const isOneName = disk !== null && disk !== 'foreign' && sameFile(disk, record);
  return isOneName ? [] : [record];
}

async function taggedOutputs({ index, options }: JobContext, job: Job): Promise<OutputRecord[]> {
  const own = (await index.ownedBy(job.source)).filter(isMade);
  return own.filter(
    ({ path }) => isBelow(path, options.out) && taggedNaming(path, job, options) !== undefined,
  );
}
