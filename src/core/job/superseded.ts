import type { Job, OutputRecord } from '../../model.ts';
import type { Staged } from '../../ports.ts';
import { taggedNaming } from '../batch/names.ts';
import { giveAway } from './commit.ts';
import type { JobContext } from './context.ts';
import { isMade, type Step, sameFile } from './decide.ts';
import { isBelow, isIntact } from './facts.ts';

/** Outputs that a job's own new names replace. */
export interface Superseded {
  /** Absolute paths of the files that were removed. */
  readonly removed: readonly string[];
  /** Names that the source gives up. */
  readonly givenUp: readonly string[];
  /** The new outputs of skipped duplicates. */
  readonly given: readonly OutputRecord[];
}

/**
 * Removes outputs that the source had under other names and that its new outputs replace: an output under a former
 * spelling of the same name, and with `mirror` those under tagged names once the source has its plain names. A file that
 * is not as recorded stays. When the bytes differ, skipped duplicates first get the old output. Appends the files that it
 * stages to `staged`.
 */
export async function removeSuperseded(
  context: JobContext,
  job: Job,
  digest: string,
  steps: readonly Step[],
  staged: Staged[],
): Promise<Superseded> {
  const { storage, sources, options } = context;
  const respelled = steps.flatMap(formerSpelling);
  const tagged = context.mirror && job.naming === 0 ? await taggedOutputs(context, job) : [];
  const former = [...respelled, ...tagged];
  if (former.length === 0) return { removed: [], givenUp: [], given: [] };
  const disk = await storage.stat(former.map(({ path }) => path));
  const removed: string[] = [];
  const given: OutputRecord[] = [];
  for (const [i, record] of former.entries()) {
    if (!(await isIntact(record, disk[i] ?? null, storage))) continue;
    const isSame =
      record.digest === digest && steps.some(({ wanted }) => wanted.settings === record.settings);
    if (!isSame) given.push(...(await giveAway(context, record, job.source, staged)));
    removed.push(record.path);
  }
  // A folder among the sources belongs to the user and is never removed.
  await storage.remove(removed, (await sources.covers(former[0]!.path)) ? null : options.out);
  return { removed, givenUp: tagged.map(({ path }) => path), given };
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
