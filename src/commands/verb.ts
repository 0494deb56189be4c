import { existsSync } from 'node:fs';
import type { Group } from '../config/settings.ts';
import {
  type Config,
  flagsOf,
  hintAsFlags,
  loadConfig,
  nearest,
  nearPath,
  workingFolder,
} from '../config.ts';
import type { BatchRun, Engine } from '../engine.ts';
import { ImgtoolError } from '../errors.ts';
import { type BatchFinder, hasUploads, withHistory } from '../history.ts';
import type { BatchFinished, Event } from '../model.ts';
import { createPrint, openReport, type Streams, styleOf } from '../report/open.ts';

/** One verb of the command line: its arguments and its action. */
export interface Verb {
  /** Text for the list of verbs. The default is `description`. */
  readonly summary?: string;
  readonly description: string;
  /** Groups of settings that the verb accepts. The default is all groups. */
  readonly settings?: readonly Group[];
  /** The argument in commander's syntax, and its line of help. */
  readonly argument?: readonly [name: string, about: string];
  readonly options?: readonly (readonly [flag: string, about: string, initial?: string])[];
  /** Flags that the help of this verb leaves out. */
  readonly hidden?: readonly string[];
  /** Help of flags that mean something else for this verb. */
  readonly about?: Readonly<Record<string, string>>;
  /** Command lines for the end of the help, the most common first. */
  readonly examples: readonly string[];
  /** The outcome decides the exit code. Errors: those of the verb, as ImgtoolError. */
  run(call: Call): Promise<Outcome>;
}

/** A command as its help shows it, with the version of the program. */
export interface Helpful {
  readonly commands: readonly Helpful[];
  name(): string;
  /** Usage and flags. */
  helpInformation(): string;
  version(): string | undefined;
}

/** How a verb ended: with a batch, without problems, or with a problem found. */
export type Outcome = BatchFinished | 'ok' | 'problem';

/** What the command line passes to a verb. */
export interface Call {
  readonly paths: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly streams: Streams;
  /** The root command. It has all verbs when the user asks for help. */
  readonly program: Helpful;
  /** Aborts with the first signal after a call of `hearSignals`. */
  readonly signal: AbortSignal;
  /** After this call the first signal stops the command in order, and the second signal calls `force`. */
  hearSignals(force?: () => void): void;
  /** The exit code for the result of a batch. */
  exitOf(finished: BatchFinished): number;
}

/** Groups of settings: LOOKING for verbs that only show something, WORKING for verbs that process images. */
export const LOOKING = ['display', 'settings'] as const;
export const WORKING = ['limits', 'work', 'display', 'settings'] as const;
/** The argument of verbs about one batch. */
export const BATCH_ID = [
  '<batch-id>',
  'the id of the batch or its first digits; last: the newest batch of process or watch',
] as const;

/** The settings of a call, and how it prints what it looks up. */
export async function prepare({ options, streams: { stdout } }: Call) {
  const config = await loadConfig({ flags: flagsOf(options), cwd: workingFolder() });
  const style = await styleOf(stdout, config);
  return { config, style, print: createPrint(stdout, style, config.json) };
}

export async function withPast(
  config: Config,
  use: (past: BatchFinder) => Promise<Outcome>,
): Promise<Outcome> {
  if (!hasUploads(config.index)) refuseNewIndex(config);
  return withHistory(config.index, nearest, hintAsFlags, use);
}

/** Like `withEngine`, for a command about what was made before. Errors: `usage` or `config` for an index that is not there. */
export async function withMade(config: Config, use: (engine: Engine) => Promise<Outcome>): Promise<Outcome> {
  refuseNewIndex(config);
  return withEngine(config, use);
}

/** A mistyped name must not look like an index without batches. */
function refuseNewIndex({ newIndex, origins, cwd }: Config): void {
  if (newIndex === undefined) return;
  const { origin = '' } = origins.find(({ key }) => key === 'index') ?? {};
  const near = nearPath(newIndex, cwd);
  const fix = near === undefined ? 'check the path; imgtool process makes an index' : `did you mean ${near}?`;
  const code = origin.startsWith('flag') ? 'usage' : 'config';
  throw new ImgtoolError(code, `${newIndex}: there is no index (from ${origin})`, { fix });
}

/** Opens an engine for one command, and closes it after `use`. It takes its core and memory limits from the batch. */
export async function withEngine(config: Config, use: (engine: Engine) => Promise<Outcome>) {
  const { createEngine } = await import('../engine.ts');
  const { index, isUsualIndex } = config;
  const engine = createEngine({ index, isUsualIndex, nearest, nearPath, wordHint: hintAsFlags });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** Runs a batch, reports its events, and stops it by signals. */
export async function attend(
  { streams, signal, hearSignals, exitOf, paths }: Call,
  config: Config,
  command: string,
  engine: Engine,
  run: BatchRun,
  warnings: readonly Event[] = [],
): Promise<BatchFinished> {
  const report = await openReport(config, streams, { command, inputs: paths, exitOf });
  hearSignals(engine.kill);
  const { newIndex } = config;
  const early = [...config.warnings, ...warnings];
  /** Reports the warnings from before the batch, with its id once that is known. */
  const reportEarly = (of: { readonly batch?: string }) => {
    for (const warning of early.splice(0)) report.event({ ...warning, ...of });
  };
  try {
    return await run((event) => {
      if (early.length > 0 && event.batch !== undefined) reportEarly({ batch: event.batch });
      const isNew = event.type === 'batch.started' && newIndex !== undefined && existsSync(newIndex);
      report.event(isNew ? { ...event, newIndex } : event);
    }, signal);
  } finally {
    reportEarly({});
    report.close();
  }
}
