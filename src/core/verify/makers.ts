import { dirname, join, resolve } from 'node:path';
import { asImgtoolError } from '../../errors.ts';
import type { WrongOutput } from '../../model/verified.ts';
import type { Batch, BatchOptions, Failure, Limits, OutputRecord } from '../../model.ts';
import type { Index, Maker } from '../../ports.ts';
import { candidateNames } from '../batch/names.ts';
import { isBelow } from '../job/facts.ts';
import { chunked, type Way, waysOf } from './records.ts';

/** A new batch for all outputs whose makers had the same options. */
export interface Plan {
  readonly cwd: string;
  readonly options: BatchOptions;
  /** By source. */
  readonly jobs: Map<string, PlannedJob>;
}

/** The job that made a source's outputs, and those outputs that are wrong. */
export interface PlannedJob {
  readonly maker: Maker;
  /** The folder in which its source was found; null when the user named the source. */
  readonly root: FoundIn | null;
  readonly wrong: WrongOutput[];
}

/** A named folder, or the fixed part of a glob. */
interface FoundIn {
  /** Absolute path. */
  readonly path: string;
  readonly given: string;
}

/** The resources of this machine, and limits that replace the former ones. */
export interface RepairSettings extends Pick<BatchOptions, 'jobs' | 'memory' | 'memoryCap'> {
  readonly limits: Partial<Limits>;
  readonly keepEdited?: boolean;
}

type Former = Way & Pick<Batch, 'cwd' | 'inputs'>;

/** Plans batches that make these outputs again. Calls `fail` for each output that no batch can make. */
export async function planAgain(
  index: Index,
  wrong: readonly WrongOutput[],
  machine: RepairSettings,
  fail: (one: WrongOutput, why: Failure) => void,
): Promise<Plan[]> {
  const plans = new Map<string, Plan>();
  const formers = new Map<string, readonly Former[]>();
  for await (const chunk of chunked(wrong)) {
    const makers = await index.makers([...new Set(chunk.map(({ record }) => record.source))]);
    for (const one of chunk) if (!(await plan(one, makers))) fail(one, NO_MAKER);
  }
  return [...plans.values()];

  /** Plans the newest job that would make this output again. Returns false when there is none. */
  async function plan(one: WrongOutput, makers: readonly Maker[]): Promise<boolean> {
    for (const maker of makers) {
      if (maker.source !== one.record.source) continue;
      const former = (await formersOf(maker.batch)).find((way) => makes(way, maker, one.record));
      if (former === undefined) continue;
      const { cwd } = former;
      const options = optionsNow(former.options, machine);
      const key = JSON.stringify([cwd, options]);
      const planned = plans.get(key) ?? { cwd, options, jobs: new Map<string, PlannedJob>() };
      plans.set(key, planned);
      const job = planned.jobs.get(maker.source);
      if (job !== undefined) job.wrong.push(one);
      else planned.jobs.set(maker.source, { maker, root: rootOf(maker, former), wrong: [one] });
      return true;
    }
    return false;
  }

  async function formersOf(id: string): Promise<readonly Former[]> {
    const found = formers.get(id) ?? (await waysOfBatch(index, id));
    formers.set(id, found);
    return found;
  }
}

/** The ways in which a batch may have made outputs. Empty if the history has forgotten the batch. */
async function waysOfBatch(index: Index, id: string): Promise<Former[]> {
  try {
    const { cwd, inputs, options } = await index.batch(id);
    return waysOf(options).map((way) => ({ cwd, inputs, ...way }));
  } catch (error) {
    if (asImgtoolError(error).code !== 'unknown_batch') throw error;
    return [];
  }
}

/**
 * The folder in which a source was found: the first named folder above the source, or else the fixed part of a glob. A
 * file that a list named looks like a file that a glob found. Such a file counts as found if any input could have led
 * to it.
 */
function rootOf({ source, given, relative }: Maker, { cwd, inputs, options }: Former): FoundIn | null {
  if (inputs.includes(given)) return null;
  const above = (path: string) => dirname(join(path.slice(0, -relative.length), '_'));
  const root = { path: above(source), given: above(given) };
  const others = inputs.slice(0, options.list === null ? undefined : -1);
  const folder = others.find((input) => isBelow(source, resolve(cwd, input)));
  if (folder !== undefined) return { path: resolve(cwd, folder), given: folder };
  const isFound = others.some((input) => isBelow(resolve(cwd, input, '_'), root.path));
  return isFound || options.list === null ? root : null;
}

/**
 * The former options without those of a walk, and without `force` and `outdated`. The index has marked the wrong
 * outputs, and the batch renders no others.
 */
function optionsNow(before: BatchOptions, { limits, ...now }: RepairSettings): BatchOptions {
  const { followSymlinks = false } = before.walk ?? {};
  const walk = { allFiles: false, followSymlinks, ignoreCtime: false, include: [], exclude: [], base: null };
  const once = { force: false, outdated: false, dryRun: false, list: null, mirror: false };
  return { ...before, ...once, walk, ...now, limits: { ...before.limits, ...limits } };
}

function makes({ options, settings }: Former, maker: Maker, output: OutputRecord): boolean {
  const names = candidateNames(maker, options);
  const isMadeAs = (i: number) => names.some((paths) => paths[i] === output.path);
  return settings.some((one, i) => one === output.settings && isMadeAs(i));
}

/** The history forgets old batches, but their outputs stay. */
const NO_MAKER: Failure = {
  code: 'unknown_batch',
  message: 'no batch is kept that made it',
  fix: 'run {{command process}} over its source with the settings it was made with: that makes it again now',
};
