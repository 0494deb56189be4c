import type { Group } from '../config/settings.ts';
import { type Config, flagsOf, hintAsFlags, loadConfig, nearest } from '../config.ts';
import type { Engine, PreparedBatch } from '../engine.ts';
import type { BatchFinished, Event } from '../model.ts';
import type { Streams } from '../report/open.ts';

/** One verb of the command line: what it takes, and what it does. */
export interface Verb {
  /** In the list of verbs; `description` unless given. */
  readonly summary?: string;
  readonly description: string;
  /** Groups of settings that it takes; all of them unless given. */
  readonly settings?: readonly Group[];
  /** Its argument as commander writes it, and a line of help. */
  readonly argument?: readonly [name: string, about: string];
  readonly options?: readonly (readonly [flag: string, about: string, initial?: string])[];
  /** Flags that its help leaves out. */
  readonly hidden?: readonly string[];
  /** What it ends with decides the exit code. Errors: those of the verb, as ImgtoolError. */
  run(call: Call): Promise<Outcome>;
}

/** A command as its help shows it. */
export interface Helpful {
  readonly commands: readonly Helpful[];
  name(): string;
  /** Usage and flags. */
  helpInformation(): string;
}

/** How a verb ended: with a batch, well, or with something found wrong. */
export type Outcome = BatchFinished | 'ok' | 'problem';

/** What the command line gives a verb. */
export interface Call {
  readonly paths: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly streams: Streams;
  /** The command line itself, with all its verbs where help is asked for. */
  readonly program: Helpful;
  /** Aborts with the first signal, once signals are heard. */
  readonly signal: AbortSignal;
  /** From here on the first signal stops in order; `force` is called with the second. */
  hearSignals(force?: () => void): void;
  /** The exit code that a batch leads to. */
  exitOf(finished: BatchFinished): number;
}

/** Settings of the two kinds of verbs that work on pictures, and of those that look at batches. */
export const LOOKING = ['display', 'settings'] as const;
export const WORKING = ['limits', 'work', 'display', 'settings'] as const;

export function configOf({ options }: Call): Promise<Config> {
  return loadConfig({ flags: flagsOf(options), cwd: process.cwd() });
}

/** An engine for one command: its machine is that of the batch. */
export async function engineOf({ index }: Config): Promise<Engine> {
  const { createEngine } = await import('../engine.ts');
  return createEngine({ index, nearest, wordHint: hintAsFlags });
}

export async function pagesFor({ streams }: Call, config: Config) {
  const { pagesOf } = await import('../report/open.ts');
  return pagesOf(streams, config);
}

/** Runs a batch: reports its events, and stops it by signals. */
export async function attend(
  { streams, signal, hearSignals, exitOf }: Call,
  config: Config,
  command: string,
  engine: Engine,
  { run }: PreparedBatch,
  { inputs = [], warnings = [] }: { inputs?: readonly string[]; warnings?: readonly Event[] } = {},
): Promise<BatchFinished> {
  const { openReport } = await import('../report/open.ts');
  const report = await openReport(config, streams, { command, inputs, exitOf });
  hearSignals(engine.kill);
  try {
    for (const warning of [...config.warnings, ...warnings]) report.event(warning);
    return await run(report.event, signal);
  } finally {
    report.close();
  }
}
