import cliProgress from 'cli-progress';
import type { Style } from '../model.ts';
import { bytes, change, count, countdown, counted, duration, percent, rate } from './format.ts';
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
import { cutStart, padEnd, padStart } from './text.ts';
import { SETTLED } from './totals.ts';

const WIDEST_BAR = 44;
const NARROWEST_BAR = 10;
const MOST_IN_WORK = 8;

interface View {
  readonly command: string;
  readonly style: Style;
  readonly now: number;
  /** Lines the screen has. */
  readonly rows: number;
}

/** The live part of a running batch as lines, none wider than the screen less one column. Pure. */
export function liveLines(progress: Progress, { command, style, now, rows }: View): string[] {
  const look = lookOf(style);
  // A character in the last column leaves the cursor in a place on which terminals do not agree.
  const columns = Math.max(1, columnsOf(style) - 1);
  const roomy = rows >= 12;
  const top = [
    ...(roomy ? [headerLine(progress, command, columns, look), ''] : []),
    progressLine(progress, now, columns, style, look),
    ...countLines(progress, columns, look),
    ...(roomy ? [''] : []),
  ];
  return [...top, ...workLines(progress, now, columns, rows - top.length - 1, look)];
}

function headerLine(progress: Progress, command: string, columns: number, look: Look): string {
  const { started, total } = progress;
  const name = { text: `imgtool ${command}`, paint: look.chalk.bold };
  const batch = `  batch ${started?.batch ?? ''}${started?.dryRun ? ' (dry run)' : ''}`;
  const images = total === null ? '' : `  ${counted(total, 'image')}${started?.resumed ? ' left' : ''}`;
  const size = total === null || started?.resumed ? '' : `  ${bytes(progress.bytes)}`;
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
    look,
  );
}

function progressLine(progress: Progress, now: number, columns: number, style: Style, look: Look): string {
  const { done, total } = progress;
  const pace = rate(progress.rate(now));
  if (total === null) {
    const sofar = ` ${count(done)} done, ${count(progress.found)} found so far`;
    return fitting([[sofar, `   ${pace}`], [sofar], [` ${count(done)} done`]], columns, look);
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
  return line([' ', ...barSpans(part, size, style, look), tail], columns, look);
}

/** Done, the tip, and the rest: three shapes, so that the bar reads without colour. */
function barSpans(part: number, size: number, style: Style, look: Look): Span[] {
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
    { text: text.slice(0, end), paint: look.chalk.cyan },
    { text: text.slice(end), paint: look.chalk.dim },
  ];
}

function countLines(progress: Progress, columns: number, look: Look): string[] {
  const states: Span[] = SETTLED.filter((state) => state === 'completed' || progress.counts[state] > 0).map(
    (state) => ({ text: `${state} ${count(progress.counts[state])}`, paint: paintOf(state, look) }),
  );
  if (progress.retrying > 0)
    states.push({ text: `retrying ${count(progress.retrying)}`, paint: look.chalk.yellow });
  const { bytesIn, bytesOut } = progress;
  const size = bytesIn === 0 ? '' : `${bytes(bytesIn)} -> ${bytes(bytesOut)}  (${change(bytesIn, bytesOut)})`;
  const counts = states.flatMap((state, at) => (at === 0 ? [' ', state] : ['  ', state]));
  const gap = Math.min(columns, 76) - spanWidth(counts) - size.length;
  if (size !== '' && gap >= 3) return [line([...counts, ' '.repeat(gap), size], columns, look)];
  return packed([' '], size === '' ? states : [...states, size], columns, look);
}

function workLines(progress: Progress, now: number, columns: number, room: number, look: Look): string[] {
  const most = Math.max(0, Math.min(MOST_IN_WORK, room, progress.started?.jobs ?? 1));
  const names = Math.max(1, Math.min(44, columns - 12));
  const shown = [...progress.inWork].slice(0, most).map(([source, since]) => {
    const name = padEnd(cutStart(printable(source), names, look.ellipsis), names);
    return line([`   ${name} `, padStart(duration(now - since), 7)], columns, look);
  });
  // Places that are free for a moment stay as blank lines: what stands below would jump.
  return [...shown, ...new Array<string>(most - shown.length).fill('')];
}
