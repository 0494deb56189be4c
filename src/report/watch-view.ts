import type { BatchTotals } from '../model/totals.ts';
import type { Style } from '../model.ts';
import { age, count, counted, timeOfDay } from './format.ts';
import type { DayTotals, RecentEvent } from './recent.ts';
import { cutStart, padEnd, printable, width } from './text.ts';
import {
  columnsOf,
  fitting,
  line,
  packed,
  paintOf,
  type Span,
  spanWidth,
  type Theme,
  themeOf,
} from './theme.ts';
import { savedText, shownStates } from './wording.ts';

/** Below this many columns the time of day and long sentences are left out. */
const NARROW = 60;
/** The column in which the figures begin. */
const INDENT = 14;

interface WatchView {
  /** Folders, as given. */
  readonly inputs: readonly string[];
  readonly out: string;
  readonly style: Style;
  /** Milliseconds since the watch started. */
  readonly up: number;
  /** Rows of the terminal. */
  readonly rows: number;
  readonly today: DayTotals;
  /** Oldest first. */
  readonly recent: readonly RecentEvent[];
}

/** The live lines of a watch. They leave the last column and the last row of the terminal free. Pure. */
export function watchLines(totals: BatchTotals, view: WatchView): string[] {
  const theme = themeOf(view.style);
  // Terminals do not agree on where the cursor is after a character in the last column.
  const columns = Math.max(1, columnsOf(view.style) - 1);
  const roomy = view.rows >= 12;
  const top = [
    ...(roomy ? [headerLine(totals, view, columns, theme), ''] : []),
    ...stateLines(totals, columns, theme),
    ...todayLines(view, columns, theme),
    ...(roomy ? [''] : []),
  ];
  const recent = recentLines(view.recent, columns, view.rows - top.length - 1, theme);
  return [...top, ...recent].slice(0, Math.max(1, view.rows - 1));
}

function headerLine({ started }: BatchTotals, view: WatchView, columns: number, theme: Theme): string {
  const most = Math.max(8, Math.floor(columns / 3));
  const named = (path: string) => cutStart(printable(path), most, theme.ellipsis);
  const [first = '', ...others] = view.inputs;
  const name = { text: 'imgtool watch', paint: theme.chalk.bold };
  const from = `  ${named(first)}${others.length === 0 ? '' : ` and ${count(others.length)} more`}`;
  const out = ` -> ${named(view.out)}`;
  const how = started === null ? '' : `   ${printable(started.preset)}, ${started.jobs} at a time`;
  const up = `up ${age(view.up)}`;
  const wordings = [[name, from, out, how], [name, from, out], [name, from], [name]].map((spans) => {
    const gap = Math.max(2, Math.min(columns, 76) - spanWidth(spans) - up.length);
    return [...spans, ' '.repeat(gap), up];
  });
  return fitting(wordings, columns, theme);
}

function stateLines(totals: BatchTotals, columns: number, theme: Theme): string[] {
  const { watching } = totals;
  const { pending, processing, retrying } = totals.counts;
  const pieces: Span[] = [
    ...(watching === null ? [] : [counted(watching.folders, 'folder')]),
    `pending ${count(pending)}`,
    `processing ${count(processing)}`,
    ...(retrying === 0 ? [] : [{ text: `retrying ${count(retrying)}`, paint: theme.chalk.yellow }]),
  ];
  const [state, text] = stateOf(totals, columns);
  const mark = {
    text: ` ${theme.marks[state]} `,
    paint: watching === null ? theme.chalk.dim : theme.chalk.cyan,
  };
  return packed([mark, padEnd(text, INDENT - 6), '   '], pieces, columns, theme);
}

/** The mark that stands for the state of the watch, and its name. */
function stateOf(
  { stopping, watching, total }: BatchTotals,
  columns: number,
): ['cancelled' | 'pending' | 'processing', string] {
  if (stopping !== null) return ['cancelled', 'stopping'];
  // Only a watch that ends by itself has a total.
  if (watching === null && total !== null) return ['pending', 'finishing'];
  if (watching === null) return ['pending', columns < NARROW ? 'looking' : 'looking for images'];
  return ['processing', watching.by === 'polling' ? 'polling' : 'watching'];
}

function todayLines({ today }: WatchView, columns: number, theme: Theme): string[] {
  const { ended, bytesIn, bytesOut } = today;
  const pieces = shownStates(ended).map((state): Span => {
    return { text: `${count(ended[state])} ${state}`, paint: paintOf(state, theme) };
  });
  if (bytesIn > 0) pieces.push(savedText(bytesIn, bytesOut));
  return packed([padEnd('   today', INDENT)], pieces, columns, theme);
}

function recentLines(recent: readonly RecentEvent[], columns: number, room: number, theme: Theme): string[] {
  const shown = recent.slice(Math.max(0, recent.length - Math.max(0, room)));
  const marks = Math.max(0, ...shown.map((entry) => width(markOf(entry, theme).text)));
  const names = Math.min(Math.floor(columns / 3), Math.max(0, ...shown.map(({ name }) => width(name))));
  return shown.map((entry) => {
    const { text, paint } = markOf(entry, theme);
    return line(
      [
        columns < NARROW ? ' ' : ` ${timeOfDay(entry.at)}  `,
        { text: padEnd(text, marks), paint },
        ` ${padEnd(cutStart(entry.name, names, theme.ellipsis), names)}`,
        `${columns < NARROW ? '  ' : '   '}${entry.words}`,
      ],
      columns,
      theme,
    );
  });
}

function markOf({ what }: RecentEvent, theme: Theme): { text: string; paint: (text: string) => string } {
  const { chalk, marks, ellipsis } = theme;
  if (what === 'still_written') return { text: ellipsis, paint: chalk.dim };
  if (what === 'removed') return { text: '-', paint: chalk.dim };
  if (what === 'passed_over') return { text: marks.unchanged, paint: chalk.dim };
  // The attempt failed. Words and colour tell that it is not the last one.
  if (what === 'retrying') return { text: marks.failed, paint: chalk.yellow };
  return { text: marks[what], paint: paintOf(what, theme) };
}
