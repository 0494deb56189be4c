import { asImgtoolError } from '../errors.ts';
import type { ProblemWord, Remade, WrongOutput } from '../model/verified.ts';
import type { BatchFinished, Event, Failure } from '../model.ts';
import type { NewJob } from '../ports.ts';
import { type Manner, type NewWork, type Ports, runBatch } from './batch.ts';
import { sameFile } from './decide.ts';
import { CHUNK } from './intake.ts';
import { candidateNames } from './names.ts';
import { SHORT } from './patience.ts';
import { failureOf } from './tell.ts';
import { lookAgain, type Verifying } from './verify.ts';
import { type Means, type Plan, type PlannedJob, planAgain } from './verify-makers.ts';

/** What making outputs again works with. */
export interface Fixing extends Verifying {
  readonly means: Means;
  /** Opens what a batch over these sources works with, and who tells of it. Errors: `no_input` when all are gone. */
  readonly open: (sources: readonly string[], batch: Pick<Plan, 'cwd' | 'options'>) => Promise<OpenedFix>;
}

export interface OpenedFix {
  readonly ports: Ports;
  emit(event: Event): void;
  close(): void;
}

/** What became of each wrong output, and the exit code of a batch that did not come to its end. */
export interface Fixed {
  readonly remade: Remade;
  readonly exit: number | undefined;
}

/**
 * Makes wrong outputs again from their sources, as the batches did that made them: one new batch for all of the same
 * options. What is not ours is overwritten here as little as anywhere. Errors: those that leave no hope for others.
 */
export async function makeAgain(
  fixing: Fixing,
  wrong: readonly WrongOutput[],
  signal: AbortSignal,
): Promise<Fixed> {
  const failures = new Map<WrongOutput, Failure>();
  const fail = (one: WrongOutput, why: Failure) => void failures.set(one, why);
  const readable = wrong.filter((one) => !has(one, 'unreadable'));
  await distrust(fixing, readable);
  let exit: number | undefined;
  for (const plan of await planAgain(fixing.index, readable, fixing.means, fail)) {
    if (signal.aborted || exit !== undefined) break;
    const finished = await carryOut(fixing, plan, fail, signal);
    if (finished !== undefined && finished.state !== 'finished') exit = finished.exit;
  }
  const still = await lookAgain(fixing, wrong, signal);
  const left = new Map(still.map((one) => [one.record.path, one]));
  const remade = wrong.map((one) => {
    const now = left.get(one.record.path);
    if (signal.aborted) return [one, STOPPED] as const;
    return [one, now === undefined ? null : (failures.get(one) ?? stillWrong(now))] as const;
  });
  return { remade: new Map(remade), exit };
}

/** One batch; undefined when it could not begin. */
async function carryOut(
  fixing: Fixing,
  plan: Plan,
  fail: (one: WrongOutput, why: Failure) => void,
  signal: AbortSignal,
): Promise<BatchFinished | undefined> {
  const jobs = [...plan.jobs.values()];
  const failAll = (of: readonly PlannedJob[], why: Failure) => {
    for (const { wrong } of of) for (const one of wrong) fail(one, why);
  };
  const sources = jobs.map(({ maker }) => maker.source);
  let opened: OpenedFix | undefined;
  try {
    opened = await fixing.open(sources, plan);
    const { ports, emit } = opened;
    const facts = await ports.sources.statAll(sources);
    const there = jobs.filter((_, i) => facts[i] != null);
    failAll(
      jobs.filter((_, i) => facts[i] == null),
      GONE,
    );
    if (there.length === 0) return undefined;
    const bytes = facts.reduce((sum, one) => sum + (one?.size ?? 0), 0);
    const byGiven = new Map(there.map((job) => [job.maker.given, [job]]));
    const tell = (event: Event) => {
      if (event.type === 'job' && event.error !== undefined) {
        failAll(byGiven.get(event.source) ?? [], event.error);
      }
      emit(event);
    };
    const { cwd, options } = plan;
    const work: NewWork = { command: 'process', inputs: [...byGiven.keys()], cwd, options };
    return await runBatch(ports, work, tell, signal, mannerOf(there, bytes));
  } catch (error) {
    const failure = asImgtoolError(error);
    if (failure.fatal) throw error;
    failAll(jobs, failure.code === 'no_input' ? GONE : failureOf(failure));
    return undefined;
  } finally {
    opened?.close();
  }
}

/** Takes in these sources, under the names their jobs of before had, and no others. */
function mannerOf(jobs: readonly PlannedJob[], bytes: number): Manner {
  return {
    patience: SHORT,
    isEndless: false,
    // In one step, so that a batch that was begun knows all its jobs: resumed, it has nothing to walk.
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
 * Where size and time, or the bytes, are as recorded, nobody else would see that an output is wrong. From here on any run
 * does, also where it cannot be made again now.
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

function stillWrong(one: WrongOutput): Failure {
  if (has(one, 'unreadable')) return UNREADABLE;
  const [first] = one.problems;
  return { code: 'io', message: `was not put in order: ${first?.problem ?? ''}: ${first?.message ?? ''}` };
}

const GONE: Failure = {
  code: 'source_missing',
  message: 'its source is not there (any more)',
  fix: 'bring it back, or remove the output',
};
const UNREADABLE: Failure = {
  code: 'not_writable',
  message: 'what cannot be read is not replaced',
  fix: 'check its permissions and the disk; once it is removed it can be made again',
};
const STOPPED: Failure = { code: 'cancelled', message: 'stopped before that was known' };
