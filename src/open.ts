import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openLocalSources } from './adapters/local-sources/index.ts';
import { openLocalStorage } from './adapters/local-storage.ts';
import { openSqliteIndex } from './adapters/sqlite-index/index.ts';
import { createWorkerPool } from './adapters/worker-pool.ts';
import { batchOptions, type Config, walkRules } from './config.ts';
import type { NewWork, Ports } from './core/batch/run.ts';
import type { Fixing } from './core/verify/fix.ts';
import type { BatchOptions, Event, Limits, Report } from './model.ts';
import { type Streams, styleOf } from './open/pages.ts';
import type { Index, Inputs, Renderer } from './ports.ts';
import { createPlainReport } from './report/plain.ts';

/**
 * The composition root: the only place that knows which adapter stands behind a port. What not every batch works with is
 * loaded when it is needed.
 */

/** To `look` at an index it need not be writable. */
export async function openIndex({ index }: Config, purpose: 'work' | 'look' = 'work'): Promise<Index> {
  return openSqliteIndex(index, purpose);
}

/** Puts a new index with all that can be saved in place of a damaged one. */
export async function repairIndex({ index }: Config) {
  const { repairSqliteIndex } = await import('./adapters/sqlite-index/repair.ts');
  return repairSqliteIndex(index);
}

/** Saves a copy of the index under a name that must be free, relative to where the command runs. */
export async function backUpIndex({ index, cwd }: Config, file: string, signal: AbortSignal) {
  const { backUpSqliteIndex } = await import('./adapters/sqlite-index/backup.ts');
  return backUpSqliteIndex(index, resolve(cwd, file), signal);
}

export async function openRenderer({ jobs }: Pick<Config, 'jobs'>): Promise<Renderer> {
  return createWorkerPool({ size: jobs });
}

/** Opened ports, and how they are let go of once the batch has ended. */
export interface Opened {
  readonly ports: Ports;
  close(): Promise<void>;
}

/** What works on a batch, who tells of it, and what is to be told first. */
export interface Attended extends Opened {
  readonly report: Report;
  readonly warnings: readonly Event[];
}

/** All that a batch over these inputs works with. */
export async function openBatch(
  config: Config,
  inputs: Inputs,
  command: NewWork['command'],
): Promise<Opened & { readonly work: NewWork }> {
  const options = { ...batchOptions(config), list: inputs.list };
  const given = [...inputs.paths, ...(inputs.list === null ? [] : [inputs.list.from])];
  const opened = await openPorts(config, inputs, options, () => openIndex(config));
  return { ...opened, work: { command, inputs: given, cwd: config.cwd, options } };
}

/** All that a batch works with which is in this index already. Lets go of the index too. */
export function openAgain(
  config: Config,
  inputs: Inputs,
  options: BatchOptions,
  index: Index,
): Promise<Opened> {
  return openPorts(config, inputs, options, async () => index);
}

async function openPorts(
  config: Config,
  inputs: Inputs,
  options: BatchOptions,
  open: () => Promise<Index>,
): Promise<Opened> {
  const renderer = await openRenderer(options);
  // Where nothing was ever made there will be work: children may start while the rest is opened.
  if (!existsSync(config.index)) renderer.warm();
  try {
    const sources = await openLocalSources(inputs, walkRules(options, config));
    const index = await open();
    const run = newRun();
    return {
      ports: { index, storage: openLocalStorage(run), sources, renderer, run },
      async close() {
        await renderer.close();
        await index.close();
      },
    };
  } catch (error) {
    await renderer.close();
    throw error;
  }
}

/** Hex id of a run, told from all others. */
function newRun(): string {
  return randomBytes(6).toString('hex');
}

/** The readers of a batch's events that the flags and the streams ask for. `inputs` as given, for a watch. */
export async function openReport(
  config: Config,
  { stdout, stderr }: Streams,
  command: string,
  inputs: readonly string[] = [],
): Promise<Report> {
  const { json, quiet, verbose, progress, outGiven: out } = config;
  const reports: Report[] = [];
  if (json) {
    const { createJsonReport } = await import('./report/json.ts');
    reports.push(createJsonReport({ stream: stdout, verbose }));
  }
  const style = await styleOf(stderr, config);
  const isLive = progress === 'bar' || (progress === 'auto' && style.tty && !config.look.dumb);
  // Beside JSON lines for a program, a log wants only what went wrong.
  const isTerse = quiet || (json && progress === 'auto');
  if (isLive && !quiet && command === 'watch') {
    const { createWatchReport } = await import('./report/watch-terminal.ts');
    reports.push(createWatchReport({ stream: stderr, style, inputs, out, verbose }));
  } else if (command === 'watch') {
    const { createWatchPlainReport } = await import('./report/watch-plain.ts');
    const timestamps = !config.look.journal;
    reports.push(createWatchPlainReport({ stream: stderr, quiet: isTerse, timestamps, verbose }));
  } else if (isLive && !quiet) {
    const { createTerminalReport } = await import('./report/terminal.ts');
    reports.push(createTerminalReport({ stream: stderr, style, command, out, verbose }));
  } else {
    const every = progress === 'none' ? { every: 2 ** 31 - 1 } : {};
    reports.push(createPlainReport({ stream: stderr, verbose, quiet: isTerse, ...every }));
  }
  return {
    event: (event: Event) => {
      for (const report of reports) report.event(event);
    },
    close: () => {
      for (const report of reports) report.close();
    },
  };
}

/** What `verify` works with: the index, children that look into outputs, and what makes outputs again. */
export async function openVerify(
  config: Config,
  limits: Partial<Limits>,
  streams: Streams,
  fix: boolean,
): Promise<Fixing & { close(): Promise<void> }> {
  const { json, quiet, progress: way, look, jobs, memory, memoryCap } = config;
  const index = await openIndex(config, fix ? 'work' : 'look');
  const renderer = await openRenderer(config);
  const { createVerifyProgress } = await import('./report/verify.ts');
  const style = await styleOf(streams.stderr, config);
  const isLive = !json && !quiet && (way === 'bar' || (way === 'auto' && style.tty && !look.dumb));
  const progress = createVerifyProgress(isLive ? { stream: streams.stderr, style } : null);
  return {
    ...{
      index,
      renderer,
      storage: openLocalStorage(newRun()),
      jobs,
      timeout: config.limits.timeout,
      progress,
    },
    means: { jobs, memory, memoryCap, limits },
    async open({ named, folders }, { cwd, options }) {
      const inputs = { paths: named, list: null, cwd, once: { folders } };
      const opened = await openLocalSources(inputs, walkRules(options, config));
      const run = newRun();
      const ports = { index, renderer, storage: openLocalStorage(run), sources: opened, run };
      // Standard output is for what was found.
      const told = { ...config, json: false, quiet: quiet || json, outGiven: options.outGiven };
      const report = await openReport(told, streams, 'verify');
      return { ports, emit: report.event, close: report.close };
    },
    async close() {
      progress.close();
      await renderer.close();
      await index.close();
    },
  };
}
