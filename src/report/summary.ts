import { type BatchTotals, doneOf, ENDED_STATES, leftOf, totalOf } from '../model/totals.ts';
import type { BatchFinished, Style } from '../model.ts';
import { failureLines } from './failures.ts';
import { bytes, count, counted, duration, rate } from './format.ts';
import { printable, wrap } from './text.ts';
import { fitting, packed, paintOf, roomOf, type Span, type Theme, themeOf } from './theme.ts';
import { dryRunText, endedEarly, outputCount, outputNote, passedOverText, savedText } from './wording.ts';

const BARS = '▁▂▃▄▅▆▇█';
const ASCII_BARS = '_.:-=+*#';

/** The closing lines of a batch on a terminal; none before the batch has finished. Pure. */
export function summaryLines(totals: BatchTotals, style: Style): string[] {
  const { finished } = totals;
  if (finished === null) return [];
  const theme = themeOf(style);
  const room = roomOf(style);
  const passedOver = passedOverText(finished.passedOver, totals.passedOverBy);
  const passedOverLines =
    passedOver === '' ? [] : wrap(passedOver, room - 1).map((text) => ` ${theme.chalk.dim(text)}`);
  if (totalOf(finished.counts) === 0) {
    return [fitting([[` No images found.`]], room, theme), ...passedOverLines];
  }
  return [
    ...titleLines(totals, finished, room, theme),
    '',
    ...(finished.dryRun
      ? wrap(dryRunText(totals), room - 1).map((text) => ` ${text}`)
      : figureLines(totals, finished, style, theme)),
    ...passedOverLines,
    ...(totals.ended.failed === 0 ? [] : ['', ...failureLines(totals, room, theme)]),
    ...(finished.dryRun ? [] : ['', ...nextLines(finished, room, theme)]),
  ];
}

function titleLines(totals: BatchTotals, finished: BatchFinished, room: number, theme: Theme): string[] {
  const { counts, ms } = finished;
  const early = endedEarly(finished);
  if (early !== null) {
    const title = { text: ` ${theme.marks.cancelled} ${early}`, paint: theme.chalk.yellow };
    const temps = finished.state === 'cancelled' && !totals.started?.resumed ? ' Temp files removed.' : '';
    return [fitting([[title, temps], [title]], room, theme)];
  }
  const total = totalOf(counts);
  const good = total - counts.failed;
  const state = good === 0 ? 'failed' : 'completed';
  const mark = { text: ` ${theme.marks[state]} `, paint: paintOf(state, theme) };
  const images = good === total ? `${count(total)}` : `${count(good)} of ${count(total)}`;
  const what = `${images} ${total === 1 ? 'image' : 'images'} in ${duration(ms)}`;
  const pace = finished.dryRun ? 'dry run' : rate(ms > 0 ? (doneOf(totals.ended) / ms) * 1000 : null);
  const jobs = finished.dryRun || totals.started === null ? '' : `, ${totals.started.jobs} at a time`;
  return [
    fitting(
      [
        [mark, what, `   (${pace}${jobs})`],
        [mark, what, `  ${pace}`],
        [mark, what],
      ],
      room,
      theme,
    ),
  ];
}

function figureLines(totals: BatchTotals, finished: BatchFinished, style: Style, theme: Theme): string[] {
  const room = roomOf(style);
  const outputs = outputCount(totals);
  const row = (label: string, pieces: readonly Span[]) =>
    packed(labelOf(label, room, theme), pieces, room, theme);
  return [
    ...row('Images', imagePieces(totals, finished, theme)),
    ...row(
      'Outputs',
      outputs === 0 ? [] : [`${counted(outputs, 'file')}${outputNote(totals)}`, `-> ${outOf(totals)}`],
    ),
    ...row('Size', sizePieces(finished, theme)),
    ...row('Time', timePieces(totals)),
    ...row('', shapePieces(totals, style)),
  ];
}

function imagePieces(totals: BatchTotals, { counts }: BatchFinished, theme: Theme): Span[] {
  const notes = [
    ...(totals.reused > 0 ? [`${count(totals.reused)} reused`] : []),
    ...(totals.degraded > 0 ? [`${count(totals.degraded)} damaged but accepted`] : []),
  ];
  const waiting = leftOf(counts);
  return [
    ...ENDED_STATES.filter((state) => counts[state] > 0).map((state) => {
      const more = state === 'completed' && notes.length > 0 ? ` (${notes.join(', ')})` : '';
      return { text: `${count(counts[state])} ${state}${more}`, paint: paintOf(state, theme) };
    }),
    ...(waiting > 0 ? [`${count(waiting)} pending`] : []),
  ];
}

function sizePieces({ bytesIn, bytesOut }: BatchFinished, theme: Theme): Span[] {
  if (bytesIn === 0 || bytesOut === 0) return [];
  const text = savedText(bytesIn, bytesOut);
  const saved = bytesIn > bytesOut ? { text, paint: theme.chalk.green } : text;
  return [`${bytes(bytesIn)} -> ${bytes(bytesOut)}`, saved];
}

function timePieces({ times, spent }: BatchTotals): Span[] {
  if (times.count === 0) return [];
  const all = spent.decode + spent.encode + spent.io;
  const share = (ms: number) => Math.round((ms / all) * 100);
  const [decode, encode] = [share(spent.decode), share(spent.encode)];
  return [
    `p50 ${duration(times.quantile(0.5))}`,
    `p95 ${duration(times.quantile(0.95))}`,
    `max ${duration(times.max)}`,
    ...(all > 0 ? [`decode ${decode}% encode ${encode}% io ${Math.max(0, 100 - decode - encode)}%`] : []),
  ];
}

/** A histogram of the times as a row of bars; none for too few images. */
function shapePieces({ times }: BatchTotals, style: Style): Span[] {
  if (times.count < 10 || times.max < times.min * 2) return [];
  const levels = style.unicode ? BARS : ASCII_BARS;
  const shape = times.shape(12);
  const highest = Math.max(...shape);
  const bars = shape.map((n) => (n === 0 ? ' ' : levels[Math.ceil((n / highest) * levels.length) - 1]));
  return [`${bars.join('')}   ${duration(times.min)} .. ${duration(times.max)}`];
}

/** The commands that continue the batch, retry its failed images and show it again. */
function nextLines(finished: BatchFinished, room: number, theme: Theme): string[] {
  const { batch, counts } = finished;
  const label = { text: ' Next', paint: theme.chalk.dim };
  const retry = counts.failed > 0 ? [`imgtool retry ${batch}`] : [];
  return [
    ...againLines(finished, `Run the same command again, or: imgtool resume ${batch}`, room),
    ...packed([label, '   '], [...retry, `imgtool status ${batch}`], room, theme),
  ];
}

/** The same for a watch, which retries failed images by itself. */
export function nextOfWatch(finished: BatchFinished, room: number, theme: Theme): string[] {
  const label = { text: ' Next', paint: theme.chalk.dim };
  return [
    ...againLines(finished, 'Run the same command again to go on.', room),
    ...packed([label, '   '], [`imgtool status ${finished.batch}`], room, theme),
  ];
}

function againLines(finished: BatchFinished, text: string, room: number): string[] {
  return endedEarly(finished) === null ? [] : wrap(text, room - 1).map((one) => ` ${one}`);
}

/** Labels are aligned to the right on a wide terminal. */
function labelOf(label: string, room: number, theme: Theme): Span[] {
  const columns = room < 64 ? 8 : 11;
  return [{ text: label.padStart(columns), paint: theme.chalk.dim }, room < 64 ? '  ' : '   '];
}

function outOf(totals: BatchTotals): string {
  return printable(totals.started?.out ?? '');
}
