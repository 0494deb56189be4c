import type { BatchFinished, Style } from '../model.ts';
import { failureLines } from './failures.ts';
import { bytes, count, counted, duration, rate } from './format.ts';
import { fitting, type Look, lookOf, packed, paintOf, roomOf, type Span } from './look.ts';
import { printable } from './printable.ts';
import type { Tally } from './tally.ts';
import { wrap } from './text.ts';
import { leftOf, SETTLED, totalOf } from './totals.ts';
import { dryRunText, endedEarly, outputsBehind, outputsOf, passedOverText, savedText } from './wording.ts';

const BARS = '▁▂▃▄▅▆▇█';
const ASCII_BARS = '_.:-=+*#';

/** The lines that close a batch on a terminal; none before it has finished. Pure: what was gathered, and a style. */
export function summaryLines(tally: Tally, style: Style): string[] {
  const { finished } = tally;
  if (finished === null) return [];
  const look = lookOf(style);
  const room = roomOf(style);
  const passedOver = passedOverText(finished.passedOver, tally.passedOver);
  const aside = wrap(passedOver, room - 1).map((text) => ` ${look.chalk.dim(text)}`);
  if (totalOf(finished.counts) === 0) {
    return [fitting([[` No images found.`]], room, look), ...(passedOver === '' ? [] : aside)];
  }
  return [
    ...titleLines(tally, finished, room, look),
    '',
    ...(finished.dryRun
      ? wrap(dryRunText(tally), room - 1).map((text) => ` ${text}`)
      : figureLines(tally, finished, style, look)),
    ...(passedOver === '' ? [] : aside),
    ...(tally.failures === 0 ? [] : ['', ...failureLines(tally, finished.batch, room, look)]),
    ...(finished.dryRun ? [] : ['', ...nextLines(finished, room, look)]),
  ];
}

function titleLines(tally: Tally, finished: BatchFinished, room: number, look: Look): string[] {
  const { counts, ms } = finished;
  const early = endedEarly(finished);
  if (early !== null) {
    const title = { text: ` ${look.marks.cancelled} ${early}`, paint: look.chalk.yellow };
    const temps = finished.state === 'cancelled' && !tally.started?.resumed ? ' Temp files removed.' : '';
    return [fitting([[title, temps], [title]], room, look)];
  }
  const total = totalOf(counts);
  const good = total - counts.failed;
  const state = good === 0 ? 'failed' : 'completed';
  const mark = { text: ` ${look.marks[state]} `, paint: paintOf(state, look) };
  const images = good === total ? `${count(total)}` : `${count(good)} of ${count(total)}`;
  const what = `${images} ${total === 1 ? 'image' : 'images'} in ${duration(ms)}`;
  const pace = finished.dryRun ? 'dry run' : rate(ms > 0 ? (tally.done / ms) * 1000 : null);
  const jobs = finished.dryRun || tally.started === null ? '' : `, ${tally.started.jobs} at a time`;
  return [
    fitting(
      [
        [mark, what, `   (${pace}${jobs})`],
        [mark, what, `  ${pace}`],
        [mark, what],
      ],
      room,
      look,
    ),
  ];
}

function figureLines(tally: Tally, finished: BatchFinished, style: Style, look: Look): string[] {
  const room = roomOf(style);
  const outputs = outputsOf(tally);
  const row = (label: string, pieces: readonly Span[]) =>
    packed(labelOf(label, room, look), pieces, room, look);
  return [
    ...row('Images', imagePieces(tally, finished, look)),
    ...row(
      'Outputs',
      outputs === 0 ? [] : [`${counted(outputs, 'file')}${outputsBehind(tally)}`, `-> ${outOf(tally)}`],
    ),
    ...row('Size', sizePieces(finished, look)),
    ...row('Time', timePieces(tally)),
    ...row('', shapePieces(tally, style)),
  ];
}

function imagePieces(tally: Tally, { counts }: BatchFinished, look: Look): Span[] {
  const notes = [
    ...(tally.reused > 0 ? [`${count(tally.reused)} reused`] : []),
    ...(tally.degraded > 0 ? [`${count(tally.degraded)} damaged but accepted`] : []),
  ];
  const waiting = leftOf(counts);
  return [
    ...SETTLED.filter((state) => counts[state] > 0).map((state) => {
      const more = state === 'completed' && notes.length > 0 ? ` (${notes.join(', ')})` : '';
      return { text: `${count(counts[state])} ${state}${more}`, paint: paintOf(state, look) };
    }),
    ...(waiting > 0 ? [`${count(waiting)} pending`] : []),
  ];
}

function sizePieces({ bytesIn, bytesOut }: BatchFinished, look: Look): Span[] {
  if (bytesIn === 0 || bytesOut === 0) return [];
  const text = savedText(bytesIn, bytesOut);
  const saved = bytesIn > bytesOut ? { text, paint: look.chalk.green } : text;
  return [`${bytes(bytesIn)} -> ${bytes(bytesOut)}`, saved];
}

function timePieces({ times, spent }: Tally): Span[] {
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

/** How the times are spread, as little bars; too few images have no shape. */
function shapePieces({ times }: Tally, style: Style): Span[] {
  if (times.count < 10 || times.max < times.min * 2) return [];
  const levels = style.unicode ? BARS : ASCII_BARS;
  const shape = times.shape(12);
  const highest = Math.max(...shape);
  const bars = shape.map((n) => (n === 0 ? ' ' : levels[Math.ceil((n / highest) * levels.length) - 1]));
  return [`${bars.join('')}   ${duration(times.min)} .. ${duration(times.max)}`];
}

/** How to go on with a batch that ended early, what to do about failures, and where to read of it. */
function nextLines(finished: BatchFinished, room: number, look: Look): string[] {
  const { batch, counts } = finished;
  const label = { text: ' Next', paint: look.chalk.dim };
  const retry = counts.failed > 0 ? [`imgtool retry ${batch}`] : [];
  return [
    ...againLines(finished, `Run the same command again, or: imgtool resume ${batch}`, room),
    ...packed([label, '   '], [...retry, `imgtool status ${batch}`], room, look),
  ];
}

/** The same for a watch, which goes on by itself. */
export function nextOfWatch(finished: BatchFinished, room: number, look: Look): string[] {
  const label = { text: ' Next', paint: look.chalk.dim };
  return [
    ...againLines(finished, 'Run the same command again to go on.', room),
    ...packed([label, '   '], [`imgtool status ${finished.batch}`], room, look),
  ];
}

function againLines(finished: BatchFinished, text: string, room: number): string[] {
  return endedEarly(finished) === null ? [] : wrap(text, room - 1).map((one) => ` ${one}`);
}

/** Right-aligned where there is room for that. */
function labelOf(label: string, room: number, look: Look): Span[] {
  const columns = room < 64 ? 8 : 11;
  return [{ text: label.padStart(columns), paint: look.chalk.dim }, room < 64 ? '  ' : '   '];
}

function outOf(tally: Tally): string {
  return printable(tally.started?.out ?? '');
}
