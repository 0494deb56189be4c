import { asImgtoolError, ImgtoolError } from '../../errors.ts';
import { isAskedOnlyBy } from '../../model/records.ts';
import { leftOf } from '../../model/totals.ts';
import type { NameRecord, Walk } from '../../model.ts';
import type { Inputs } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { isMade } from '../job/decide.ts';
import { isBelow } from '../job/facts.ts';
import { notRemovable, removability, removeRecorded } from '../job/superseded.ts';
import { isOurs, isWanted, type MirrorPlan } from './mirror-plan.ts';
import { foldName, pathAsGiven } from './names.ts';

/** The inputs of a batch that mirrors. Errors: `usage` when it would leave out some files of a folder. */
export function wholeFolders(inputs: Inputs, { include, exclude }: Walk): Inputs {
  if (inputs.list !== null) {
    const fix = 'name a folder instead, or leave out {{mirror}}; {{mirror false}} overrides a settings file';
    throw new ImgtoolError('usage', 'a list of files is given, and only folders are mirrored', { fix });
  }
  if (include.length + exclude.length > 0) {
    const fix =
      'leave out {{include}} and {{exclude}}, or {{mirror}}; {{mirror false}} overrides a settings file';
    throw new ImgtoolError('usage', 'patterns leave files out, and only whole folders are mirrored', { fix });
  }
  return { ...inputs, onlyFolders: 'mirrored' };
}

/**
 * Removes what is planned, after all jobs have ended. Returns false if the signal stopped it before everything was removed.
 * Errors: fatal ones.
 */
export async function carryOutMirror(context: JobContext, plan: MirrorPlan): Promise<boolean> {
  const { index, run, options, emit, signal } = context;
  const { walkEnded, counts } = await index.batch(run.batch);
  // A batch that was stopped before its end is cancelled anyway.
  if (signal.aborted && (!walkEnded || leftOf(counts) > 0)) return true;
  if (!walkEnded) {
    const message = 'not all inputs were there, so no output is removed';
    emit({ type: 'warning', message, fix: 'mount or bring them back, and resume again' });
    return true;
  }
  const failed = new Set<string>();
  for await (const { source } of index.jobs(run.batch, ['failed'])) failed.add(source);
  const work = { failed, done: new Set<string>(), owners: new Map<string, string>() };
  for await (const { source, isGone, own } of stillDue(context, plan, work)) {
    if (signal.aborted) {
      emit({
        type: 'warning',
        message: 'the batch was stopped before it removed all outputs that nothing asks for',
      });
      return false;
    }
    const shared = own.filter((record) => !isAskedOnlyBy(options.preset.name, record));
    if (shared.length > 0) await index.ask(options.preset.name, shared, false);
    const all = await index.ownedBy(source);
    const removed = own.filter((record) => !shared.includes(record));
    await removeRecorded(context, source, removed, isGone && removed.length === all.length);
  }
  return true;
}

/**
 * Returns whether another batch of this preset asks for an output: the last one of each other output folder that has the
 * output, and a newer one of this folder. A warning names the newer one.
 */
async function openOthers({ index, run, options, emit }: JobContext) {
  const others = (await index.lastOfPreset(options.preset.name)).filter(({ id, options: { out } }) => {
    // A dry run is no batch yet: it comes after the last one of its folder.
    return id !== run.batch && !(options.dryRun && out === options.out);
  });
  let isReported = false;
  return (record: NameRecord): boolean => {
    const asking = others.find((one) => isBelow(record.path, one.options.out) && isWanted(one, record));
    if (asking?.options.out === options.out && !isReported) {
      isReported = true;
      const message = `outputs of other variants stay: batch ${asking.id} is newer and asks for them`;
      emit({ type: 'warning', message, fix: 'to remove them, run the command with {{mirror}} again' });
    }
    return asking !== undefined;
  };
}

/** What is known about the work of the batch. */
interface BatchWork {
  readonly failed: ReadonlySet<string>;
  /** Only in a dry run: sources whose jobs would end well, and the sources that get names or keep them, by folded name. */
  readonly done: ReadonlySet<string>;
  readonly owners: ReadonlyMap<string, string>;
}

/** Reports what `carryOutMirror` would remove. */
export async function foreseeMirror(context: JobContext, plan: MirrorPlan, work: BatchWork): Promise<void> {
  const { storage, options, sources, emit, signal } = context;
  for await (const { source, own } of stillDue(context, plan, work)) {
    if (signal.aborted) return;
    const paths: string[] = [];
    try {
      for (const record of own.filter(isMade)) {
        const { path } = record;
        if (work.owners.has(foldName(path)) || !isAskedOnlyBy(options.preset.name, record)) continue;
        const [disk = null] = await storage.stat([path]);
        const found = await removability(context, record, disk);
        if (found === 'removable') paths.push(pathAsGiven(path, options));
        else if (found !== 'missing') emit(found);
      }
    } catch (thrown) {
      const error = asImgtoolError(thrown);
      if (error.fatal) throw error;
      emit(notRemovable(context, source, error));
      continue;
    }
    if (paths.length > 0) emit({ type: 'removed', source: sources.givenOf(source), paths, dryRun: true });
  }
}

/** The planned sources that still have such outputs. Leaves out folders with parts that could not be read. */
async function* stillDue(context: JobContext, plan: MirrorPlan, work: BatchWork) {
  const { failed } = work;
  const { index, sources, emit } = context;
  for (const warning of plan.warnings) emit(warning);
  const isAskedByOthers = await openOthers(context);
  const unread: string[] = [];
  for (const source of failed) if (await sources.isFolder(source)) unread.push(source);
  for (const { folder, due } of plan.folders) {
    const isUnread = unread.some((path) => path === folder || isBelow(path, folder));
    if (isUnread && due.length > 0) {
      const message = `${sources.givenOf(folder)}: not all of it could be read, so no output is removed`;
      emit({ type: 'warning', message });
    }
    for (const { source, isGone } of isUnread ? [] : due) {
      // A source that failed has no new outputs that could replace the old ones.
      if (failed.has(source) || (isGone && (await sources.missing([source])).length === 0)) continue;
      const all = await index.ownedBy(source);
      const records = all.filter((record) => isOurs(context, record));
      // The outputs of a source that the batch passed over, or of its old bytes, may be the only ones.
      if (!isGone && !hasAll(context, source, all, work)) continue;
      const isStale = (record: NameRecord) => !isWanted(context, record) && !isAskedByOthers(record);
      const own = isGone ? records : records.filter(isStale);
      if (own.length > 0) yield { source, isGone, own };
    }
  }
}

/** Whether a source has an output, with the current settings, of each variant of the preset. */
function hasAll(
  { options, settings }: JobContext,
  source: string,
  own: readonly NameRecord[],
  work: BatchWork,
): boolean {
  if (work.done.has(source)) return true;
  return options.preset.variants.every(({ name }, i) => {
    const isIt = ({ variant, path }: NameRecord) => variant === name || work.owners.has(foldName(path));
    return own.some((one) => one.settings === settings[i] && isBelow(one.path, options.out) && isIt(one));
  });
}
