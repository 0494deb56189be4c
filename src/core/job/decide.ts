import {
  type FileFacts,
  isAskedBy,
  MARKS,
  type Mark,
  type OutputRecord,
  type SourceFacts,
  type SourceRecord,
} from '../../model/records.ts';
import type { NameRecord, Variant } from '../../model.ts';
import { recipeOf } from '../../variants/formats.ts';

/** Milliseconds. A source that changed more recently may change again within the same tick of its file system. */
const SETTLING = 2_000;

/** All facts about one job: its source, the records, and the files on disk. */
export interface Facts {
  readonly source: string;
  readonly recorded: SourceRecord | undefined;
  /** Digest of the source's current bytes; undefined after a stat alone. */
  readonly digest: string | undefined;
  /** What recipes depend on in these bytes; undefined while the digest is unknown. */
  readonly kind: Pick<SourceRecord, 'format' | 'pages'> | undefined;
  /** One for each variant. */
  readonly wanted: readonly Wanted[];
  /** Outputs of the same bytes under other names, oldest first; empty while the digest is unknown. */
  readonly elsewhere: readonly Elsewhere[];
  readonly force: boolean;
  /** Whether outputs of an older recipe are rendered again. */
  readonly outdated: boolean;
  readonly duplicates: 'link' | 'copy' | 'skip';
  /** The modification time that outputs must have, in nanoseconds since 1970; null for any. */
  readonly modified: string | null;
}

/** An output that this job should have. */
export interface Wanted {
  readonly path: string;
  readonly variant: Variant;
  readonly settings: string;
  readonly record: NameRecord | undefined;
  /** The record of its former spelling, while another file is under this one. */
  readonly former?: NameRecord;
  readonly disk: FileFacts | 'foreign' | null;
  /** SHA-256 of the file on disk, if the job has read it. */
  readonly checksum?: string | undefined;
  /** Whether the file on disk is an output that was recorded under this name in another folder. */
  readonly isMoved?: boolean;
  /** Whether it is an edit that must stay. */
  readonly isLeft?: boolean;
  /** Whether a dead run may have left it. */
  readonly isSuspect?: boolean;
  /** Whether the file on disk is a source, and whose. */
  readonly holds: 'this source' | 'another source' | null;
}

/** An output of the same bytes under another name. */
export interface Elsewhere {
  readonly record: OutputRecord;
  readonly intact: boolean;
  /** Whether its owner still exists with these bytes. */
  readonly ownerThere: boolean;
  readonly sameFolder: boolean;
  /** Whether it was made in this output folder, and other outputs may be links to it. */
  readonly linkable: boolean;
}

export type Decision =
  /** This source owns every name, and every file is as recorded. */
  | { readonly action: 'unchanged' }
  /** The same, except that an output must get another modification time. */
  | { readonly action: 'retime' }
  /** A stat is not enough: the job must read the source or an output first. */
  | { readonly action: 'read' }
  /** Another source has these bytes and their outputs. */
  | { readonly action: 'duplicate'; readonly of: string; readonly steps: readonly Step[] }
  /** The bytes were rendered before, for another source or another folder. */
  | { readonly action: 'reuse'; readonly steps: readonly Step[] }
  /** At least one output has to be rendered. */
  | { readonly action: 'render'; readonly steps: readonly Step[] }
  | { readonly action: 'refuse'; readonly code: 'output_exists' | 'output_is_source'; readonly path: string };

/** What happens to one wanted output. */
export type Step = { readonly wanted: Wanted } & (
  | { readonly kind: 'keep' }
  /** Somebody has changed the file, and it stays with its record. */
  | { readonly kind: 'leave' }
  /** The file is an output of these bytes, recorded under another name. It was moved with its source. */
  | { readonly kind: 'adopt'; readonly from: OutputRecord }
  | {
      readonly kind: 'place';
      readonly from: OutputRecord;
      readonly how: 'link' | 'copy';
      readonly replace: boolean;
    }
  /** The job makes no output: the owner of the same bytes has it. */
  | { readonly kind: 'skip'; readonly from: OutputRecord }
  | { readonly kind: 'render'; readonly replace: boolean }
);

/** Decides who owns each output, and what the job does. `process`, `watch` and dry runs share this rule. Pure. */
export function decide(facts: Facts): Decision {
  for (const wanted of facts.wanted) {
    const code = refusalOf(wanted, facts);
    if (code !== undefined) return { action: 'refuse', code, path: wanted.path };
  }
  if (facts.digest === undefined || facts.wanted.some(isUnclear)) return { action: 'read' };
  const isAllKept = facts.wanted.every((wanted) => isKept(wanted, facts));
  if (isAllKept && facts.recorded?.digest === facts.digest) {
    const haveTime = facts.wanted.every(({ disk }) => hasTime(disk, facts.modified));
    return { action: haveTime ? 'unchanged' : 'retime' };
  }
  const steps = facts.wanted.map((wanted) => stepFor(wanted, facts));
  if (isAllKept) return { action: 'reuse', steps };
  if (steps.some(({ kind }) => kind === 'render')) return { action: 'render', steps };
  const owners = steps.flatMap((step) => ('from' in step ? [step.from] : []));
  const isShared = (from: OutputRecord) => facts.elsewhere.some((one) => one.record === from && isLive(one));
  const isDuplicate = owners.every(isShared);
  const of = owners[0]?.source;
  return isDuplicate && of !== undefined ? { action: 'duplicate', of, steps } : { action: 'reuse', steps };
}

/** The recorded digest, if a stat proves it: nothing has changed since then, and it was not taken too early. */
export function trustedDigest(facts: SourceFacts, recorded: SourceRecord | undefined): string | undefined {
  if (recorded === undefined || !sameSource(facts, recorded)) return undefined;
  const modified = Math.trunc(Number(recorded.mtime) / 1e6);
  return recorded.seenAt - modified >= SETTLING ? recorded.digest : undefined;
}

/** Whether an output must be read to find out if it is still as recorded. */
export function isUnclear({ record, disk, checksum }: Wanted): boolean {
  if (!isMade(record) || disk === null || disk === 'foreign' || checksum !== undefined) return false;
  return disk.size === record.size && !sameFile(disk, record);
}

/** The paths of outputs that somebody has changed, and that these steps replace, for whatever reason. */
export function changedOutputs(steps: readonly Step[]): string[] {
  const made = steps.filter(
    ({ kind, wanted }) => (kind === 'render' || kind === 'place') && isChanged(wanted),
  );
  return made.map(({ wanted }) => wanted.path);
}

/** Whether these steps make nothing, because somebody has edited the outputs that they would make. */
export const isAllLeft = (steps: readonly Step[]): boolean =>
  steps.some(({ kind }) => kind === 'leave') &&
  steps.every(({ kind }) => kind === 'leave' || kind === 'keep');

/** Whether somebody has changed the file under the name of an output. Damage that a check has found there is no change. */
export function isChanged({ record, disk, checksum }: Wanted): boolean {
  if (!isMade(record) || disk === null || disk === 'foreign' || isMarked(disk, record, 'damaged'))
    return false;
  return checksum === undefined ? !sameFile(disk, record) : checksum !== record.checksum;
}

/**
 * The outputs that the steps of this decision replace, and whose bytes are not known yet. An edit in place can keep size,
 * time and inode, so they must be read before.
 */
export function replacedUnread(decision: Decision): Wanted[] {
  const steps = 'steps' in decision ? decision.steps : [];
  const replaced = steps.filter(({ kind }) => kind === 'render' || kind === 'place');
  const isUnread = ({ record, disk, checksum }: Wanted) =>
    isMade(record) && disk !== null && disk !== 'foreign' && checksum === undefined && sameFile(disk, record);
  return replaced.map(({ wanted }) => wanted).filter(isUnread);
}

/** Whether a file is on disk that the index does not record as an output. */
export function isUnknown({ record, disk }: Wanted): boolean {
  return disk !== null && disk !== 'foreign' && !isMade(record);
}

export function isMade(record: NameRecord | undefined): record is OutputRecord {
  return typeof record?.checksum === 'string';
}

/** Whether the index knows that this preset asks for an output as its variant of this name. */
export function isAskedAs(variant: string, preset: string, record: OutputRecord): boolean {
  return record.variant === variant && isAskedBy(preset, record);
}

export function sameFile(a: FileFacts, b: FileFacts): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;
}

/** Whether the record was marked as wrong while the file was as it is now. */
export function isMarked({ mtime, ...file }: FileFacts, record: OutputRecord, mark: Mark): boolean {
  return sameFile({ ...file, mtime: MARKS[mark] + mtime }, record);
}

/** Whether a stat shows an unchanged source. An edit can keep size and mtime, but not ctime. */
export function sameSource(a: SourceFacts, b: SourceFacts): boolean {
  return sameFile(a, b) && (a.ctime === b.ctime || a.ctime === null || b.ctime === null);
}

/** Nanoseconds by which a time that was set can differ: Node gives it as a double. */
const ROUNDING = 10_000n;
/** Nanoseconds. Some disks store times in steps of two seconds. */
const COARSE = 2_000_000_000n;

/** Whether a file has this modification time, as exactly as its disk stores times. Null is any time. */
export function hasTime(disk: FileFacts | 'foreign' | null, wanted: string | null): boolean {
  if (wanted === null || disk === null || disk === 'foreign') return true;
  const found = BigInt(disk.mtime);
  const early = BigInt(wanted) - found;
  const isWhole = found % 1_000_000_000n === 0n;
  return early > -ROUNDING && early < (isWhole ? COARSE : ROUNDING);
}

function refusalOf(wanted: Wanted, facts: Facts): 'output_exists' | 'output_is_source' | undefined {
  const { record, disk, holds, isLeft } = wanted;
  if (record !== undefined && record.source !== facts.source) return 'output_exists';
  if (isMade(record) && holds !== null && !isLeft) return 'output_is_source';
  if (disk === null || isMade(record)) return disk === 'foreign' ? 'output_exists' : undefined;
  if (holds === 'this source' || (holds !== null && facts.force)) return 'output_is_source';
  return disk === 'foreign' ? 'output_exists' : undefined;
}

function stepFor(wanted: Wanted, facts: Facts): Step {
  // Only `force` replaces an unknown file. A file with equal bytes is adopted later.
  const replace = isMade(wanted.record) || wanted.isMoved === true || facts.force;
  if (isKept(wanted, facts)) return { kind: 'keep', wanted };
  if (wanted.isLeft && !mayBeUnrecorded(wanted, facts)) return { kind: 'leave', wanted };
  if (facts.force) return { kind: 'render', wanted, replace };
  const twin = twinOf(wanted, facts);
  if (twin !== undefined) return { kind: 'adopt', wanted, from: twin };
  const usable = facts.elsewhere.filter(
    ({ record, intact }) => intact && record.settings === wanted.settings && record.path !== wanted.path,
  );
  const live = usable.find(isLive);
  // A skipped duplicate stays one while its owner's output is outdated: the owner's own job renders that again.
  if (facts.duplicates === 'skip' && live !== undefined && !isMade(wanted.record)) {
    return { kind: 'skip', wanted, from: live.record };
  }
  const current = usable.filter(({ record }) => !isOutdated(record, facts));
  const linkable = current.filter((one) => one.linkable && mayLink(facts));
  const found = linkable.find(isLive) ?? current.find(isLive) ?? linkable[0] ?? current[0];
  if (found === undefined) return { kind: 'render', wanted, replace };
  const how = linkable.includes(found) ? 'link' : 'copy';
  return { kind: 'place', wanted, from: found.record, how, replace };
}

/**
 * Whether a file that looks like an edit can be an output that no index recorded: after a kill, or with an index from a
 * backup. Only new bytes to compare can show that. `commit` leaves the file if it is an edit.
 */
function mayBeUnrecorded({ record, settings, isSuspect }: Wanted, { digest }: Facts): boolean {
  return isSuspect === true || !isMade(record) || record.digest !== digest || record.settings !== settings;
}

/** Whether outputs may be links. Links share one time. */
export function mayLink({ duplicates, modified }: Pick<Facts, 'duplicates' | 'modified'>): boolean {
  return duplicates !== 'copy' && modified === null;
}

/** A record of the same output under another name; preferably of a source that still exists. */
function twinOf({ record: own, checksum, disk, settings }: Wanted, facts: Facts): OutputRecord | undefined {
  if (checksum === undefined || disk === null || disk === 'foreign') return undefined;
  // A stat knows this file. It was read to find an edit.
  if (isMade(own) && sameFile(disk, own)) return undefined;
  const isTwin = ({ record }: Elsewhere) =>
    record.settings === settings && record.checksum === checksum && !isOutdated(record, facts);
  const twins = facts.elsewhere.filter(isTwin);
  return (twins.find(isLive) ?? twins[0])?.record;
}

/** Whether an output of an older recipe must be rendered again. */
function isOutdated({ format, recipe }: OutputRecord, { outdated, kind }: Facts): boolean {
  return outdated && (recipe ?? 1) < recipeOf(format, kind);
}

function isLive({ ownerThere, sameFolder }: Elsewhere): boolean {
  return ownerThere && sameFolder;
}

function isKept({ record, disk, checksum, settings }: Wanted, facts: Facts): boolean {
  if (facts.force || !isMade(record) || record.digest !== facts.digest || record.settings !== settings)
    return false;
  if (isOutdated(record, facts)) return false;
  if (disk === null || disk === 'foreign') return false;
  return sameFile(disk, record) || checksum === record.checksum;
}
