import { BatchTotals, leftOf, totalOf } from '../model/totals.ts';
import type { BatchFinished, Event, Report, Style } from '../model.ts';
import { age, bytes, count, counted } from './format.ts';
import { layoutFor, markOf, stateSpan } from './layout.ts';
import { createLiveDisplay, createSpinner, rowsOf, type TerminalStream } from './live.ts';
import { noticeLines } from './notices.ts';
import { createProgress } from './progress.ts';
import { createDay, createRecent } from './recent.ts';
import { fixLines, nextLines, summaryLines } from './summary.ts';
import { wrap } from './text.ts';
import { liveLines } from './view.ts';
import { watchLines } from './watch-view.ts';
import { damagedTexts, endedEarly, kindTexts, pathsOf, shownStates, watchEnd } from './wording.ts';

/** Failures with the same cause that are shown as they come. The summary has their number. */
const MOST_ALIKE = 3;

interface TerminalOptions {
  readonly stream: TerminalStream;
  readonly style: Style;
  /** The output folder, as given. */
  readonly out: string;
  /** Also shows every job of a batch, and the files that a watch passed over or found unchanged at its start. */
  readonly verbose: boolean;
}

/** `listsPaths`: whether the paths that a dry run would write are shown too. */
type BatchReportOptions = TerminalOptions & { readonly command: string; readonly listsPaths: boolean };

/** `inputs`: the watched folders, as given. */
type WatchReportOptions = TerminalOptions & { readonly inputs: readonly string[] };

/** The report of a batch on a terminal: a spinner during the walk, then live lines, and a summary at the end. */
export function createTerminalReport(options: BatchReportOptions): Report {
  const { stream, style, command, out, verbose, listsPaths } = options;
  const progress = createProgress();
  const { totals } = progress;
  const display = createLiveDisplay(stream, style);
  const spin = createSpinner(style);
  const walkLines = () => {
    const found = `${counted(totals.found, 'image')}, ${bytes(totals.bytes)}`;
    return [spin(`Looking for images for ${out}: ${found}`)];
  };
  const batchLines = () =>
    liveLines(progress, { command, style, now: performance.now(), rows: rowsOf(stream) });

  return {
    event(event) {
      progress.event(event, performance.now());
      const isRepeated =
        event.type === 'job' && event.state === 'failed' && totals.failures.countLike(event) > MOST_ALIKE;
      if (verbose || !isRepeated) display.print(noticeLines(event, verbose, style));
      if (listsPaths) display.print(pathsOf(event));
      if (event.type === 'walk' && totals.started === null) display.show(walkLines);
      if (event.type === 'batch.started') display.show(batchLines);
      if (event.type !== 'batch.finished') return;
      display.close();
      display.print(['', ...summaryLines(totals, style)]);
    },
    close: display.close,
  };
}

/** The report of a watch on a terminal: live lines, warnings and failures above them, and one closing line. */
export function createWatchReport(options: WatchReportOptions): Report {
  const { stream, style, inputs, out, verbose } = options;
  const since = performance.now();
  const totals = new BatchTotals();
  const day = createDay(totals, Date.now());
  const recent = createRecent(inputs, verbose);
  const display = createLiveDisplay(stream, style);
  let events = 0;
  let drawn: { state: string; lines: readonly string[] } = { state: '', lines: [] };

  function lines(): readonly string[] {
    if (day.turn(Date.now())) events++;
    const view = { inputs, out, style, up: performance.now() - since, rows: rowsOf(stream) };
    // A watch redraws ten times a second for months: it words its lines only when they can differ.
    const state = `${events} ${age(view.up)} ${view.rows} ${style.columns()}`;
    if (state !== drawn.state) {
      drawn = { state, lines: watchLines(totals, { ...view, today: day.totals(), recent: recent.entries }) };
    }
    return drawn.lines;
  }

  return {
    event(event) {
      events++;
      day.turn(Date.now());
      totals.add(event, performance.now());
      recent.event(event, Date.now(), totals.watching !== null);
      display.print(lastingLines(event, style));
      if (event.type === 'walk' || event.type === 'batch.started') display.show(lines);
      if (event.type !== 'batch.finished') return;
      display.close();
      display.print(['', ...closingLines(event, totals, style)]);
    },
    close: display.close,
  };
}

/** A watch has no summary that lists its failures: each one stays above the live lines with its fix. */
function lastingLines(event: Event, style: Style): string[] {
  const layout = layoutFor(style);
  const fix = event.type === 'job' ? event.error : undefined;
  return [
    ...noticeLines(event, false, style),
    ...fixLines(fix, '   ', { ...layout, columns: layout.columns - 1 }),
  ];
}

function closingLines(finished: BatchFinished, totals: BatchTotals, style: Style): string[] {
  const layout = layoutFor(style);
  const { counts, ms } = finished;
  const end = watchEnd(finished, totals.stopping !== null);
  const left = leftOf(counts);
  const parts = [
    ...shownStates(counts).map((one) => `${count(counts[one])} ${one}`),
    ...(left > 0 ? [`${count(left)} pending`] : []),
  ];
  const what = totalOf(counts) === 0 ? 'no images' : parts.join(', ');
  const kinds = kindTexts(totals.aside).join(', ');
  const asides = [
    ...damagedTexts(finished.degraded, totals.damaged),
    ...(kinds === '' ? [] : [`Passed over: ${kinds}`]),
  ];
  const text = `${end.charAt(0).toUpperCase()}${end.slice(1)} after ${age(ms)}: ${[what, ...asides].join('. ')}.`;
  const result = counts.failed > 0 ? 'failed' : 'completed';
  const state = end === 'finished' ? result : 'cancelled';
  const mark = stateSpan(state, ` ${markOf(state, layout)} `, layout);
  const [first = '', ...more] = wrap(text, layout.columns, ' '.repeat(mark.text.length));
  const hasMore = counts.failed > 0 || endedEarly(finished) !== null;
  return [
    `${mark.paint(mark.text)}${first.slice(mark.text.length)}`,
    ...more,
    ...(hasMore ? nextLines(finished, layout) : []),
  ];
}
