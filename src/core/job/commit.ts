import { asImgtoolError, editOfAnother, ImgtoolError, outputExists, outputIsSource } from '../../errors.ts';
import { presetMark } from '../../model/records.ts';
import type { BatchOptions, FileFacts, Output, OutputRecord, Rendered, Reservation } from '../../model.ts';
import type { Staged, Storage } from '../../ports.ts';
import { recipeOf } from '../../variants/formats.ts';
import type { JobContext, JobWork } from './context.ts';
import {
  hasTime,
  isAskedAs,
  isChanged,
  isMade,
  isUnknown,
  type Step,
  sameFile,
  type Wanted,
} from './decide.ts';
import { has, isIntact } from './facts.ts';

/** The result of a job's steps. */
interface Committed {
  /** The steps as they were done: an edit that must stay is left. */
  readonly steps: readonly Step[];
  /** The outputs of this job, one for each variant. A skipped duplicate has the outputs of the other source. */
  readonly outputs: readonly OutputRecord[];
  /** What was done for each of these outputs; undefined for one of another source. */
  readonly actions: readonly Output['action'][];
  /** Outputs that the index must record: of this job, or given to skipped duplicates. */
  readonly made: readonly OutputRecord[];
  readonly skipped: readonly Reservation[];
  /** Paths of files with other bytes that the index did not know, and that are gone now. */
  readonly replaced: readonly string[];
  /** Paths of outputs with bytes that somebody has changed, and that are gone now. */
  readonly edited: readonly string[];
}

/**
 * A file appeared under an output's name after the check, or was changed there. Another process may have made this very
 * output, or somebody has edited it.
 */
export class Overtaken extends ImgtoolError {
  constructor({ code, message, fix, cause }: ImgtoolError) {
    super(code, message, { fix, cause });
  }
}

/** What can stage files. */
export type Staging = JobContext & Pick<JobWork, 'staged'>;

/** An output whose bytes are staged. */
interface Ready {
  readonly record: Omit<OutputRecord, 'size' | 'mtime' | 'ino'>;
  readonly staged: Staged;
  readonly step: Extract<Step, { kind: 'render' | 'place' }>;
}

/**
 * Makes all outputs of a job visible: rendered, placed, kept and adopted ones. `staged` begins with the rendered outputs
 * in the order of their steps. Errors: `output_exists` before anything is visible, Overtaken, and those of storage.
 */
export async function commit(
  work: JobWork,
  planned: readonly Step[],
  rendered?: Rendered,
): Promise<Committed> {
  const { storage } = work;
  /** The new records. */
  const records = new Map<Step, OutputRecord>();
  const fresh: Ready[] = [];
  const replaced: string[] = [];
  const edited: string[] = [];
  const left = new Set<Step>();
  for (const one of await prepare(work, planned, rendered)) {
    const { path } = one.record;
    const adopted = await adopt(work, one);
    if (adopted !== undefined) {
      records.set(one.step, adopted);
      continue;
    }
    const isEdit = await isEdited(work, one);
    if (isEdit && one.step.wanted.isLeft) {
      // The edit shows the picture of the source that had the name before.
      if (work.isNew) throw editOfAnother(path);
      left.add(one.step);
      continue;
    }
    fresh.push(one);
    if (await isLost(work, one)) replaced.push(path);
    else if (isEdit) edited.push(path);
  }
  const steps = planned.map((step): Step => (left.has(step) ? { kind: 'leave', wanted: step.wanted } : step));
  for (const step of steps) {
    const stays = inPlace(step, work);
    if (stays !== undefined) records.set(step, stays);
  }
  for (const [step, record] of records) records.set(step, await withTime(work, record));
  // Recorded outputs must be durable: other jobs link to them.
  if (records.size > 0) await storage.sync([...records.values()].map(({ path }) => path));
  const given = await giveToSkipped(work, fresh);
  const facts = await storage.commit(fresh.map((one) => one.staged)).catch((error: unknown) => {
    throw isTaken(error) ? new Overtaken(error) : error;
  });
  const actions = new Map<Step, Output['action']>();
  for (const [i, { step, record }] of fresh.entries()) {
    records.set(step, { ...record, ...facts[i]! });
    actions.set(step, step.kind === 'render' ? 'rendered' : placedBy(step, facts[i]!));
  }
  return {
    ...{ steps, replaced, edited },
    outputs: steps.map((step) => {
      const record = records.get(step) ?? (step.kind === 'skip' ? step.from : step.wanted.record);
      if (!isMade(record)) throw new Error(`${step.wanted.path} was to be made and was not`);
      return record;
    }),
    actions: steps.map((step) => actions.get(step) ?? (step.kind === 'skip' ? undefined : 'kept')),
    made: [...given, ...records.values()],
    skipped: steps
      .filter(({ kind }) => kind === 'skip')
      .map(({ wanted }) => ({ ...ownedBy(work, wanted), checksum: null })),
  };
}

/** The fields of an output's record that come from its source, its variant and its preset. */
function ownedBy({ source, options }: JobWork, { path, variant, settings }: Wanted) {
  const presets = presetMark(options.preset.name);
  return { path, source: source.path, variant: variant.name, settings, digest: source.digest, presets };
}

/** The field `linkable` of a new output. */
const linkableBelow = ({ duplicates, out }: BatchOptions): number | null =>
  duplicates === 'copy' ? null : out.length;

/** What was done for an output. Where a disk has no links, an output that may be a link is a copy. */
function placedBy({ how, from }: Extract<Step, { kind: 'place' }>, { ino }: FileFacts): Output['action'] {
  return how === 'link' && ino === from.ino ? 'linked' : 'copied';
}

/**
 * Whether the staged file is the output `meant`: the bytes under its name may have changed since the decision. The
 * recorded file itself is durable. Another file with the same bytes may not be durable yet.
 */
async function holds(storage: Storage, staged: Staged, meant: OutputRecord): Promise<boolean> {
  const [found] = await storage.stat([staged.path]);
  if (found == null || found === 'foreign') return false;
  staged.durable = sameFile(found, meant);
  // An edit in place can keep size, time and inode.
  return (await storage.checksum(staged.path).catch(unlessUnreadable)) === meant.checksum;
}

/** Distrusts the record of an output with other bytes than recorded, if a stat does not show that. */
async function distrustIfUnseen({ index, storage }: JobWork, record: OutputRecord): Promise<void> {
  const [found] = await storage.stat([record.path]);
  if (found != null && found !== 'foreign' && sameFile(found, record))
    await index.distrust([record], 'changed');
}

async function prepare(work: JobWork, steps: readonly Step[], rendered?: Rendered): Promise<Ready[]> {
  const { storage, options, staged } = work;
  const ready: Ready[] = [];
  let orders = 0;
  for (const step of steps) {
    if (step.kind !== 'render' && step.kind !== 'place') continue;
    const { wanted } = step;
    const own = ownedBy(work, wanted);
    if (step.kind === 'render') {
      const [one, output] = [staged[orders]!, rendered!.outputs[orders]!];
      const { width, height, checksum, metadata } = output;
      const { format } = wanted.variant;
      const size = { width, height };
      const record = {
        ...own,
        format,
        ...size,
        checksum,
        encoder: rendered!.encoder,
        recipe: recipeOf(format, work.source),
        metadata,
        linkable: linkableBelow(options),
      };
      ready.push({ step, record, staged: one });
      orders++;
    } else {
      const one = await storage.stageFrom(step.from.path, wanted.path, step.how).catch(unlessUnreadable);
      if (one !== undefined) staged.push(one);
      if (one === undefined || !(await holds(storage, one, step.from))) {
        await distrustIfUnseen(work, step.from);
        throw new Overtaken(outputExists(wanted.path));
      }
      ready.push({ step, record: { ...step.from, ...own, linkable: linkableBelow(options) }, staged: one });
    }
  }
  for (const one of ready) {
    const { disk } = one.step.wanted;
    one.staged.replace = one.step.replace && disk !== 'foreign' ? disk : null;
    one.staged.modified = timeFor(work);
  }
  return ready;
}

/** The output of another name is only a candidate. If it cannot be read, the job goes on without it. */
function unlessUnreadable(error: unknown): undefined {
  if (asImgtoolError(error).code !== 'output_unreadable') throw error;
}

/** Adopts an unknown file that holds exactly these bytes. In this way an index that was deleted is filled again. */
async function adopt(work: JobWork, { record, step }: Ready): Promise<OutputRecord | undefined> {
  const { disk, path, holds } = step.wanted;
  if (disk === null || disk === 'foreign' || step.replace) return undefined;
  if ((await work.storage.checksum(path)) === record.checksum) return { ...record, ...disk };
  if (holds !== null) throw outputIsSource(path);
  const isKnown = isMade((await work.index.lookup([], [path])).output(path));
  throw isKnown ? new Overtaken(outputExists(path)) : outputExists(path);
}

/** Whether an unknown file with other bytes is about to be replaced. One that cannot be read counts as such a file. */
async function isLost({ storage }: JobWork, { record, step }: Ready): Promise<boolean> {
  if (!isUnknown(step.wanted) || step.wanted.isMoved) return false;
  return (await storage.checksum(record.path).catch(() => null)) !== record.checksum;
}

/** Whether an edit is about to be replaced. After a kill, a file that was not recorded yet can have the new bytes already. */
async function isEdited({ storage }: JobWork, { record, step: { wanted } }: Ready): Promise<boolean> {
  if (!isChanged(wanted)) return false;
  return (wanted.checksum ?? (await storage.checksum(record.path).catch(() => null))) !== record.checksum;
}

/** Gives skipped duplicates their own outputs before the outputs that they share are replaced. */
async function giveToSkipped(work: JobWork, fresh: readonly Ready[]): Promise<OutputRecord[]> {
  const { source, storage } = work;
  const given: OutputRecord[] = [];
  for (const { step } of fresh) {
    const { record: old, disk, settings } = step.wanted;
    if (!isMade(old) || (old.digest === source.digest && old.settings === settings)) continue;
    if (!(await isIntact(old, disk, storage))) continue;
    for (const one of await giveAway(work, old, source.path)) given.push(one);
  }
  return given;
}

/** Gives an output that is about to be removed or replaced to its skipped duplicates, not `leaving`. Fills `staged`. */
export async function giveAway(work: Staging, old: OutputRecord, leaving: string): Promise<OutputRecord[]> {
  const { index, storage, sources, staged } = work;
  const given: OutputRecord[] = [];
  for (const { path, source: copy } of await index.skipped(old.digest, [old.settings])) {
    if (copy === leaving) continue;
    const [facts] = await sources.statAll([copy]);
    if (!has(facts, (await index.lookup([copy], [])).source(copy), old.digest)) continue;
    const one = await storage.stageFrom(old.path, path, 'link');
    staged.push(one);
    if (!(await holds(storage, one, old))) continue;
    try {
      const [made] = await storage.commit([one]);
      given.push({ ...old, path, source: copy, presets: null, ...made! });
    } catch (error) {
      // A foreign file under the name of a duplicate must not stop this source.
      if (!isTaken(error)) throw error;
    }
  }
  return given;
}

function isTaken(error: unknown): error is ImgtoolError {
  return error instanceof ImgtoolError && error.code === 'output_exists';
}

/** The modification time for outputs; null when they keep their own. */
const timeFor = ({ options, source }: Pick<JobWork, 'options' | 'source'>): string | null =>
  options.times === true ? source.mtime : null;

/** The record of a file that stays, once it has the time of its source if it must have that. Errors: Overtaken. */
async function withTime({ storage, ...work }: JobWork, record: OutputRecord): Promise<OutputRecord> {
  const time = timeFor(work);
  if (time === null || hasTime(record, time)) return record;
  const [found = null] = await storage.stat([record.path]);
  // With the new time, an edit would look like the recorded file.
  if (found === null || found === 'foreign' || !sameFile(found, record))
    throw new Overtaken(outputExists(record.path));
  return { ...record, ...(await storage.setTime(record.path, time)) };
}

/** The new record of a file that stays where it is; undefined when it needs none. */
function inPlace(step: Step, work: JobWork): OutputRecord | undefined {
  const { record, disk } = step.wanted;
  if (disk === null || disk === 'foreign') return undefined;
  if (step.kind === 'adopt') {
    const linkable = step.from.linkable === null ? null : linkableBelow(work.options);
    return { ...step.from, ...ownedBy(work, step.wanted), linkable, ...disk };
  }
  if (step.kind !== 'keep' || !isMade(record)) return undefined;
  const isKnown =
    sameFile(record, disk) &&
    hasTime(disk, timeFor(work)) &&
    isAskedAs(step.wanted.variant.name, work.options.preset.name, record);
  return isKnown ? undefined : { ...record, ...ownedBy(work, step.wanted), ...disk };
}
