import type { Report, Style } from '../model.ts';
import { bytes, counted } from './format.ts';
import { createLiveDisplay, createSpinner, rowsOf, type TerminalStream } from './live.ts';
import { noticeLines } from './notices.ts';
import { createProgress } from './progress.ts';
import { summaryLines } from './summary.ts';
import { liveLines } from './view.ts';

interface TerminalReportOptions {
  readonly stream: TerminalStream;
  readonly style: Style;
  readonly command: string;
  /** The output folder, as given. */
  readonly out: string;
  /** Prints a line for every job instead of only the failed ones. */
  readonly verbose: boolean;
  /** Milliseconds since any fixed moment. */
  readonly clock?: () => number;
}

/** The report of a batch on a terminal: a spinner during the walk, then live lines, and a summary at the end. */
export function createTerminalReport(options: TerminalReportOptions): Report {
  const { stream, style, command, out, verbose, clock = () => performance.now() } = options;
  const progress = createProgress();
  const { totals } = progress;
  const display = createLiveDisplay(stream, style);
  const spin = createSpinner(style);
  const walkLines = () => {
    const found = `${counted(totals.found, 'image')}, ${bytes(totals.bytes)}`;
    return [spin(`Looking for images for ${out}: ${found}`)];
  };
  const batchLines = () => liveLines(progress, { command, style, now: clock(), rows: rowsOf(stream) });

  return {
    event(event) {
      progress.event(event, clock());
      display.print(noticeLines(event, verbose, style));
      if (event.type === 'walk' && totals.started === null) display.show(walkLines);
      if (event.type === 'batch.started') display.show(batchLines);
      if (event.type !== 'batch.finished') return;
      display.close();
      display.print(['', ...summaryLines(totals, style)]);
    },
    close: display.close,
  };
}
