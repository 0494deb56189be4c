import cliProgress from 'cli-progress';
import type { BatchTotals } from '../model/totals.ts';
import type { Style } from '../model.ts';
import { bytes, change, count, countdown, counted, duration, percent, rate } from './format.ts';
import {
  fitting,
  line,
  liveLayoutFor,
  packed,
  type Span,
  spanWidth,
  stateSpan,
  type TextLayout,
} from './layout.ts';
import type { Progress } from './progress.ts';
import { cutStart, padEnd, padStart, printable } from './text.ts';
import { dryRunText, shownStates } from './wording.ts';

const WIDEST_BAR = 44;
const NARROWEST_BAR = 10;
const MOST_IN_WORK = 8;
/** Below this many columns the finished variants of images in work are left out. */
const NARROW = 40;

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
  const layout = liveLayoutFor(style);
  const roomy = rows >= 12;
  const top = [
    ...(roomy ? [headerLine(totals, command, layout), ''] : []),
    totals.started?.dryRun
      ? fitting([[` ${counted(totals.done, 'image')} looked at`]], layout)
      : progressLine(figuresOf(progress, now), layout),
    ...countLines(totals, layout),
    ...(roomy ? [''] : []),
  ];
  return [...top, ...workLines(progress, now, rows - top.length - 1, layout)];
}

function headerLine({ started, total, bytes: size }: BatchTotals, command: string, layout: TextLayout) {
  const { batch = '', dryRun, resumed, out = '', jobs = 1 } = started ?? {};
  const name = { text: `imgtool ${command}`, paint: layout.chalk.bold };
  const id = dryRun ? '  dry run' : `  batch ${batch}`;
  const images = total === null ? '' : `  ${counted(total, 'image')}${resumed ? ' left' : ''}`;
  const sizes = total === null || resumed ? '' : `  ${bytes(size)}`;
  const long = [name, id, images, sizes, `  ->  ${printable(out)}`];
  return fitting([[...long, `  (${jobs} at a time)`], long, [name, id, images], [name, id]], layout);
}

/** How far a batch is, without a total while the walk is still running. */
interface Figures extends Pick<BatchTotals, 'done' | 'total' | 'found'> {
  /** From 0 to 1. */
  readonly share: number | null;
  readonly isRemoving: boolean;
  /** Images per second, and milliseconds left; null when unknown. */
  readonly rate: number | null;
  readonly left: number | null;
}

function figuresOf(progress: Progress, now: number): Figures {
  const { done, total, found } = progress.totals;
  const { share, rate, left } = progress;
  return {
    done,
    total,
    found,
    share: share(),
    isRemoving: progress.isRemoving(),
    rate: rate(now),
    left: left(now),
  };
}

/** The bar, and how far the batch is in numbers. */
export function progressLine(figures: Figures, layout: TextLayout): string {
  const { done, total, found } = figures;
  const pace = rate(figures.rate);
  if (total === null) {
    const soFar = ` ${count(done)} done, ${count(found)} found so far`;
    return fitting([[soFar, `   ${pace}`], [soFar], [` ${count(done)} done`]], layout);
  }
  const part = figures.share ?? 0;
  const share = percent(part, 1);
  const images = `${count(done)}/${count(total)}`;
  const eta = countdown(figures.left);
  const tails = [
    ...(figures.isRemoving ? [`  ${images}   removing outputs`, '  removing outputs'] : []),
    `  ${share.padStart(4)}   ${images}   ${pace}   ETA ${eta}`,
    `  ${share}  ${images}  ETA ${eta}`,
    `  ${share}  ${images}`,
  ];
  const room = layout.columns - 1;
  const tail = tails.find((text) => room - text.length >= NARROWEST_BAR) ?? ` ${share}`;
  const size = Math.max(1, Math.min(WIDEST_BAR, room - tail.length));
  return line([' ', ...barSpans(part, size, layout), tail], layout);
}

/** The done part, a tip and the rest have three shapes: the bar can be read without colour. */
function barSpans(part: number, size: number, { unicode, chalk }: TextLayout): Span[] {
  const [full, tip, rest] = unicode ? ['━', '╸', '─'] : ['#', '', '-'];
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
    { text: text.slice(0, end), paint: chalk.cyan },
    { text: text.slice(end), paint: chalk.dim },
  ];
}

function countLines(totals: BatchTotals, layout: TextLayout): string[] {
  const { bytesIn, bytesOut, counts } = totals;
  if (totals.started?.dryRun) return [line([` ${dryRunText(totals)}`], layout)];
  const shown = [...shownStates(counts), ...(counts.retrying > 0 ? ['retrying' as const] : [])];
  const states = shown.map((state) => stateSpan(state, `${state} ${count(counts[state])}`, layout));
  if (bytesIn === 0) return packed([' '], states, layout);
  const size = `${bytes(bytesIn)} -> ${bytes(bytesOut)}  (${change(bytesIn, bytesOut)})`;
  const row = states.flatMap((state, at) => [at === 0 ? ' ' : '  ', state]);
  const gap = Math.min(layout.columns, 76) - spanWidth(row) - size.length;
  if (gap >= 3) return [line([...row, ' '.repeat(gap), size], layout)];
  return packed([' '], [...states, size], layout);
}

function workLines({ totals, parts }: Progress, now: number, room: number, layout: TextLayout) {
  const { inWork, started } = totals;
  const most = Math.max(0, Math.min(MOST_IN_WORK, room, started?.jobs ?? 1));
  const variants = layout.columns < NARROW ? 0 : 10;
  const names = Math.max(1, Math.min(44, layout.columns - variants - 12));
  const shown = [...inWork].slice(0, most).map(([source, since]) => {
    const name = padEnd(cutStart(printable(source), names, layout.ellipsis), names);
    const part = parts.get(source);
    const made = part === undefined ? '' : `${part.done} of ${part.total}`;
    return line(
      [`   ${name} `, padStart(made, variants).slice(0, variants), padStart(duration(now - since), 7)],
      layout,
    );
  });
  // A place that is free for a moment stays as a blank line, so that the display keeps its height.
  return [...shown, ...new Array<string>(most - shown.length).fill('')];
}
