import type { BatchTotals } from '../model/totals.ts';
import type { JobState, Style } from '../model.ts';
import { age, count, counted, timeOfDay } from './format.ts';
import {
  fitting,
  line,
  liveLayoutFor,
  markOf,
  packed,
  type Span,
  spanWidth,
  stateSpan,
  type TextLayout,
} from './layout.ts';
import type { DayTotals, RecentEvent } from './recent.ts';
import { cutStart, padEnd, printable, widest } from './text.ts';
import { kindTexts, savedText, shownStates } from './wording.ts';

/** Below this many columns the time of day and long sentences are left out. */
const NARROW = 60;
/** The column in which the figures begin. */
const INDENT = 14;

interface WatchView {
  readonly inputs: readonly string[];
  readonly out: string;
  readonly style: Style;
  /** Milliseconds since the watch started. */
  readonly up: number;
  /** Rows of the terminal. */
  readonly rows: number;
  readonly today: DayTotals;
  readonly recent: readonly RecentEvent[];
}

/** The live lines of a watch. They leave the last column and the last row of the terminal free. Pure. */
export function watchLines(totals: BatchTotals, view: WatchView): string[] {
  const layout = liveLayoutFor(view.style);
  const roomy = view.rows >= 12;
  const top = [
    ...(roomy ? [headerLine(totals, view, layout), ''] : []),
    ...stateLines(totals, layout),
    ...todayLines(view.today, layout),
    ...asideLines(totals, layout),
    ...(roomy ? [...batchLines(totals, layout), ''] : []),
  ];
  const room = Math.max(0, view.rows - top.length - 1);
  return [...top, ...recentLines(view.recent, room, layout)].slice(0, Math.max(1, view.rows - 1));
}

function headerLine({ started }: BatchTotals, { inputs, ...view }: WatchView, layout: TextLayout): string {
  const { columns, chalk, ellipsis } = layout;
  const most = Math.max(8, Math.floor(columns / 3));
  const named = (path: string) => cutStart(printable(path), most, ellipsis);
  const [first = '', ...others] = inputs;
  const name = { text: 'imgtool watch', paint: chalk.bold };
  const from = `  ${named(first)}${others.length === 0 ? '' : ` and ${count(others.length)} more`}`;
  const out = ` -> ${named(view.out)}`;
  const how = started === null ? '' : `   ${printable(started.preset)}, ${started.jobs} at a time`;
  const up = `up ${age(view.up)}`;
  const wordings = [[name, from, out, how], [name, from, out], [name, from], [name]].map((spans) => {
    const gap = Math.max(2, Math.min(columns, 76) - spanWidth(spans) - up.length);
    return [...spans, ' '.repeat(gap), up];
  });
  return fitting(wordings, layout);
}

function stateLines(totals: BatchTotals, layout: TextLayout): string[] {
  const { watching, counts } = totals;
  const pieces: Span[] = [
    ...(watching === null ? [] : [counted(watching.folders, 'folder')]),
    `pending ${count(counts.pending)}`,
    `processing ${count(counts.processing)}`,
    ...(counts.retrying === 0 ? [] : [stateSpan('retrying', `retrying ${count(counts.retrying)}`, layout)]),
  ];
  const [state, text] = stateOf(totals, layout.columns);
  const { dim, cyan } = layout.chalk;
  const mark = { text: ` ${markOf(state, layout)} `, paint: watching === null ? dim : cyan };
  return packed([mark, padEnd(text, INDENT - 6), '   '], pieces, layout);
}

/** The state whose mark stands for the state of the watch, and the name of that. */
function stateOf({ stopping, watching, total }: BatchTotals, columns: number): [JobState, string] {
  if (stopping !== null) return ['cancelled', 'stopping'];
  // Only a watch that ends by itself has a total.
  if (watching === null && total !== null) return ['pending', 'finishing'];
  if (watching === null) return ['pending', columns < NARROW ? 'looking' : 'looking for images'];
  return ['processing', watching.by === 'polling' ? 'polling' : 'watching'];
}

function todayLines({ ended, bytesIn, bytesOut }: DayTotals, layout: TextLayout): string[] {
  const states = shownStates(ended).map((state) =>
    stateSpan(state, `${count(ended[state])} ${state}`, layout),
  );
  const saved = bytesIn > 0 ? [savedText(bytesIn, bytesOut)] : [];
  return packed([padEnd('   today', INDENT)], [...states, ...saved], layout);
}

/** Pictures that a watch passes over. Their owner may wait for outputs of them. */
function asideLines(totals: BatchTotals, layout: TextLayout): string[] {
  const kinds = kindTexts(totals.aside);
  return kinds.length === 0 ? [] : packed([padEnd('   aside', INDENT)], kinds, layout);
}

/** The id of the watch, and how to stop it. */
function batchLines({ started, stopping }: BatchTotals, layout: TextLayout): string[] {
  if (started === null) return [];
  const stop = stopping === null ? [`stop: Ctrl-C, or imgtool cancel ${started.batch}`] : [];
  return packed([padEnd('   batch', INDENT)], [started.batch, ...stop], layout);
}

function recentLines(recent: readonly RecentEvent[], room: number, layout: TextLayout): string[] {
  const isNarrow = layout.columns < NARROW;
  const shown = recent.slice(Math.max(0, recent.length - room));
  const marks = widest(shown.map((entry) => markSpan(entry, layout).text));
  const names = Math.min(Math.floor(layout.columns / 3), widest(shown.map(({ name }) => name)));
  return shown.map((entry) => {
    const { text, paint } = markSpan(entry, layout);
    const name = padEnd(cutStart(entry.name, names, layout.ellipsis), names);
    const time = isNarrow ? ' ' : ` ${timeOfDay(entry.at)}  `;
    const words = `${isNarrow ? '  ' : '   '}${entry.words}`;
    return line([time, { text: padEnd(text, marks), paint }, ` ${name}`, words], layout);
  });
}

function markSpan({ what }: RecentEvent, layout: TextLayout): Exclude<Span, string> {
  const { dim, yellow } = layout.chalk;
  if (what === 'still_written') return { text: layout.ellipsis, paint: dim };
  if (what === 'removed') return { text: '-', paint: dim };
  if (what === 'passed_over') return { text: markOf('unchanged', layout), paint: dim };
  // The attempt failed. Words and colour show that it is not the last one.
  if (what === 'retrying') return { text: markOf('failed', layout), paint: yellow };
  return stateSpan(what, markOf(what, layout), layout);
}
