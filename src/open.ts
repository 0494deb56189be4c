import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { batchOptions, type Config, type Look, walkRules } from './config.ts';
import type { NewWork, Ports } from './core/batch.ts';
import type { ImgtoolError } from './errors.ts';
import type { Event, Report, Style } from './model.ts';
import type { Index, Inputs, Renderer } from './ports.ts';
import type { Pages } from './report/pages.ts';

/** The composition root: the only place that knows which adapter stands behind a port. Each is loaded when needed. */

export async function openIndex({ index }: Config): Promise<Index> {
  const { openSqliteIndex } = await import('./adapters/sqlite-index/index.ts');
  return openSqliteIndex(index);
}

export async function openRenderer({ jobs }: Config): Promise<Renderer> {
  const { createWorkerPool } = await import('./adapters/worker-pool.ts');
  return createWorkerPool({ size: jobs });
}

/** All that a batch over these inputs works with. Close it when the batch has ended. */
export async function openBatch(
  config: Config,
  inputs: Inputs,
  command: NewWork['command'],
): Promise<{ ports: Ports; work: NewWork; close(): Promise<void> }> {
  const renderer = await openRenderer(config);
  // Where nothing was ever made there will be work: children may start while the rest is opened.
  if (!existsSync(config.index)) renderer.warm();
  try {
    const { openLocalSources } = await import('./adapters/local-sources/index.ts');
    const { openLocalStorage } = await import('./adapters/local-storage.ts');
    const sources = await openLocalSources(inputs, walkRules(config));
    const index = await openIndex(config);
    const run = randomBytes(6).toString('hex');
    const given = [...inputs.paths, ...(inputs.list === null ? [] : [inputs.list.from])];
    return {
      ports: { index, storage: openLocalStorage(run), sources, renderer, run },
      work: { command, inputs: given, cwd: config.cwd, options: batchOptions(config) },
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

/** Where a command writes. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
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
  const style = styleOf(stderr, config);
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
    const { createPlainReport } = await import('./report/plain.ts');
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

/** How text may look on a stream. */
function styleOf(stream: NodeJS.WriteStream, { color, look }: Pick<Config, 'color' | 'look'>): Style {
  const tty = stream.isTTY === true;
  return {
    tty,
    color: color === 'always' || (color === 'auto' && tty && !look.noColor && !look.dumb),
    unicode: look.unicode && !look.dumb,
    columns: () => stream.columns || 80,
  };
}

/** Where what was looked up is printed. */
export async function openPages(config: Config, { stdout }: Streams): Promise<Pages> {
  const { openPages: open } = await import('./report/pages.ts');
  return open({ stream: stdout, style: styleOf(stdout, config), json: config.json });
}

/** Prints an error that ended a command; with its stack when one is given. */
export async function showError(error: ImgtoolError, stderr: NodeJS.WriteStream, look: Look, stack: boolean) {
  const { errorText } = await import('./report/error.ts');
  const { message, fix, cause } = error;
  const words = { message, ...(fix === undefined ? {} : { fix }), ...causeOf(cause, message) };
  stderr.write(errorText(words, styleOf(stderr, { color: 'auto', look })));
  if (stack) stderr.write(`${error.stack ?? ''}\n`);
}

function causeOf(cause: unknown, message: string): { cause?: string } {
  return cause instanceof Error && !message.includes(cause.message) ? { cause: cause.message } : {};
}
