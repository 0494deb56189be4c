import { loadConfig } from './config.ts';
import { dryRun } from './core/batch/dry-run.ts';
import { runBatch } from './core/batch/run.ts';
import type { Event, Variant } from './model.ts';
import { openBatch } from './open.ts';

export { ImgtoolError } from './errors.ts';
export type {
  BatchFinished,
  BatchStarted,
  Counts,
  Event,
  Failure,
  JobEvent,
  JobState,
  Output,
  Timings,
  Variant,
} from './model.ts';

/** The settings of `imgtool process`, by the keys of `.imgtoolrc`; what is left out has the same default. */
export interface ProcessOptions {
  /** Folder of the outputs. */
  readonly out?: string;
  readonly preset?: string;
  /** Added to the preset, or on their own when no preset is named: as objects or as `--variant` specs. */
  readonly variants?: readonly (string | (Partial<Variant> & Pick<Variant, 'name'>))[];
  /** How hard the encoders of all variants try: 0, fastest, to 10, smallest, cut to what a format has. */
  readonly effort?: number;
  /** Template of output names. */
  readonly name?: string;
  /** Images at a time. */
  readonly jobs?: number;
  /** What pictures in work may take together: bytes, or such as `512M` or `1.5GiB`. */
  readonly memory?: number | string;
  /** File of the index. */
  readonly index?: string;
  readonly duplicates?: 'link' | 'copy' | 'skip';
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** Pixels of one frame. */
  readonly limitPixels?: number;
  readonly allowSvg?: boolean;
  readonly lenient?: boolean;
  /** Seconds one image may take. */
  readonly timeout?: number;
  readonly allFiles?: boolean;
  readonly followSymlinks?: boolean;
  readonly ignoreCtime?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** A file of settings. Without it none is looked for: a library's caller decides by itself. */
  readonly config?: string;
  /** What relative paths are relative to; the process's working folder unless given. */
  readonly cwd?: string;
  /** Stops the batch: images in work finish, the rest is cancelled. */
  readonly signal?: AbortSignal;
}

/**
 * One batch over files, folders and globs. Yields its events as they happen, `batch.finished` last; leaving the loop
 * early stops the batch as `signal` does. Errors: those that keep a batch from starting, as ImgtoolError with a code
 * (`usage`, `config`, `no_input`, `not_writable`, `index_unusable` …). A failed image is an event, not an error.
 */
export async function* processImages(
  inputs: string | readonly string[],
  { signal, cwd = process.cwd(), config: file, ...flags }: ProcessOptions = {},
): AsyncGenerator<Event, void, void> {
  const config = await loadConfig({ flags: { ...flags, config: file ?? false }, cwd });
  const paths = typeof inputs === 'string' ? [inputs] : inputs;
  const { ports, work, close } = await openBatch(config, { paths, list: null, cwd }, 'process');
  const left = new AbortController();
  const stop = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const { emit, ended, events } = queue();
  const run = config.dryRun ? dryRun : runBatch;
  const finished = run(ports, work, emit, stop).then(
    () => ended(),
    (error: unknown) => ended(error),
  );
  try {
    yield* events();
  } finally {
    left.abort();
    await finished;
    await close();
  }
}

/** Events waiting in memory for whoever iterates. */
function queue() {
  const waiting: Event[] = [];
  let wake = () => {};
  let end: { error?: unknown } | undefined;
  return {
    emit(event: Event) {
      waiting.push(event);
      wake();
    },
    ended(error?: unknown) {
      end = error === undefined ? {} : { error };
      wake();
    },
    async *events(): AsyncGenerator<Event, void, void> {
      for (;;) {
        while (waiting.length > 0) yield* waiting.splice(0);
        if (end !== undefined) {
          if ('error' in end) throw end.error;
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
