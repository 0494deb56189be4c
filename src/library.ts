import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';
import {
  batchOptions,
  type Config,
  checkCall,
  hintAsOptions,
  loadConfig,
  nearest,
  nearPath,
  workingFolder,
} from './config.ts';
import { type BatchRequest, type BatchRun, createEngine } from './engine.ts';
import { ImgtoolError } from './errors.ts';
import { type BatchFinder, changeUploads, findUploads, withHistory } from './history.ts';
import { JOB_STATES } from './model/jobs.ts';
import type { Forgotten, Verified } from './model/verified.ts';
import type { Batch, Event, JobRecord, Variant, WatchOptions } from './model.ts';

/** Settings of a batch, with the keys of `.imgtoolrc`. The defaults are those of `imgtool process`. */
export interface BatchSettings {
  /** Folder of the outputs. */
  readonly out?: string;
  readonly preset?: string;
  /** Variants, alone or added to those of a named preset: objects, or texts as in `--variant`. */
  readonly variants?: readonly (string | (Partial<Variant> & Pick<Variant, 'name'>))[];
  /** Effort of all encoders, from 0 (fastest) to 10 (smallest). Each format limits it to its own range. */
  readonly effort?: number;
  /** Metadata to keep, such as `copyright+icc` or a list of these words. */
  readonly keep?: string | readonly string[];
  /** Copyright notice, and name of the artist, to write into every output. */
  readonly copyright?: string;
  readonly artist?: string;
  /** Whether each output has the modification time of its source. */
  readonly times?: boolean;
  /** Whether outputs that somebody has edited stay as they are. */
  readonly keepEdited?: boolean;
  /** Template of output names. */
  readonly name?: string;
  /** Folder that `{dir}` starts from. By default each named folder. */
  readonly base?: string;
  readonly duplicates?: 'link' | 'copy' | 'skip';
  readonly force?: boolean;
  /** Whether to render again what an older version rendered in another way. */
  readonly outdated?: boolean;
  readonly dryRun?: boolean;
  /**
   * Whether to remove the outputs of sources that are gone; `process` also removes those of dropped
   * variants. `all`: also when most sources are gone.
   */
  readonly mirror?: boolean | 'all';
  /** Most pixels of all frames that are used. */
  readonly limitPixels?: number;
  readonly allowSvg?: boolean;
  readonly lenient?: boolean;
  /** Seconds that one image may take. */
  readonly timeout?: number;
  readonly allFiles?: boolean;
  readonly followSymlinks?: boolean;
  readonly ignoreCtime?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Stops the batch when it aborts. Images in work finish; the others are cancelled. */
  readonly signal?: AbortSignal;
}

/** Settings of all batches of one engine. */
export interface EngineSettings {
  /** File of the index. */
  readonly index?: string;
  /** Images at a time, over all batches. */
  readonly jobs?: number;
  /** Memory that pictures in work may take together, over all batches: bytes, or text such as `512M` or `1.5GiB`. */
  readonly memory?: number | string;
  /** Path of a settings file. The library does not search for one. */
  readonly config?: string;
  /** The folder of relative paths. Default: the working folder of the process. */
  readonly cwd?: string;
}

export type ProcessOptions = BatchSettings & EngineSettings;

/** Settings of a watch. `settle` is in milliseconds. */
export type WatchSettings = Omit<BatchSettings, 'dryRun'> &
  Partial<Omit<WatchOptions, 'scanInterval'>> & {
    /** Seconds between two walks through everything, varied at random by up to a quarter. */
    readonly scanInterval?: number;
  };

/** Runs any number of batches at the same time. They share an index, child processes and one memory budget. */
export interface ImageEngine {
  /**
   * Runs one batch over files, folders and globs, and yields its events. The last event is `batch.finished`. The batch
   * waits for a slow reader. Leaving the loop early stops the batch, as `signal` does. Throws an ImgtoolError when the batch
   * cannot start: `usage`, `config`, `no_input`, `not_writable`, `index_unusable` and others.
   */
  process(inputs: string | readonly string[], settings?: BatchSettings): AsyncGenerator<Event, void, void>;
  /** Like `process`, over folders and all files that arrive in them, until `signal` aborts or the loop is left. */
  watch(folders: string | readonly string[], settings?: WatchSettings): AsyncGenerator<Event, void, void>;
  /** Returns a batch and its jobs, by a unique beginning of its id, or `last` for the newest batch. Errors: `unknown_batch`. */
  status(batch: string): Promise<{ readonly batch: Batch; readonly jobs: readonly JobRecord[] }>;
  /** Returns batches, newest first; 20 by default. */
  list(limit?: number): Promise<readonly Batch[]>;
  /**
   * Stops a batch of any process, also one of `imgtool serve`, named as for `status`, and resolves once it has ended. Errors:
   * `unknown_batch`.
   */
  cancel(batch: string): Promise<Batch>;
  /**
   * Reads and decodes the outputs of a batch, named as for `status`, or those at these paths, below them and of the sources
   * there, or all outputs. With `fix`, makes wrong ones again. With `keepEdited`, and without `batch` and `paths`, outputs
   * that may have been edited stay as they are.
   */
  verify(options?: {
    readonly batch?: string;
    readonly paths?: readonly string[];
    readonly fix?: boolean;
    readonly keepEdited?: boolean;
    readonly signal?: AbortSignal;
  }): Promise<Verified>;
  /** Removes the records of outputs and sources that are gone, at these paths and below them. */
  forget(paths: string | readonly string[], options?: { readonly dryRun?: boolean }): Promise<Forgotten>;
  /** Stops all batches, and resolves once they have ended. May be called twice. */
  close(): Promise<void>;
}

/** Opens an engine. Errors: `config`, `usage`. */
export async function openEngine(settings: EngineSettings = {}): Promise<ImageEngine> {
  checkCall('openEngine', settings);
  const { cwd = workingFolder() } = settings;
  const configFor = (more: object = {}): Promise<Config> => {
    const { config: file = false, cwd: _, ...shared } = settings;
    return loadConfig({ flags: { ...shared, ...more, config: file }, cwd }).catch(throwWorded);
  };
  const config = await configFor();
  const { index, isUsualIndex, jobs, memory } = config;
  const engine = createEngine({
    index,
    isUsualIndex,
    jobs,
    memory,
    nearest,
    nearPath,
    wordHint: hintAsOptions,
  });
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();

  async function* batch(
    command: 'process' | 'watch',
    inputs: string | readonly string[],
    batchSettings: BatchSettings | undefined,
    prepare: (request: BatchRequest, config: Config) => Promise<BatchRun>,
  ): AsyncGenerator<Event, void, void> {
    checkCall(command, inputs, batchSettings);
    const { signal, ...more } = batchSettings ?? {};
    const own = await configFor(more);
    const paths = typeof inputs === 'string' ? [inputs] : inputs;
    const queue = openQueue();
    const prepared = async () => {
      const request = { inputs: { paths, list: null, cwd }, options: batchOptions(own), ready: queue.ready };
      return prepare(request, own);
    };
    const run = await prepared().catch(throwWorded);
    const left = new AbortController();
    const stop = AbortSignal.any([left.signal, closing.signal, ...(signal === undefined ? [] : [signal])]);
    stop.addEventListener('abort', queue.flow, { once: true });
    if (stop.aborted) queue.flow();
    const result = run(queue.emit, stop).finally(queue.end);
    const ended = result.catch(() => {});
    running.add(ended);
    try {
      yield* queue.events();
      await result.catch(throwWorded);
    } finally {
      left.abort();
      await ended;
      running.delete(ended);
    }
  }

  async function cancel(id: string): Promise<Batch> {
    const uploads = await findUploads(index, id, nearest);
    if (uploads !== undefined) return (await changeUploads(index, uploads.id, 'cancel')).batch;
    return (await engine.cancel(id)).batch;
  }

  const withPast = <T>(use: (past: BatchFinder) => Promise<T>) =>
    withHistory(index, nearest, hintAsOptions, use).catch(throwWorded);

  return {
    process: (inputs, batchSettings) =>
      batch('process', inputs, batchSettings, (request) => engine.process(request)),
    watch: (folders, batchSettings) =>
      batch('watch', folders, batchSettings, (request, own) =>
        engine.watch({ ...request, inputs: { ...request.inputs, onlyFolders: 'watched' } }, own.watch),
      ),
    async status(id) {
      checkCall('status', id);
      return withPast(async (past) => {
        const found = await past.find(id);
        return { batch: found, jobs: await past.jobs(found.id, JOB_STATES) };
      });
    },
    async list(limit) {
      checkCall('list', limit);
      return withPast((past) => past.batches(limit ?? 20));
    },
    async cancel(id) {
      checkCall('cancel', id);
      return cancel(id).catch(throwWorded);
    },
    async verify(given) {
      checkCall('verify', given);
      const { batch: id, paths = [], fix = false, signal = new AbortController().signal } = given ?? {};
      const { keepEdited = config.keepEdited } = given ?? {};
      const machine = { jobs, memory, memoryCap: config.memoryCap, limits: {} };
      const { dryRun, limits } = config;
      const request = { batch: id, paths, cwd, fix, dryRun, keepEdited, machine, timeout: limits.timeout };
      return (await engine.verify(request, signal).catch(throwWorded)).verified;
    },
    async forget(paths, given) {
      checkCall('forget', paths, given);
      const named = typeof paths === 'string' ? [paths] : paths;
      return engine.forget(named, cwd, given?.dryRun ?? config.dryRun).catch(throwWorded);
    },
    async close() {
      closing.abort();
      await Promise.all(running);
      await engine.close();
    },
  };
}

/** Throws the error with its hint in the words of options. */
function throwWorded(error: unknown): never {
  if (!(error instanceof ImgtoolError) || error.fix === undefined) throw error;
  const { code, message, fix, cause } = error;
  throw new ImgtoolError(code, message, { fix: hintAsOptions(fix), cause });
}

/** Runs one batch with its own engine. Otherwise like `ImageEngine.process`. */
export async function* processImages(
  inputs: string | readonly string[],
  options: ProcessOptions = {},
): AsyncGenerator<Event, void, void> {
  checkCall('processImages', inputs, options);
  const { index, jobs, memory, config, cwd, ...settings } = options;
  const given = { index, jobs, memory, config, cwd };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const engine = await openEngine(own);
  try {
    yield* engine.process(inputs, settings);
  } finally {
    await engine.close();
  }
}

/** Number of unread events at which a batch starts to wait for its reader. */
const MOST_UNREAD = 1_000;

/** A queue of events between a batch and its reader. */
function openQueue() {
  let isFlowing = false;
  let goOn = () => {};
  /** Resolves once the reader has caught up, for all who wait at that time. */
  let caughtUp: Promise<void> | undefined;
  let controller: ReadableStreamDefaultController<Event> | undefined;
  const start = (opened: ReadableStreamDefaultController<Event>) => {
    controller = opened;
  };
  const pull = () => {
    caughtUp = undefined;
    goOn();
  };
  const stream = new ReadableStream<Event>({ start, pull }, { highWaterMark: MOST_UNREAD });
  return {
    emit: (event: Event) => controller?.enqueue(event),
    /** Events after the end are dropped. */
    end() {
      controller?.close();
      controller = undefined;
    },
    /** Resolves once the reader has caught up. */
    async ready(): Promise<void> {
      while (!isFlowing && (controller?.desiredSize ?? 1) <= 0) {
        caughtUp ??= new Promise((resolve) => {
          goOn = resolve;
        });
        await caughtUp;
      }
    },
    /** From now on the batch does not wait for the reader. */
    flow() {
      isFlowing = true;
      pull();
    },
    /** A batch whose reader has left still adds its last events. */
    events: () => stream.values({ preventCancel: true }),
  };
}
