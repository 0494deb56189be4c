import type { BatchFinished, Report, Style } from '../model.ts';
import { createJsonReport, oneLine } from './json.ts';
import { layoutFor, loadColours } from './layout.ts';
import { measured, printable, textOf } from './text.ts';
import { pathsOf } from './wording.ts';

/** Where a command writes. */
export type Streams = Readonly<Record<'stdout' | 'stderr', NodeJS.WriteStream>>;

/** Settings that say how text looks on a stream, and what the environment says of it. */
export interface StyleSettings {
  readonly color: 'auto' | 'always' | 'never';
  readonly look: Readonly<Record<'noColor' | 'dumb' | 'unicode' | 'journal', boolean>>;
}

export interface ReportSettings extends StyleSettings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  readonly progress: 'auto' | 'bar' | 'plain' | 'none';
  /** The output folder as a person wrote it. */
  readonly outGiven: string;
}

/** What a report is about. */
export interface Subject {
  readonly command: string;
  /** Inputs as they were given, for a watch. */
  readonly inputs?: readonly string[];
  /** The exit code that a batch leads to. */
  readonly exitOf: (finished: BatchFinished) => number;
}

/** Lines between two reports of progress when no progress is wanted. */
const NEVER = 2 ** 31 - 1;

/** How text may look on a stream. Loads colours only where there may be some. */
export async function styleOf(stream: NodeJS.WriteStream, { color, look }: StyleSettings): Promise<Style> {
  const tty = stream.isTTY === true;
  const isColoured = color === 'always' || (color === 'auto' && tty && !look.noColor && !look.dumb);
  if (isColoured) await loadColours();
  const unicode = look.unicode && !look.dumb;
  // A terminal of unknown size reports 0 columns.
  return { tty, color: isColoured, unicode, columns: () => stream.columns || 80 };
}

/** Prints what a command looked up, as one JSON document or as a text. */
export type Print = (document: object, text: (style: Style) => string) => Promise<void>;

/** A second page replaces the first one on a terminal; elsewhere it is printed if it differs. */
export function createPrint(stream: NodeJS.WritableStream, style: Style, json: boolean): Print {
  let shown = '';
  return async (document, text) => {
    const page = json ? `${oneLine(document)}\n` : await measured(() => text(style));
    if (page === shown) return;
    // Go up to the first line of the page and clear below it. `node:readline` would take time to load.
    const erase =
      shown !== '' && style.tty && !json ? `\u001b[${shown.split('\n').length - 1}A\u001b[0J` : '';
    stream.write(erase + page);
    shown = page;
  };
}

/** Whether the settings ask for a display that changes in place, and the stream can show it. */
export function isLive({ progress, look, json, quiet }: ReportSettings, { tty }: Style): boolean {
  return !json && !quiet && (progress === 'bar' || (progress === 'auto' && tty && !look.dumb));
}

/** The readers of events that the settings and the streams ask for. */
export async function openReport(
  settings: ReportSettings,
  { stdout, stderr }: Streams,
  { command, inputs = [], exitOf }: Subject,
): Promise<Report> {
  const { json, quiet, verbose, dryRun, progress, outGiven: out, look } = settings;
  const reports: Report[] = json ? [createJsonReport({ stream: stdout, verbose, exitOf })] : [];
  const style = await styleOf(stderr, settings);
  const common = { stream: stderr, verbose };
  // Beside JSON lines a log needs only what went wrong.
  const plain = { ...common, quiet: quiet || (json && progress === 'auto') };
  const isOnScreen = isLive({ ...settings, json: false }, style);
  // Only the live display can put lines above itself.
  const listsPaths = isOnScreen && stdout.isTTY && dryRun;
  // The paths are what a dry run is asked for, also with `quiet`.
  if (dryRun && !json && !listsPaths) reports.push(createPathReport(stdout));
  if (isOnScreen) {
    const { createTerminalReport, createWatchReport } = await import('./terminal.ts');
    const options = { ...common, style, out };
    const isWatch = command === 'watch';
    reports.push(
      isWatch
        ? createWatchReport({ ...options, inputs })
        : createTerminalReport({ ...options, command, listsPaths }),
    );
  } else if (command === 'watch') {
    const { createWatchPlainReport } = await import('./watch-plain.ts');
    reports.push(createWatchPlainReport({ ...plain, timestamps: !look.journal }));
  } else {
    const { createPlainReport } = await import('./plain.ts');
    reports.push(createPlainReport(progress === 'none' ? { ...plain, every: NEVER } : plain));
  }
  return {
    event: (event) => {
      for (const report of reports) report.event(event);
    },
    close: () => {
      for (const report of reports) report.close();
    },
  };
}

/** Lists the paths that a dry run would write, one a line. */
function createPathReport(stream: NodeJS.WritableStream): Report {
  const event: Report['event'] = (one) => void stream.write(textOf(pathsOf(one)));
  return { event, close: () => {} };
}

/** The error that ends a command, its cause and its fix, never cut. Ends with a newline. */
export function errorText(
  { message, cause, fix }: { message: string; cause?: string | undefined; fix?: string | undefined },
  style: Style,
): string {
  const { chalk } = layoutFor(style);
  return textOf([
    `${chalk.red(chalk.bold('error:'))} ${printable(message)}`,
    ...(cause === undefined ? [] : [`${chalk.dim('cause:')} ${printable(cause)}`]),
    ...(fix === undefined ? [] : [`${chalk.cyan('fix:')} ${printable(fix)}`]),
  ]);
}
