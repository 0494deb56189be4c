import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { NameRecord, OutputRecord, Warning } from '../../model.ts';
import type { Staged } from '../../ports.ts';
import { pathAsGiven, taggedNaming } from '../batch/names.ts';
import { giveAway, type Staging } from './commit.ts';
import type { JobContext, JobWork } from './context.ts';
import { isMade, type Step, sameFile, type Wanted } from './decide.ts';
import { hasBytes, isBelow } from './facts.ts';

/**
 * Removes outputs that the source had under other names and that its new outputs replace: those under a former spelling,
 * and those under tagged names once it takes its plain names. `givenUp` are names that it gives up.
 */
export async function removeSuperseded(work: JobWork, steps: readonly Step[]) {
  const { job, source, takesPlainNames } = work;
  // An edit that stays under a plain name replaces no tagged output.
  const takes = takesPlainNames && job.naming === 0 && steps.every(({ kind }) => kind !== 'leave');
  const tagged = takes ? await taggedOutputs(work) : [];
  const former = [...steps.flatMap(formerSpelling), ...tagged];
  const isShared = ({ digest, settings }: OutputRecord) =>
    digest !== source.digest || steps.every(({ wanted }) => wanted.settings !== settings);
  const removal = await removeOutputs(work, source.path, former, isShared);
  return { ...removal, givenUp: tagged.map(({ path }) => path) };
}

/**
 * Removes outputs of a source, and the records of these names. A file that must stay stays, a warning names it, and no
 * source owns it any more. With `isGone` it also removes the record of the source. An output that cannot be
 * removed stays with its record, and a warning gives the reason. Errors: fatal ones.
 */
export async function removeRecorded(
  context: JobContext,
  source: string,
  own: readonly NameRecord[],
  isGone: boolean,
): Promise<void> {
  const { index, sources, emit } = context;
  const given = sources.givenOf(source);
  const staged: Staged[] = [];
  try {
    const removal = await removeOutputs({ ...context, staged }, source, own.filter(isMade), () => true);
    const { removed, stay, error } = removal;
    const names = error === undefined ? own.map(({ path }) => path) : removed;
    await index.forget(source, names, removal.given, isGone && error === undefined);
    for (const warning of stay) emit(warning);
    reportRemoved(context, given, removed);
    if (error !== undefined) throw error;
  } catch (thrown) {
    const error = asImgtoolError(thrown);
    if (error.fatal) throw error;
    emit(notRemovable(context, source, error));
  } finally {
    for (const one of staged) await one.discard();
  }
}

/** The warning about a source whose outputs cannot be removed. */
export function notRemovable(
  { sources }: JobContext,
  source: string,
  { message, fix }: ImgtoolError,
): Warning {
  const what = `${sources.givenOf(source)}: its outputs could not be removed: ${message}`;
  return { type: 'warning', message: what, ...(fix === undefined ? {} : { fix }) };
}

/**
 * Looks whether an output can be removed. Else it returns a warning: somebody has changed the file, or the name leads
 * through a link to a source or to another output. `missing` where no file is.
 */
export async function removability(
  { index, storage, options }: Pick<JobContext, 'index' | 'storage' | 'options'>,
  record: OutputRecord,
  disk: Wanted['disk'],
): Promise<'removable' | 'missing' | Warning> {
  if (disk === null) return 'missing';
  const stays = (why: string): Warning => {
    const message = `${pathAsGiven(record.path, options)}: ${why}, so the file stays`;
    return { type: 'warning', message, fix: 'remove it yourself if nobody needs it' };
  };
  if (!(await hasBytes(record, disk, storage))) return stays('was changed since imgtool made it');
  const real = await storage.realPath(record.path);
  if (real === record.path) return 'removable';
  const lookup = await index.lookup([real], [real]);
  if (lookup.source(real) !== undefined) return stays(`is ${real}, a picture that imgtool processes`);
  const output = lookup.output(real);
  if (!isMade(output) || output.path === record.path) return 'removable';
  return stays(`is ${real}, which is recorded as another output`);
}

/**
 * Removes outputs of a source, except files that must stay. Skipped duplicates first get those for which `isShared`
 * holds. Returns the paths of the removed outputs, a warning for each file that stays, the records of the `given` ones, and
 * why an output could not be removed.
 */
async function removeOutputs(
  work: Staging,
  source: string,
  outputs: readonly OutputRecord[],
  isShared: (output: OutputRecord) => boolean,
) {
  const { index, storage, sources, options } = work;
  const given: OutputRecord[] = [];
  const intact: string[] = [];
  const stay: Warning[] = [];
  if (outputs.length === 0) return { removed: intact, given, stay, error: undefined };
  const disk = await storage.stat(outputs.map(({ path }) => path));
  for (const [i, record] of outputs.entries()) {
    const found = await removability(work, record, disk[i] ?? null);
    if (typeof found === 'object') stay.push(found);
    if (found !== 'removable') continue;
    if (isShared(record)) for (const one of await giveAway(work, record, source)) given.push(one);
    intact.push(record.path);
  }
  // A renamed source may have taken over some outputs in the meantime.
  const still = new Set((await index.ownedBy(source)).map(({ path }) => path));
  const unneeded = intact.filter((path) => still.has(path));
  // A folder among the sources belongs to the user and is never removed.
  const emptyBelow = (await sources.covers(outputs[0]!.path)) ? null : options.out;
  return { ...(await storage.remove(unneeded, emptyBelow)), given, stay };
}

/** Reports removed outputs, if any. */
export function reportRemoved(context: JobContext, given: string, removed: readonly string[]): void {
  const paths = removed.map((path) => pathAsGiven(path, context.options));
  if (paths.length > 0) context.emit({ type: 'removed', source: given, paths });
}

/** The output under a former spelling of its name, on a disk that distinguishes the two spellings. */
function formerSpelling({ wanted: { former, record = former, path, disk } }: Step): OutputRecord[] {
  if (!isMade(record) || record.path === path) return [];
  const isOneName = disk !== null && disk !== 'foreign' && sameFile(disk, record);
  return isOneName ? [] : [record];
}

async function taggedOutputs({ index, options, job }: JobWork): Promise<OutputRecord[]> {
  const own = (await index.ownedBy(job.source)).filter(isMade);
  const isTagged = (path: string) => taggedNaming(path, job, options) !== undefined;
  return own.filter(({ path }) => isBelow(path, options.out) && isTagged(path));
}
