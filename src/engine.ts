import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { localSourceProbe } from './adapters/local-sources/files.ts';
import { openLocalSources } from './adapters/local-sources/index.ts';
import { openLocalStorage } from './adapters/local-storage.ts';
import { openSqliteIndex } from './adapters/sqlite-index/index.ts';
import { createWorkerPool } from './adapters/worker-pool.ts';
import { findBatch, type Nearest, otherThanLast } from './core/batch/find.ts';
import { foldName } from './core/batch/names.ts';
import { type Changes, inputsOf, under, workLeft } from './core/batch/resume.ts';
import { type NewWork, resumeBatch, runBatch } from './core/batch/run.ts';
import type { Ports } from './core/job/context.ts';
import { type MemoryBudget, openMemoryBudget } from './core/queue/memory-budget.ts';
import { shareRenderer } from './core/queue/share.ts';
import type { Fixing } from './core/verify/fix.ts';
import type { RepairSettings } from './core/verify/makers.ts';
import type { VerifyProgress } from './core/verify/verify.ts';
import { type WordHint, wordEvent, wordFailure } from './model/failures.ts';
import type { OutputRecord } from './model/records.ts';
import type { Batch, BatchFinished, BatchOptions, Event, Report, WatchOptions } from './model.ts';
import type { Index, Inputs, Renderer } from './ports.ts';

/** What all batches of one engine share. */
export interface EngineOptions {
  /** Absolute path of the index. */
  readonly index: string;
  /** Whether a command finds this index without a flag. */
  readonly isUsualIndex: boolean;
  /** Pictures in work at a time, over all batches. Default: the number of the first batch. */
  readonly jobs?: number;
  /** Bytes of memory that pictures in work may take together, over all batches. Default: that of the first batch. */
  readonly memory?: number;
  /** Finds the word that is nearest to another one, for suggestions. */
  readonly nearest: Nearest;
  /** Finds the existing path that is nearest to another one. */
  readonly nearPath: (path: string, cwd: string) => string | undefined;
  /** Puts hints of events, records and results into words. Hints of thrown errors stay as they are. */
  readonly wordHint: WordHint;
}

/** The inputs and options of a new batch. */
export interface BatchRequest {
  readonly inputs: Inputs;
  readonly options: Omit<BatchOptions, 'list'>;
  /** Whether to emit the event `profile` too, which shows where the time went. */
  readonly profile?: boolean;
  /** Resolves once the reader of events has caught up. The batch takes no new work before. */
  readonly ready?: () => Promise<void>;
}

/** Runs a batch with checked inputs until it ends or the signal aborts. Errors: those of the index before it begins. */
export type BatchRun = (emit: (event: Event) => void, signal: AbortSignal) => Promise<BatchFinished>;

export type How = 'resume' | 'retry';

export interface VerifyRequest {
  /** The beginning of a batch's id, or `last`. */
  readonly batch?: string | undefined;
  /** Outputs, sources or folders of them, relative to `cwd`, if no batch is named. None: all outputs. */
  readonly paths: readonly string[];
  readonly cwd: string;
  /** Whether to make wrong outputs again. */
  readonly fix: boolean;
  /** Whether a setting asks for a dry run, which `fix` does not have. */
  readonly dryRun: boolean;
  /** Whether wrong outputs stay that somebody may have edited. */
  readonly keepEdited: boolean;
  /** `jobs` is the number of outputs to work on at a time. */
  readonly machine: RepairSettings;
  /** Milliseconds that one output may take. */
  readonly timeout: number;
  readonly progress?: VerifyProgress;
  /** Opens a reader of the events of each batch that makes outputs again. */
  readonly openReport?: (outGiven: string) => Promise<Report>;
}

export type Engine = ReturnType<typeof createEngine>;

/**
 * One engine for a whole process. It opens index, child processes and memory budget once, and any number of batches share
 * them at the same time. The index opens with its first use.
 */
export function createEngine(options: EngineOptions) {
  const { index: file, isUsualIndex, jobs, memory, nearest, nearPath, wordHint } = options;
  let index: Promise<Index> | undefined;
  let pool: Renderer | undefined;
  let budget: MemoryBudget | undefined;

  const openIndex = () =>
    (index ??= openSqliteIndex(file, foldName).catch((error: unknown) => {
      // What was in the way may be gone at the next use.
      index = undefined;
      throw error;
    }));
  const lookAtIndex = () => openSqliteIndex(file, foldName, 'look');
  const named = (paths: readonly string[], cwd: string) =>
    paths.map((given) => ({ given, path: resolve(cwd, given), near: nearPath(given, cwd) }));
  const renderer = (asked: number, givesWay = false) =>
    (pool ??= createWorkerPool({ size: jobs ?? asked, givesWay }));

  /** Opens the index for a command about earlier batches, and never creates one. With `look` it may be write-protected. */
  async function withIndex<T>(purpose: 'work' | 'look', use: (index: Index) => Promise<T>): Promise<T> {
    if (purpose === 'work' && existsSync(file)) return use(await openIndex());
    const own = await lookAtIndex();
    try {
      return await use(own);
    } finally {
      await own.close();
    }
  }

  async function portsOf(inputs: Inputs, options: Omit<BatchOptions, 'list'>): Promise<Ports> {
    const shared = renderer(options.jobs);
    // Without an index there is surely work: a child process starts while the inputs are checked.
    if (!existsSync(file)) shared.warm();
    const hasFolders = options.template.includes('{dir}');
    const rules = { ...options.walk, out: options.out, index: file, hasFolders };
    const sources = await openLocalSources(inputs, rules, nearPath);
    budget ??= openMemoryBudget(memory ?? options.memory);
    const run = newRun();
    const opened = await (options.dryRun ? lookAtIndex() : openIndex());
    const storage = openLocalStorage(run);
    return { index: opened, storage, sources, run, renderer: shareRenderer(shared), budget };
  }

  /** With `profile`, measures the time of each call. */
  function prepared(
    ports: Ports,
    profile: boolean,
    run: (ports: Ports, ...rest: Parameters<BatchRun>) => Promise<BatchFinished>,
  ): BatchRun {
    return async (given, signal) => {
      const emit = (event: Event) => given(wordEvent(event, wordHint));
      if (!profile) return run(ports, emit, signal);
      const { withProfile } = await import('./core/batch/profile.ts');
      const timed = withProfile(ports, emit);
      return run(timed.ports, timed.emit, signal);
    };
  }

  async function prepare(
    command: NewWork['command'],
    { inputs, options, profile = false, ready }: BatchRequest,
    run: (ports: Ports, work: NewWork, ...rest: Parameters<BatchRun>) => Promise<BatchFinished>,
  ): Promise<BatchRun> {
    const ports = { ...(await portsOf(inputs, options)), ...(ready === undefined ? {} : { ready }) };
    const { list, cwd } = inputs;
    const given = [...inputs.paths, ...(list === null ? [] : [list.from])];
    const work = { command, inputs: given, cwd, options: { ...options, list } };
    return prepared(ports, profile, (opened, emit, signal) => run(opened, work, emit, signal));
  }

  return {
    /** Errors of the inputs, here and in `watch`: `no_input`, `usage`. */
    async process(request: BatchRequest): Promise<BatchRun> {
      const { options } = request;
      let { inputs } = request;
      if (options.mirror) {
        const { wholeFolders } = await import('./core/batch/mirror.ts');
        inputs = wholeFolders(inputs, options.walk);
      }
      if (!options.dryRun) return prepare('process', { ...request, inputs }, runBatch);
      const { dryRun } = await import('./core/batch/dry-run.ts');
      return prepare('process', { ...request, inputs }, (ports, ...rest) =>
        dryRun(ports, ...rest).finally(ports.index.close),
      );
    },
    async watch(request: BatchRequest, options: WatchOptions): Promise<BatchRun> {
      const { runWatch } = await import('./core/watch/watch.ts');
      const unmirrored = { ...request, options: { ...request.options, mirror: false } };
      return prepare('watch', unmirrored, (ports, work, emit, signal) =>
        runWatch(ports, work, options, emit, signal),
      );
    },
    /**
     * Prepares the rest of a batch, or its failed jobs. `run` is undefined when nothing is left to do; `other` is then
     * the batch that fits if `id` is `last`. Errors: `unknown_batch`, `batch_running`, `usage`.
     */
    async again(
      how: How,
      id: string,
      changes: Changes & { readonly cwd: string; readonly profile: boolean },
    ) {
      const { batch, other } = await withIndex('work', async (opened) => ({
        batch: await findBatch(opened, id, nearest),
        other: await otherThanLast(opened, id, how),
      }));
      const isListed = isReadable(batch);
      const work = workLeft(batch, how, changes, isListed);
      if (work === undefined) return { batch, run: undefined, warnings: [], other };
      const { inputs, warnings } = inputsOf(batch, isListed);
      const ports = await portsOf(inputs, work.options);
      const moved = batch.cwd === changes.cwd ? { ports, work } : under(ports, work);
      const run = prepared(moved.ports, changes.profile, (timed, emit, signal) =>
        resumeBatch(timed, moved.work, emit, signal),
      );
      return { batch, run, warnings, other: undefined };
    },
    /**
     * Stops a batch, and resolves once it has ended. `other` is a batch that can be stopped, if `id` is `last` and this
     * batch had ended. Errors: `unknown_batch`.
     */
    async cancel(id: string) {
      const { cancelBatch } = await import('./core/batch/stop.ts');
      return withIndex('work', async (opened) => {
        const cancelled = await cancelBatch(opened, await findBatch(opened, id, nearest));
        const other = cancelled.was === 'ended' ? await otherThanLast(opened, id, 'cancel') : undefined;
        return { ...cancelled, other };
      });
    },
    /** Checks outputs. Makes wrong ones again with `fix`. Errors: `unknown_batch`; `no_input` for a path without outputs. */
    async verify(request: VerifyRequest, signal: AbortSignal) {
      const { batch: id, paths, cwd, fix, machine, timeout, progress, openReport } = request;
      const { checkOutputs } = await import('./core/verify/fix.ts');
      const open: Fixing['open'] = async ({ named, folders }, { cwd, options }) => {
        const inputs = { paths: named, list: null, cwd, once: { folders } };
        const ports = await portsOf(inputs, options);
        const report = await openReport?.(options.outGiven);
        const emit = (event: Event) => report?.event(wordEvent(event, wordHint));
        return { ports, emit, close: () => report?.close() };
      };
      return withIndex(fix ? 'work' : 'look', async (opened) => {
        const fixing: Fixing = {
          ...{
            index: opened,
            renderer: shareRenderer(renderer(machine.jobs)),
            storage: openLocalStorage(newRun()),
          },
          ...{ sources: localSourceProbe, machine, timeout, progress, open },
          otherIndex: isUsualIndex ? undefined : file,
        };
        const batch = id === undefined ? undefined : await findBatch(opened, id, nearest);
        const { dryRun, keepEdited } = request;
        const scope = { batch, named: named(paths, cwd), keepEdited, dryRun };
        const { verified, unfinished } = await checkOutputs(fixing, scope, fix, signal);
        const { remade } = verified;
        if (remade === undefined) return { verified, unfinished };
        const worded = [...remade].map(
          ([output, why]) => [output, why && wordFailure(why, wordHint)] as const,
        );
        return { verified: { ...verified, remade: new Map(worded) }, unfinished };
      });
    },
    /** Calls `use` with each output that `verify` would check. Errors: `no_input` for a path without outputs. */
    async outputs(paths: readonly string[], cwd: string, use: (record: OutputRecord) => Promise<void>) {
      const { outputsNamed } = await import('./core/verify/named.ts');
      return withIndex('look', async (made) => {
        for await (const record of outputsNamed(made, named(paths, cwd))) await use(record);
      });
    },
    /**
     * Removes the records of outputs and sources that are gone, at these paths and below them. With `dryRun` it only lists
     * them. Errors: `no_input` when nothing is recorded for a path.
     */
    async forget(paths: readonly string[], cwd: string, dryRun: boolean) {
      const { forgetGonePaths } = await import('./core/verify/forget.ts');
      const ports = { storage: openLocalStorage(newRun()), sources: localSourceProbe };
      return withIndex(dryRun ? 'look' : 'work', (made) =>
        forgetGonePaths({ ...ports, index: made }, named(paths, cwd), dryRun),
      );
    },
    /**
     * What renders pictures beside the batches: the same child processes, within the same memory budget. If no batch has
     * started them yet, they have a lower priority than this process, which answers requests meanwhile.
     */
    rendering(asked: Pick<BatchOptions, 'jobs' | 'memory'>) {
      budget ??= openMemoryBudget(memory ?? asked.memory);
      return { renderer: shareRenderer(renderer(asked.jobs, true)), budget };
    },
    /** Describes what the child processes read and write. */
    about: () => renderer(1).about(),
    /** Kills all work at once. */
    kill: () => pool?.kill(),
    /** May be called twice. */
    async close() {
      await pool?.close();
      const opened = index?.catch(() => undefined);
      index = undefined;
      await (await opened)?.close();
    },
  };
}

/** A new, unique run id in hex digits. */
function newRun(): string {
  return randomBytes(6).toString('hex');
}

/** Whether the list of files of a batch can be read, if the batch has one. */
function isReadable({ options: { list }, cwd }: Batch): boolean {
  // Batches of the first version have no options.
  if (list == null || list.from === '-') return list == null;
  try {
    accessSync(resolve(cwd, list.from), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
