import type { Event, Report, Style } from '../model.ts';
import { bytes, counted } from './format.ts';
import { noticeLines } from './notices.ts';
import { createProgress } from './progress.ts';
import { openScreen, type Screen } from './screen.ts';
import { openSpinner, type Spinner } from './spinner.ts';
import { summaryLines } from './summary.ts';
import { createTally } from './tally.ts';
import { liveLines } from './view.ts';

interface TerminalReportOptions {
  /** A terminal; its `rows` are read anew at each redraw, its columns through the style. */
  readonly stream: NodeJS.WritableStream & { readonly rows?: number };
  readonly style: Style;
  readonly command: string;
  /** Where outputs go, as given. */
  readonly out: string;
  /** A line for every job, not only for those that failed. */
  readonly verbose: boolean;
  /** Milliseconds since any moment. */
  readonly clock?: () => number;
}

/** What a person sees: a spinner while nothing is in work, a live part while it is, and a summary. */
export function createTerminalReport(options: TerminalReportOptions): Report {
  const { stream, style, command, out, verbose, clock = () => performance.now() } = options;
  const progress = createProgress();
  const tally = createTally();
  let spinner: Spinner | null = null;
  let screen: Screen | null = null;
  let closed = false;

  function show(event: Event): void {
    if (event.type === 'walk' && screen === null) {
      spinner ??= openSpinner(stream, style);
      spinner.text(`Looking for images for ${out}: ${counted(event.found, 'image')}, ${bytes(event.bytes)}`);
    } else if (event.type === 'batch.started') {
      spinner?.close();
      screen = openScreen({ stream, style, lines });
    } else if (event.type === 'batch.finished') {
      close();
      print(['', ...summaryLines(tally, style)]);
    }
  }

  function lines(): string[] {
    return liveLines(progress, { command, style, now: clock(), rows: stream.rows || 24 });
  }

  function print(texts: readonly string[]): void {
    if (screen !== null && !closed) screen.above(texts);
    else stream.write(texts.map((text) => `${text}\n`).join(''));
  }

  function close(): void {
    spinner?.close();
    screen?.close();
    closed = true;
  }

  return {
    event(event) {
      progress.event(event, clock());
      tally.event(event);
      const notices = noticeLines(event, verbose, style);
      if (notices.length > 0) {
        // A warning during the walk: the spinner comes back with the next folder.
        if (screen === null) spinner?.close();
        if (screen === null) spinner = null;
        print(notices);
      }
      show(event);
    },
    close,
  };
}
