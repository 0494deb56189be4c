import cliProgress from 'cli-progress';
import type { BatchTotals } from '../model/totals.ts';
import type { Style } from '../model.ts';
import { bytes, change, count, countdown, counted, duration, percent, rate } from './format.ts';
import type { Progress } from './progress.ts';
import { cutStart, padEnd, padStart, printable } from './text.ts';
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
import { shownStates } from './wording.ts';

const WIDEST_BAR = 44;
const NARROWEST_BAR = 10;
const MOST_IN_WORK = 8;

interface View {
  readonly command: string;
  readonly style: Style;
  readonly now: number;
  /** Rows of the terminal. */
  readonly rows: number;
}

/** The live lines of a running batch. They leave the last column and the last row of the terminal free. Pure. */
export function liveLines(progress: Progress, { command, style, now, rows }: View): string[] {
  const { totals } = progress;
  const theme = themeOf(style);
  // Terminals do not agree on where the cursor is after a character in the last column.
  const columns = Math.max(1, columnsOf(style) - 1);
  const roomy = rows >= 12;
  const top = [
    ...(roomy ? [headerLine(totals, command, columns, theme), ''] : []),
    progressLine(progress, now, columns, style, theme),
    ...countLines(totals, columns, theme),
    ...(roomy ? [''] : []),
  ];
  return [...top, ...workLines(totals, now, columns, rows - top.length - 1, theme)];
}

function headerLine(totals: BatchTotals, command: string, columns: number, theme: Theme): string {
  const { started, total } = totals;
  const name = { text: `imgtool ${command}`, paint: theme.chalk.bold };
  const batch = `  batch ${started?.batch ?? ''}${started?.dryRun ? ' (dry run)' : ''}`;
  const images = total === null ? '' : `  ${counted(total, 'image')}${started?.resumed ? ' left' : ''}`;
  const size = total === null || started?.resumed ? '' : `  ${bytes(totals.bytes)}`;
  const out = `  ->  ${printable(started?.out ?? '')}`;
  const jobs = `  (${started?.jobs ?? 1} at a time)`;
  return fitting(
    [
      [name, batch, images, size, out, jobs],
      [name, batch, images, size, out],
      [name, batch, images],
      [name, batch],
    ],
    columns,
    theme,
  );
}

function progressLine(progress: Progress, now: number, columns: number, style: Style, theme: Theme): string {
  const { done, total, found } = progress.totals;
  const pace = rate(progress.rate(now));
  if (total === null) {
    const soFar = ` ${count(done)} done, ${count(found)} found so far`;
    return fitting([[soFar, `   ${pace}`], [soFar], [` ${count(done)} done`]], columns, theme);
  }
  const part = progress.share() ?? 0;
  const share = percent(part, 1);
  const images = `${count(done)}/${count(total)}`;
  const eta = countdown(progress.left(now));
  const tails = [
    `  ${share.padStart(4)}   ${images}   ${pace}   ETA ${eta}`,
    `  ${share}  ${images}  ETA ${eta}`,
    `  ${share}  ${images}`,
    ` ${share}`,
  ];
  const tail = tails.find((text) => columns - 1 - text.length >= NARROWEST_BAR) ?? tails.at(-1) ?? '';
  const size = Math.max(1, Math.min(WIDEST_BAR, columns - 1 - tail.length));
  return line([' ', ...barSpans(part, size, style, theme), tail], columns, theme);
}

/** The done part, a tip and the rest have three shapes: the bar can be read without colour. */
function barSpans(part: number, size: number, style: Style, theme: Theme): Span[] {
  const [full, tip, rest] = style.unicode ? ['━', '╸', '─'] : ['#', '', '-'];
  const glue = part < 1 ? tip : '';
  const text = cliProgress.Format.BarFormat(part, {
    barsize: size - glue.length,
    barCompleteString: full.repeat(size),
    barIncompleteString: rest.repeat(size),
    barGlue: glue,
  });
  const restAt = text.indexOf(rest);
  const end = restAt === -1 ? text.length : restAt;
  return [
    { text: text.slice(0, end), paint: theme.chalk.cyan },
    { text: text.slice(end), paint: theme.chalk.dim },
  ];
}

function countLines(totals: BatchTotals, columns: number, theme: Theme): string[] {
  const { bytesIn, bytesOut, counts } = totals;
  const shown = [...shownStates(counts), ...(counts.retrying > 0 ? ['retrying' as const] : [])];
  const states = shown.map((state): Span => {
    return { text: `${state} ${count(counts[state])}`, paint: paintOf(state, theme) };
  });
  const size = bytesIn === 0 ? '' : `${bytes(bytesIn)} -> ${bytes(bytesOut)}  (${change(bytesIn, bytesOut)})`;
  const row = states.flatMap((state, at) => (at === 0 ? [' ', state] : ['  ', state]));
  const gap = Math.min(columns, 76) - spanWidth(row) - size.length;
  if (size !== '' && gap >= 3) return [line([...row, ' '.repeat(gap), size], columns, theme)];
  return packed([' '], size === '' ? states : [...states, size], columns, theme);
}

function workLines(totals: BatchTotals, now: number, columns: number, room: number, theme: Theme): string[] {
  const most = Math.max(0, Math.min(MOST_IN_WORK, room, totals.started?.jobs ?? 1));
  const names = Math.max(1, Math.min(44, columns - 12));
  const shown = [...totals.inWork].slice(0, most).map(([source, since]) => {
    const name = padEnd(cutStart(printable(source), names, theme.ellipsis), names);
    return line([`   ${name} `, padStart(duration(now - since), 7)], columns, theme);
  });
  // A place that is free for a moment stays as a blank line, so that the display keeps its height.
  return [...shown, ...new Array<string>(most - shown.length).fill('')];
}
