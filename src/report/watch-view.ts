import type { Style } from '../model.ts';
import { age, count, counted, timeOfDay } from './format.ts';
import {
  columnsOf,
  fitting,
  type Look,
  line,
  lookOf,
  packed,
  paintOf,
  type Span,
  spanWidth,
} from './look.ts';
import { printable } from './printable.ts';
import type { Progress } from './progress.ts';
import type { Entry } from './recent.ts';
import { cutStart, padEnd, width } from './text.ts';
import { SETTLED } from './totals.ts';
import { savedText } from './wording.ts';

/** Columns below which there is no room for the time of day or a whole sentence. */
const NARROW = 60;
/** The column in which figures begin, one below the other. */
const INDENT = 14;

interface WatchView {
  /** As given. */
  readonly inputs: readonly string[];
  readonly out: string;
  readonly style: Style;
  /** Milliseconds since it was started. */
  readonly up: number;
  /** Lines the screen has. */
  readonly rows: number;
  readonly today: Pick<Progress, 'counts' | 'bytesIn' | 'bytesOut'>;
  /** The last things that happened, oldest first. */
  readonly recent: readonly Entry[];
}

/** The live part of a watch as lines, none wider than the screen less one column. Pure. */
export function watchLines(progress: Progress, view: WatchView): string[] {
  const look = lookOf(view.style);
  // A character in the last column leaves the cursor in a place on which terminals do not agree.
  const columns = Math.max(1, columnsOf(view.style) - 1);
  const roomy = view.rows >= 12;
  const top = [
    ...(roomy ? [headerLine(progress, view, columns, look), ''] : []),
    ...stateLines(progress, columns, look),
    ...todayLines(view, columns, look),
    ...(roomy ? [''] : []),
  ];
  const recent = recentLines(view.recent, columns, view.rows - top.length - 1, look);
  return [...top, ...recent].slice(0, Math.max(1, view.rows - 1));
}

function headerLine({ started }: Progress, view: WatchView, columns: number, look: Look): string {
  const most = Math.max(8, Math.floor(columns / 3));
  const named = (path: string) => cutStart(printable(path), most, look.ellipsis);
  const [first = '', ...others] = view.inputs;
  const name = { text: 'imgtool watch', paint: look.chalk.bold };
  const from = `  ${named(first)}${others.length === 0 ? '' : ` and ${count(others.length)} more`}`;
  const out = ` -> ${named(view.out)}`;
  const how = started === null ? '' : `   ${printable(started.preset)}, ${started.jobs} at a time`;
  const up = `up ${age(view.up)}`;
  const wordings = [[name, from, out, how], [name, from, out], [name, from], [name]].map((spans) => {
    const gap = Math.max(2, Math.min(columns, 76) - spanWidth(spans) - up.length);
    return [...spans, ' '.repeat(gap), up];
  });
  return fitting(wordings, columns, look);
}

function stateLines(progress: Progress, columns: number, look: Look): string[] {
  const { watching, retrying, inWork } = progress;
  // Events of sources that the walk has not told of yet may come first.
  const pending = Math.max(0, progress.found - progress.done - inWork.size - retrying);
  const pieces: Span[] = [
    ...(watching === null ? [] : [counted(watching.folders, 'folder')]),
    `pending ${count(pending)}`,
    `processing ${count(inWork.size)}`,
    ...(retrying === 0 ? [] : [{ text: `retrying ${count(retrying)}`, paint: look.chalk.yellow }]),
  ];
  const [state, text] = stateOf(progress, columns);
  const mark = {
    text: ` ${look.marks[state]} `,
    paint: watching === null ? look.chalk.dim : look.chalk.cyan,
  };
  return packed([mark, padEnd(text, INDENT - 6), '   '], pieces, columns, look);
}

/** The shape of the mark differs too: no state is told by colour alone. */
function stateOf(
  { stopping, watching, total }: Progress,
  columns: number,
): ['cancelled' | 'pending' | 'processing', string] {
  if (stopping !== null) return ['cancelled', 'stopping'];
  // Only a watch that ends by itself has a total.
  if (watching === null && total !== null) return ['pending', 'finishing'];
  if (watching === null) return ['pending', columns < NARROW ? 'looking' : 'looking for images'];
  return ['processing', watching.by === 'polling' ? 'polling' : 'watching'];
}

function todayLines({ today }: WatchView, columns: number, look: Look): string[] {
  const { counts, bytesIn, bytesOut } = today;
  const pieces: Span[] = SETTLED.filter((state) => state === 'completed' || counts[state] > 0).map(
    (state) => {
      return { text: `${count(counts[state])} ${state}`, paint: paintOf(state, look) };
    },
  );
  if (bytesIn > 0) pieces.push(savedText(bytesIn, bytesOut));
  return packed([padEnd('   today', INDENT)], pieces, columns, look);
}

function recentLines(recent: readonly Entry[], columns: number, room: number, look: Look): string[] {
  const shown = recent.slice(Math.max(0, recent.length - Math.max(0, room)));
  const marks = Math.max(0, ...shown.map((entry) => width(markOf(entry, look).text)));
  const names = Math.min(Math.floor(columns / 3), Math.max(0, ...shown.map(({ name }) => width(name))));
  return shown.map((entry) => {
    const { text, paint } = markOf(entry, look);
    return line(
      [
        columns < NARROW ? ' ' : ` ${timeOfDay(entry.at)}  `,
        { text: padEnd(text, marks), paint },
        ` ${padEnd(cutStart(entry.name, names, look.ellipsis), names)}`,
        `${columns < NARROW ? '  ' : '   '}${entry.words}`,
      ],
      columns,
      look,
    );
  });
}

function markOf({ what }: Entry, look: Look): { text: string; paint: (text: string) => string } {
  const { chalk, marks, ellipsis } = look;
  if (what === 'still_written') return { text: ellipsis, paint: chalk.dim };
  if (what === 'removed') return { text: '-', paint: chalk.dim };
  if (what === 'passed_over') return { text: marks.unchanged, paint: chalk.dim };
  // It did fail, though not for good: the words tell that, and the colour.
  if (what === 'retrying') return { text: marks.failed, paint: chalk.yellow };
  return { text: marks[what], paint: paintOf(what, look) };
}
