import { asImgtoolError, failureOf, fixCommand, forgetCommand, ImgtoolError } from '../../errors.ts';
import type { Remade, Verified, WrongOutput } from '../../model/verified.ts';
import type { BatchFinished, Event, Failure, FileFacts } from '../../model.ts';
import type { BatchMode } from '../batch/intake.ts';
import { candidateNames } from '../batch/names.ts';
import { type NewWork, ONE_WALK, runBatch } from '../batch/run.ts';
import type { Ports } from '../job/context.ts';
import { sameFile } from '../job/decide.ts';
import { forgetGone, isMissing, NAMED, outermost, separateGone } from './gone.ts';
import { editedAmong, foldersOf, hasProblem, isLeftAlone, leftAlone, leftAsEdited } from './left-alone.ts';
import { type Plan, type PlannedJob, planAgain, type RepairSettings } from './makers.ts';
import { chunked } from './records.ts';
import { lookAgain, type Scope, type Verifying, verify } from './verify.ts';

/** The ports and options to make outputs again. */
export interface Fixing extends Verifying {
  readonly machine: RepairSettings;
  /**
   * Opens ports and report for a batch over these sources: files that the user named, and folders in which the others
   * were found. All paths are absolute. Errors: `no_input` when all are gone.
   */
  readonly open: (
    sources: { readonly named: readonly string[]; readonly folders: readonly string[] },
    batch: Pick<Plan, 'cwd' | 'options'>,
  ) => Promise<OpenedFix>;
}

interface OpenedFix {
  readonly ports: Ports;
  emit(event: Event): void;
  close(): void;
}

/** Why an output was not made. Null when its job has succeeded. */
type Result = Failure | null;
type Results = Map<WrongOutput, Result>;

/** The files that were found wrong and may be replaced, by path. */
type Repairs = ReadonlyMap<string, FileFacts>;

/** Outputs that somebody may have edited, and that stay. */
type Edited = ReadonlySet<WrongOutput>;

/**
 * Checks the outputs of a batch, or other outputs. With `fix` it makes wrong outputs again, and forgets outputs that are
 * gone together with their sources. `unfinished` is a batch that stopped before it had made all its outputs again. Errors:
 * `usage` for a dry run of a repair; `no_input`.
 */
export async function checkOutputs(ports: Fixing, scope: Scope, fix: boolean, signal: AbortSignal) {
  const { batch, named = [], keepEdited = false, dryRun = false } = scope;
  if (fix && dryRun) {
    const off = 'turn dryRun off in the file or variable that asks for it';
    throw new ImgtoolError('usage', 'a repair has no dry run', {
      fix: `to see what is wrong, only check; or ${off}`,
    });
  }
  const { looked, gone, ...ability } = await separateGone(ports, await verify(ports, scope, signal));
  // Nobody has all output folders in mind: an edit is replaced only where the user names a folder or a batch.
  const isWhole = batch === undefined && named.length === 0;
  const edited = isWhole || keepEdited ? await editedAmong(ports, looked.wrong, keepEdited) : undefined;
  const verified: Verified = {
    ...{ ...looked, gone: gone.length, ...ability, ...adviceOn(edited, ability.mendable, ports, keepEdited) },
    fixBy: fixCommand(
      batch === undefined ? named.map(({ given }) => given) : [batch.id],
      ports.otherIndex,
      // Without this flag, the command would also replace the edits.
      keepEdited && edited?.size ? ['--keep-edited'] : [],
    ),
  };
  if (!fix || signal.aborted) return { verified, unfinished: undefined };
  const forgotten = await forgetGone(ports, gone);
  // A user who names a batch wants its outputs back, even in a folder whose disk may not be mounted.
  const isAnywhere = batch !== undefined;
  const made = await makeAgain(ports, looked.wrong, signal, isAnywhere, edited);
  const { remade, madeIn, unfinished } = made;
  return { verified: { ...verified, forgotten, remade, madeIn }, unfinished };
}

/** How edited outputs change the advice: `mendable` is without them, and `editedBy` makes them again. */
function adviceOn(edited: Edited | undefined, mendable: number, { otherIndex }: Fixing, keepEdited: boolean) {
  if (edited === undefined || edited.size === 0) return {};
  const folders = outermost(foldersOf(edited)).slice(0, NAMED);
  return {
    mendable: mendable - edited.size,
    edited: edited.size,
    editedBy: fixCommand(folders, otherIndex, keepEdited ? ['--no-keep-edited'] : []),
  };
}

/**
 * Makes wrong outputs again from their sources, with the options of the batches that made them: one new batch for each
 * set of options. It replaces only files that were found wrong, and none that is foreign or `edited`. Without `edited`, no
 * edit is protected. With `isAnywhere` it also writes to a folder whose disk may not be mounted. Errors: fatal ones.
 */
export async function makeAgain(
  fixing: Fixing,
  wrong: readonly WrongOutput[],
  signal: AbortSignal,
  isAnywhere = true,
  edited?: Edited,
) {
  const { index, storage, sources, machine } = fixing;
  const results: Results = new Map(wrong.filter(isLeftAlone).map((one) => [one, leftAlone(one)]));
  for (const one of edited ?? []) results.set(one, leftAsEdited(one, fixing.otherIndex));
  const repairable = wrong.filter((one) => !results.has(one));
  const repairs = await distrust(index, repairable);
  const madeIn: string[] = [];
  /** The batch that did not come to its end, if any. */
  let unfinished: BatchFinished | undefined;
  const missing = new Set(await sources.missing(repairable.map(({ record }) => record.source)));
  // A batch that is resumed no longer knows which files were found wrong.
  const now = edited === undefined ? machine : { ...machine, keepEdited: true };
  for (const plan of await planAgain(index, repairable, now, (one, why) =>
    results.set(one, missing.has(one.record.source) ? sourceGone(one, fixing) : why),
  )) {
    if (signal.aborted || unfinished !== undefined) break;
    const lack = isAnywhere ? null : await storage.lackOf(plan.options.out);
    if (lack !== null) {
      setAll(results, plan.jobs.values(), () => awayFrom(plan, lack, fixing));
      continue;
    }
    const finished = await carryOut(fixing, plan, repairs, results, signal);
    if (finished === undefined) continue;
    madeIn.push(finished.batch);
    if (finished.state !== 'finished') unfinished = finished;
  }
  // After a stop nothing more is decoded. The jobs show which outputs were committed.
  const left = signal.aborted ? [] : await lookAgain(fixing, wrong, signal);
  const stillWrong = new Map(left.map(({ record, problems }) => [record.path, problems[0]]));
  const resultOf = (one: WrongOutput): Result => {
    const result = results.get(one);
    if (signal.aborted) return result === undefined ? STOPPED : result;
    const problem = stillWrong.get(one.record.path);
    if (problem === undefined) return null;
    const message = `was not put in order: ${problem.problem}: ${problem.message}`;
    return result ?? { code: 'io', message };
  };
  const remade: Remade = new Map(wrong.map((one) => [one, resultOf(one)]));
  return { remade, madeIn, unfinished };
}

function setAll(results: Results, jobs: Iterable<PlannedJob>, resultOf: (one: WrongOutput) => Result) {
  for (const { wrong } of jobs) for (const one of wrong) results.set(one, resultOf(one));
}

/** Runs one batch; undefined when it could not begin. */
async function carryOut(fixing: Fixing, plan: Plan, repairs: Repairs, results: Results, signal: AbortSignal) {
  const { cwd, options } = plan;
  const jobs = [...plan.jobs.values()];
  let opened: OpenedFix | undefined;
  try {
    const named = jobs.flatMap(({ root, maker }) => (root === null ? [maker.source] : []));
    const folders = [...new Set(jobs.flatMap(({ root }) => root?.path ?? []))];
    opened = await fixing.open({ named, folders }, plan);
    const { ports, emit } = opened;
    const facts = await ports.sources.statAll(jobs.map(({ maker }) => maker.source));
    const there = jobs.filter((_, i) => facts[i] != null);
    for (const job of jobs.filter((_, i) => facts[i] == null)) {
      const why = await whyNot(ports.sources, job.maker.source);
      setAll(results, [job], (one) =>
        why.code === 'source_missing' ? sourceGone(one, fixing) : failureOf(why),
      );
    }
    if (there.length === 0) return undefined;
    const byGiven = new Map(there.map((job) => [job.maker.given, [job]]));
    const report = (event: Event) => {
      if (event.type !== 'job') return emit(event);
      const { source, state, error = null } = event;
      if (state !== 'cancelled') setAll(results, byGiven.get(source) ?? [], () => error);
      // The result of the output reports the error, so the event does not.
      if (error === null) emit(event);
    };
    // Name a source by its folder: then a resumed batch reads the source by the same rule.
    const inputs = [...new Set(there.map(({ root, maker }) => root?.given ?? maker.given))];
    const bytes = facts.reduce((sum, one) => sum + (one?.size ?? 0), 0);
    const work: NewWork = { command: 'process', inputs, cwd, options };
    return await runBatch(ports, work, report, signal, modeOf(there, bytes, repairs));
  } catch (error) {
    const failure = asImgtoolError(error);
    if (failure.fatal) throw error;
    setAll(results, jobs, (one) =>
      failure.code === 'no_input' ? sourceGone(one, fixing) : failureOf(failure),
    );
    return undefined;
  } finally {
    opened?.close();
  }
}

/** The error of a source without facts. */
async function whyNot(sources: Ports['sources'], path: string): Promise<ImgtoolError> {
  const message = 'was changed while it was looked for';
  const isBack = () => new ImgtoolError('source_changed', message, { fix: 'verify again' });
  return sources.stat(path).then(isBack, asImgtoolError);
}

/** A batch over exactly these sources, under the names of their former jobs. */
function modeOf(jobs: readonly PlannedJob[], bytes: number, repairs: Repairs): BatchMode {
  return {
    ...ONE_WALK,
    repairs,
    // Add all jobs in one step: a resumed batch then has nothing to walk.
    async takeIn({ index, run, options }, chunkDone) {
      const added = jobs.map(({ maker: { source, given, relative } }) => {
        return { source, given, relative, candidates: candidateNames({ source, relative }, options) };
      });
      const total = await index.add(run, added, { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] });
      const walked = { total, bytes, passedOver: 0, ended: true };
      chunkDone(walked, true);
      return walked;
    },
  };
}

/**
 * Marks outputs as wrong whose size and time, or whose bytes, are as recorded. Other runs would take such outputs for
 * correct. The mark stays even if the output cannot be made again now. Returns the files that were found wrong.
 */
async function distrust(index: Ports['index'], wrong: readonly WrongOutput[]): Promise<Repairs> {
  const repairs = new Map<string, FileFacts>();
  for await (const chunk of chunked(wrong)) {
    const unseen = chunk.filter((one) => {
      const { record, file } = one;
      if (file === undefined || isMissing(one)) return false;
      repairs.set(record.path, file);
      return sameFile(file, record) || !hasProblem(one, 'changed');
    });
    await index.distrust(
      unseen.map(({ record }) => record),
      'damaged',
    );
  }
  return repairs;
}

const STOPPED: Failure = { code: 'cancelled', message: 'stopped before that was known' };

function sourceGone(one: WrongOutput, { otherIndex }: Fixing): Failure {
  const duplicate = one.duplicate && `run {{command process}} over its duplicate ${one.duplicate}`;
  const forget = `bring it back, or mount its disk; if it is gone for good: ${forgetCommand([one.record.source], otherIndex)}`;
  const fix = isMissing(one) ? (duplicate ?? forget) : 'bring it back, or remove the output';
  return { code: 'source_missing', message: 'its source is not there (any more)', fix };
}

function awayFrom({ options: { out }, jobs }: Plan, lack: string, { otherIndex }: Fixing): Failure {
  const [job] = jobs.values();
  const again = fixCommand(job === undefined ? [] : [job.maker.batch], otherIndex);
  const fix = `mount it; or, if it is to be made again: ${again}; if it is gone for good: ${forgetCommand([out], otherIndex)}`;
  return { code: 'not_writable', message: `${out} ${lack}: its disk may not be mounted`, fix };
}
