import { basename, dirname, join } from 'node:path';
import { ImgtoolError } from '../../errors.ts';
import type { WrongOutput } from '../../model/verified.ts';
import type { BatchOptions, Failure, Limits, OutputRecord } from '../../model.ts';
import type { Index, Maker } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import { candidateNames } from '../batch/names.ts';
import { isBelow } from '../job/facts.ts';
import { acceptedSettings, waysOf } from './records.ts';

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
}

/** One way in which a batch may have made outputs. The settings digests show which outputs it would make. */
interface Former {
  readonly cwd: string;
  readonly options: BatchOptions;
  readonly inputs: readonly string[];
  /** The settings digest of each variant, in the order of the variants. */
  readonly settings: readonly (string | undefined)[];
}

/** Plans batches that make these outputs again. Calls `fail` for each output that no batch can make. */
export async function planAgain(
  index: Index,
  wrong: readonly WrongOutput[],
  means: RepairSettings,
  fail: (one: WrongOutput, why: Failure) => void,
): Promise<Plan[]> {
  const plans = new Map<string, Plan>();
  const formers = new Map<string, readonly Former[]>();
  for (let at = 0; at < wrong.length; at += CHUNK) {
    const chunk = wrong.slice(at, at + CHUNK);
    const makers = await index.makers([...new Set(chunk.map(({ record }) => record.source))]);
    for (const one of chunk) {
      const found = await makerOf(one.record);
      if (found === undefined) fail(one, NO_MAKER);
      else plan(one, found);
    }

    /** The newest job that would make this output again. */
    async function makerOf(record: OutputRecord): Promise<(Former & { maker: Maker }) | undefined> {
      for (const maker of makers) {
        if (maker.source !== record.source) continue;
        const former = (await formersOf(maker.batch)).find((one) => makes(one, maker, record));
        if (former !== undefined) return { ...former, maker };
      }
      return undefined;
    }
  }
  return [...plans.values()];

  function plan(one: WrongOutput, { cwd, options: before, inputs, maker }: Former & { maker: Maker }): void {
    const options = optionsNow(before, means);
    const key = JSON.stringify([cwd, options]);
    const planned = plans.get(key) ?? { cwd, options, jobs: new Map() };
    plans.set(key, planned);
    const job = planned.jobs.get(maker.source);
    const root = rootOf(maker, inputs, before);
    if (job === undefined) planned.jobs.set(maker.source, { maker, root, wrong: [one] });
    else job.wrong.push(one);
  }

  async function formersOf(id: string): Promise<readonly Former[]> {
    const known = formers.get(id);
    if (known !== undefined) return known;
    const batch = await index.batch(id).catch(unlessUnknown);
    const found =
      batch === undefined
        ? []
        : waysOf(batch.options).flatMap((options) => {
            const { cwd, inputs } = batch;
            return acceptedSettings(options).map((settings) => ({ cwd, inputs, options, settings }));
          });
    formers.set(id, found);
    return found;
  }
}

/**
 * The folder in which a source was found. A file at the top of a folder looks like a file that a list named. It counts as
 * found if any input could have led to it.
 */
function rootOf(
  { source, given, relative }: Maker,
  inputs: readonly string[],
  { list }: BatchOptions,
): FoundIn | null {
  if (inputs.includes(given)) return null;
  const above = (path: string) => dirname(join(path.slice(0, -relative.length), '_'));
  const root = { path: above(source), given: above(given) };
  const others = inputs.slice(0, list === null ? undefined : -1).map((input) => join(input, '_'));
  const isFound = relative !== basename(given) || others.some((input) => isBelow(input, root.given));
  return isFound || list === null ? root : null;
}

/** The former options without a walk and without `force`: wrong outputs are marked, so `force` is not needed. */
function optionsNow(before: BatchOptions, { jobs, memory, memoryCap, limits }: RepairSettings): BatchOptions {
  const { followSymlinks = false } = before.walk ?? {};
  const walk = { allFiles: false, followSymlinks, ignoreCtime: false, include: [], exclude: [] };
  const once = { force: false, dryRun: false, list: null };
  return { ...before, ...once, walk, jobs, memory, memoryCap, limits: { ...before.limits, ...limits } };
}

function makes(
  { options, settings }: Former,
  maker: Maker,
  { path, settings: meant }: OutputRecord,
): boolean {
  const names = candidateNames(maker, options);
  return settings.some((one, i) => one === meant && names.some((paths) => paths[i] === path));
}

/** The history forgets old batches, but their outputs stay. */
const NO_MAKER: Failure = {
  code: 'unknown_batch',
  message: 'no batch is kept that made it',
  fix: 'run imgtool process over its source with the settings it was made with: that makes it again now',
};

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof ImgtoolError) || error.code !== 'unknown_batch') throw error;
}
