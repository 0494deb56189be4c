import { clearScreenDown, moveCursor } from 'node:readline';
import type { BatchFinished, Event, Report, Style } from '../model.ts';
import { oneLine } from './json.ts';
import { loadColours } from './layout.ts';
import { createPlainReport } from './plain.ts';
import { measured } from './text.ts';

/** Where a command writes. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Settings that say how text looks on a stream, and what the environment says of it. */
export interface StyleSettings {
  readonly color: 'auto' | 'always' | 'never';
  readonly look: {
    readonly noColor: boolean;
    readonly dumb: boolean;
    readonly unicode: boolean;
    readonly journal: boolean;
  };
}

export interface ReportSettings extends StyleSettings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
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
  return { tty, color: isColoured, unicode, columns: () => stream.columns || 80 };
}

/** Prints what a command looked up, as one JSON document or as a text. */
export type Print = (document: object, text: (style: Style) => string) => Promise<void>;

export async function printTo(
  stream: NodeJS.WriteStream,
  settings: StyleSettings & { readonly json: boolean },
): Promise<Print> {
  return createPrint(stream, await styleOf(stream, settings), settings.json);
}

/** A second page replaces the first one on a terminal; elsewhere it is printed if it differs. */
export function createPrint(stream: NodeJS.WritableStream, style: Style, json: boolean): Print {
  let shown = '';
  return async (document, text) => {
    const page = json ? `${oneLine(document)}\n` : await measured(() => text(style));
    if (page === shown) return;
    if (shown !== '' && style.tty && !json) {
      moveCursor(stream, 0, -(shown.split('\n').length - 1));
      clearScreenDown(stream);
    }
    stream.write(page);
    shown = page;
  };
}

/** Whether a display that changes in place is wanted, and the stream can show one. */
export function isLive({ progress, look, json, quiet }: ReportSettings, { tty }: Style): boolean {
  return !json && !quiet && (progress === 'bar' || (progress === 'auto' && tty && !look.dumb));
}

/** The readers of events that the settings and the streams ask for. */
export async function openReport(
  settings: ReportSettings,
  { stdout, stderr }: Streams,
  { command, inputs = [], exitOf }: Subject,
): Promise<Report> {
  const { json, quiet, verbose, progress, outGiven: out, look } = settings;
  const reports: Report[] = [];
  if (json) {
    const { createJsonReport } = await import('./json.ts');
    reports.push(createJsonReport({ stream: stdout, verbose, exitOf }));
  }
  const style = await styleOf(stderr, settings);
  const live = isLive({ ...settings, json: false }, style);
  // Beside JSON lines a log needs only what went wrong.
  const isTerse = quiet || (json && progress === 'auto');
  if (command === 'watch' && live) {
    const { createWatchReport } = await import('./watch-terminal.ts');
    reports.push(createWatchReport({ stream: stderr, style, inputs, out, verbose }));
  } else if (command === 'watch') {
    const { createWatchPlainReport } = await import('./watch-plain.ts');
    reports.push(
      createWatchPlainReport({ stream: stderr, quiet: isTerse, timestamps: !look.journal, verbose }),
    );
  } else if (live) {
    const { createTerminalReport } = await import('./terminal.ts');
    reports.push(createTerminalReport({ stream: stderr, style, command, out, verbose }));
  } else {
    const every = progress === 'none' ? { every: NEVER } : {};
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
