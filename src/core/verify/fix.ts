import { asImgtoolError, failureOf, ImgtoolError } from '../../errors.ts';
import type { ProblemWord, Remade, WrongOutput } from '../../model/verified.ts';
import type { BatchFinished, Event, Failure } from '../../model.ts';
import type { NewJob } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import type { BatchMode, NewWork, Ports } from '../batch/mode.ts';
import { candidateNames } from '../batch/names.ts';
import { runBatch } from '../batch/run.ts';
import { sameFile } from '../job/decide.ts';

import { BATCH_RETRIES } from '../queue/retry-policy.ts';
import { isLeftAlone, isMissing } from './gone.ts';
import { type Plan, type PlannedJob, planAgain, type RepairSettings } from './makers.ts';
import { lookAgain, type Verifying } from './verify.ts';

/** The ports and options to make outputs again. */
export interface Fixing extends Verifying {
  readonly means: RepairSettings;
  /**
   * Opens ports and report for a batch over these sources: files that the user named, and folders in which the others
   * were found. All paths are absolute. Errors: `no_input` when all are gone.
   */
  readonly open: (
    sources: { readonly named: readonly string[]; readonly folders: readonly string[] },
    batch: Pick<Plan, 'cwd' | 'options'>,
  ) => Promise<OpenedFix>;
}

export interface OpenedFix {
  readonly ports: Ports;
  emit(event: Event): void;
  close(): void;
}

/** The result for each wrong output. */
export interface Fixed {
  readonly remade: Remade;
  /** Ids of the batches that worked on them. */
  readonly madeIn: readonly string[];
  /** The batch that did not come to its end, if any. */
  readonly unfinished: BatchFinished | undefined;
}

/** The results so far. */
interface Outcome {
  readonly failures: Map<WrongOutput, Failure>;
  /** Outputs whose jobs have succeeded. */
  readonly made: Set<WrongOutput>;
}

/**
 * Makes wrong outputs again from their sources, with the options of the batches that made them: one new batch for each
 * set of options. Never overwrites foreign files. With `isAnywhere` it also writes to a folder whose disk may not be
 * mounted. Errors: fatal ones.
 */
export async function makeAgain(
  fixing: Fixing,
  wrong: readonly WrongOutput[],
  signal: AbortSignal,
  isAnywhere = true,
): Promise<Fixed> {
  const outcome: Outcome = { failures: new Map(), made: new Set() };
  const fail = (one: WrongOutput, why: Failure) => void outcome.failures.set(one, why);
  for (const one of wrong) if (isLeftAlone(one)) fail(one, leftAlone(one));
  const repairable = wrong.filter((one) => !isLeftAlone(one));
  await distrust(fixing, repairable);
  const madeIn: string[] = [];
  let unfinished: BatchFinished | undefined;
  for (const plan of await planAgain(fixing.index, repairable, fixing.means, fail)) {
    if (signal.aborted || unfinished !== undefined) break;
    const lack = isAnywhere ? null : await fixing.storage.lackOf(plan.options.out);
    if (lack !== null) {
      for (const one of wrongOf([...plan.jobs.values()])) fail(one, awayFrom(plan, lack));
      continue;
    }
    const finished = await carryOut(fixing, plan, outcome, signal);
    if (finished === undefined) continue;
    madeIn.push(finished.batch);
    if (finished.state !== 'finished') unfinished = finished;
  }
  // After a stop nothing more is decoded. The jobs show which outputs were committed.
  const left = signal.aborted ? undefined : await lookAgain(fixing, wrong, signal);
  const still = new Map(left?.map((one) => [one.record.path, one]));
  const remade = wrong.map((one) => {
    const why = outcome.failures.get(one);
    if (left === undefined || signal.aborted) {
      return [one, outcome.made.has(one) ? null : (why ?? STOPPED)] as const;
    }
    const now = still.get(one.record.path);
    return [one, now === undefined ? null : (why ?? stillWrong(now))] as const;
  });
  return { remade: new Map(remade), madeIn, unfinished };
}

/** Runs one batch; undefined when it could not begin. */
async function carryOut(
  fixing: Fixing,
  plan: Plan,
  { failures, made }: Outcome,
  signal: AbortSignal,
): Promise<BatchFinished | undefined> {
  const jobs = [...plan.jobs.values()];
  const failAll = (of: readonly PlannedJob[], why: (one: WrongOutput) => Failure) => {
    for (const one of wrongOf(of)) failures.set(one, why(one));
  };
  const sources = jobs.map(({ maker }) => maker.source);
  let opened: OpenedFix | undefined;
  try {
    const named = jobs.flatMap(({ root, maker }) => (root === null ? [maker.source] : []));
    const folders = [...new Set(jobs.flatMap(({ root }) => root?.path ?? []))];
    opened = await fixing.open({ named, folders }, plan);
    const { ports, emit } = opened;
    const facts = await ports.sources.statAll(sources);
    const there = jobs.filter((_, i) => facts[i] != null);
    for (const job of jobs.filter((_, i) => facts[i] == null)) {
      const why = await whyNot(ports.sources, job.maker.source);
      failAll([job], (one) => (why.code === 'source_missing' ? sourceGone(one) : failureOf(why)));
    }
    if (there.length === 0) return undefined;
    const bytes = facts.reduce((sum, one) => sum + (one?.size ?? 0), 0);
    const byGiven = new Map(there.map((job) => [job.maker.given, [job]]));
    const report = (event: Event) => {
      if (event.type === 'job') {
        const { error, state } = event;
        const of = byGiven.get(event.source) ?? [];
        if (error !== undefined) failAll(of, () => error);
        else if (state !== 'cancelled') for (const one of wrongOf(of)) made.add(one);
        // The result of the output reports the error, so the event does not.
        if (error !== undefined) return;
      }
      emit(event);
    };
    const { cwd, options } = plan;
    // Name a source by its folder: then a resumed batch reads the source by the same rule.
    const inputs = [...new Set(there.map(({ root, maker }) => root?.given ?? maker.given))];
    const work: NewWork = { command: 'process', inputs, cwd, options };
    return await runBatch(ports, work, report, signal, modeOf(there, bytes));
  } catch (error) {
    const failure = asImgtoolError(error);
    if (failure.fatal) throw error;
    failAll(jobs, (one) => (failure.code === 'no_input' ? sourceGone(one) : failureOf(failure)));
    return undefined;
  } finally {
    opened?.close();
  }
}

/** The error of a source without facts. */
async function whyNot(sources: Ports['sources'], path: string): Promise<ImgtoolError> {
  try {
    await sources.stat(path);
    // The source has come back in the meantime.
    return new ImgtoolError('source_changed', 'was changed while it was looked for', { fix: 'verify again' });
  } catch (error) {
    return asImgtoolError(error);
  }
}

function wrongOf(jobs: readonly PlannedJob[]): WrongOutput[] {
  return jobs.flatMap(({ wrong }) => wrong);
}

/** A batch over exactly these sources, under the names of their former jobs. */
function modeOf(jobs: readonly PlannedJob[], bytes: number): BatchMode {
  return {
    retryPolicy: BATCH_RETRIES,
    isEndless: false,
    // Add all jobs in one step: a resumed batch then has nothing to walk.
    async takeIn({ index, run, options }, _, chunkDone) {
      const added = jobs.map(({ maker }): NewJob => {
        const { source, given, relative } = maker;
        return { source, given, relative, candidates: candidateNames(maker, options) };
      });
      const total = await index.add(run, added, { unchanged: 0, bytesIn: 0, bytesOut: 0 });
      const walked = { total, bytes, passedOver: 0, ended: true };
      chunkDone(walked, true);
      return walked;
    },
  };
}

/**
 * Marks outputs as wrong whose size and time, or whose bytes, are as recorded. Other runs would take such outputs for
 * correct. The mark stays even if the output cannot be made again now.
 */
async function distrust({ index, storage }: Fixing, wrong: readonly WrongOutput[]): Promise<void> {
  for (let at = 0; at < wrong.length; at += CHUNK) {
    const chunk = wrong.slice(at, at + CHUNK);
    const found = await storage.stat(chunk.map(({ record }) => record.path));
    const unseen = chunk.filter((one, i) => {
      const facts = found[i];
      if (facts == null || facts === 'foreign') return false;
      return sameFile(facts, one.record) || !has(one, 'changed');
    });
    await index.distrust(unseen.map(({ record }) => record));
  }
}

function has({ problems }: WrongOutput, word: ProblemWord): boolean {
  return problems.some(({ problem }) => problem === word);
}

function stillWrong({ problems: [first] }: WrongOutput): Failure {
  return { code: 'io', message: `was not put in order: ${first?.problem ?? ''}: ${first?.message ?? ''}` };
}

function sourceGone(one: WrongOutput): Failure {
  const { duplicate } = one;
  const forMissing =
    duplicate === undefined ? MISSING_BOTH : `run imgtool process over its duplicate ${duplicate}`;
  const fix = isMissing(one) ? forMissing : 'bring it back, or remove the output';
  return { code: 'source_missing', message: 'its source is not there (any more)', fix };
}

function leftAlone(one: WrongOutput): Failure {
  if (has(one, 'unreadable')) return UNREADABLE;
  return {
    code: 'output_exists',
    message: "what is in its place is not imgtool's",
    fix: 'move that away; then it can be made again',
  };
}

function awayFrom({ options: { out }, jobs }: Plan, lack: string): Failure {
  const [batch = ''] = [...jobs.values()].map(({ maker }) => maker.batch);
  return {
    code: 'not_writable',
    message: `${out} ${lack}: its disk may not be mounted`,
    fix: `mount it; or, if it is to be made again: imgtool verify ${batch} --fix`,
  };
}

const MISSING_BOTH =
  'bring it back, or mount its disk; if it is gone for good, remove the empty folder it was in: then it is forgotten';
const UNREADABLE: Failure = {
  code: 'not_writable',
  message: 'what cannot be read is not replaced',
  fix: 'check its permissions and the disk; once it is removed it can be made again',
};
const STOPPED: Failure = { code: 'cancelled', message: 'stopped before that was known' };
