import type { FailureGroup } from '../model/failures.ts';
import { type BatchTotals, doneOf, leftOf, totalOf } from '../model/totals.ts';
import { type BatchFinished, ENDED_STATES, type JobEvent, type Style } from '../model.ts';
import { bytes, count, counted, duration, rate } from './format.ts';
import { fitting, layoutFor, line, markOf, packed, type Span, stateSpan, type TextLayout } from './layout.ts';
import { cutStart, padEnd, printable, widest, wrap } from './text.ts';
import {
  damagedTexts,
  dryRunText,
  endedEarly,
  firstOnlyTexts,
  fixOf,
  NO_RETRY,
  outputNote,
  passedOverTexts,
  removedTexts,
  retryHelps,
  savedText,
  taggedTexts,
  unknownTexts,
} from './wording.ts';

const BARS = '▁▂▃▄▅▆▇█';
const ASCII_BARS = '_.:-=+*#';

/** The closing lines of a batch on a terminal; none before the batch has finished. Pure. */
export function summaryLines(totals: BatchTotals, style: Style): string[] {
  const { finished } = totals;
  if (finished === null) return [];
  const layout = layoutFor(style);
  const asides = [
    ...unknownTexts(totals),
    ...taggedTexts(totals),
    ...damagedTexts(finished.degraded, totals.damaged),
    ...firstOnlyTexts(totals.severalPages, totals.renderedPages),
    ...removedTexts(totals),
    ...passedOverTexts(finished.passedOver, totals.aside),
  ];
  const wrapped = asides.flatMap((text) => wrap(text, layout.columns - 1));
  const aside = wrapped.map((text) => ` ${layout.chalk.dim(text)}`);
  if (totalOf(finished.counts) === 0) return [line([' No images found.'], layout), ...aside];
  return [
    titleLine(totals, finished, layout),
    '',
    ...(finished.dryRun
      ? wrap(dryRunText(totals), layout.columns, ' ')
      : figureLines(totals, finished, layout)),
    ...aside,
    ...(totals.ended.failed === 0 ? [] : ['', ...failureLines(totals, layout)]),
    ...(finished.dryRun ? [] : ['', ...nextLines(finished, layout, totals)]),
  ];
}

function titleLine({ started, ended }: BatchTotals, finished: BatchFinished, layout: TextLayout): string {
  const { counts, ms, state, dryRun } = finished;
  const early = endedEarly(finished);
  const total = totalOf(counts);
  if (dryRun) {
    const what = `Dry run ${early === null ? 'of' : 'stopped after'} ${counted(total, 'image')}`;
    const title = ` ${markOf('pending', layout)} ${what} in ${duration(ms)}`;
    return fitting([[title, ': nothing was written'], [title]], layout);
  }
  if (early !== null) {
    const title = stateSpan('cancelled', ` ${markOf('cancelled', layout)} ${early}`, layout);
    const temps = state === 'cancelled' && !started?.resumed ? ' Temp files removed.' : '';
    return fitting([[title, temps], [title]], layout);
  }
  const { failed } = counts;
  const result = failed > 0 ? 'failed' : 'completed';
  const mark = stateSpan(result, ` ${markOf(result, layout)} `, layout);
  const images =
    failed > 0 ? `${count(total - failed)} of ${counted(total, 'image')}` : counted(total, 'image');
  const what = `${images} in ${duration(ms)}${failed > 0 ? `, ${count(failed)} failed` : ''}`;
  const pace = rate(ms > 0 ? (doneOf(ended) / ms) * 1000 : null);
  const jobs = started === null ? '' : `, ${started.jobs} at a time`;
  const endings = [`   (${pace}${jobs})`, `  ${pace}`, ''];
  const wordings = endings.map((ending) => [mark, what, ending]);
  return fitting(wordings, layout);
}

function figureLines(totals: BatchTotals, finished: BatchFinished, layout: TextLayout): string[] {
  const isNarrow = layout.columns < 64;
  // Labels are aligned to the right.
  const row = (label: string, pieces: readonly Span[]) => {
    const text = label.padStart(isNarrow ? 8 : 11);
    return packed([{ text, paint: layout.chalk.dim }, isNarrow ? '  ' : '   '], pieces, layout);
  };
  return [
    ...row('Images', imagePieces(totals, finished, layout)),
    ...row('Outputs', outputPieces(totals)),
    ...row('Size', sizePieces(finished, layout)),
    ...row('Time', timePieces(totals)),
    ...row('', shapePieces(totals, layout)),
  ];
}

function imagePieces({ reused }: BatchTotals, { counts }: BatchFinished, layout: TextLayout) {
  const waiting = leftOf(counts);
  const ended = ENDED_STATES.filter((state) => counts[state] > 0).map((state) => {
    const more = state === 'completed' && reused > 0 ? ` (${count(reused)} reused)` : '';
    return stateSpan(state, `${count(counts[state])} ${state}${more}`, layout);
  });
  return waiting > 0 ? [...ended, `${count(waiting)} pending`] : ended;
}

function outputPieces(totals: BatchTotals): Span[] {
  const { files, started } = totals;
  if (files === 0) return [];
  return [`${counted(files, 'file')}${outputNote(totals)}`, `-> ${printable(started?.out ?? '')}`];
}

function sizePieces({ bytesIn, bytesOut }: BatchFinished, { chalk }: TextLayout): Span[] {
  if (bytesIn === 0 || bytesOut === 0) return [];
  const text = savedText(bytesIn, bytesOut);
  const saved = bytesIn > bytesOut ? { text, paint: chalk.green } : text;
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
function shapePieces({ times }: BatchTotals, { unicode }: TextLayout): Span[] {
  if (times.count < 10 || times.max < times.min * 2) return [];
  const levels = unicode ? BARS : ASCII_BARS;
  const shape = times.shape(12);
  const highest = Math.max(...shape);
  const bars = shape.map((n) => (n === 0 ? ' ' : levels[Math.ceil((n / highest) * levels.length) - 1]));
  return [`${bars.join('')}   ${duration(times.min)} .. ${duration(times.max)}`];
}

/** The failed images by cause, with reason and fix. A long name is cut; reason and fix are not. */
function failureLines({ failures, ended, started }: BatchTotals, layout: TextLayout): string[] {
  const { columns, chalk, ellipsis } = layout;
  const groups = failures.all;
  const named = groups.map((group) => namesOf(group, layout));
  const names = Math.min(widest(named.flat()), Math.floor(Math.min(columns, 100) / 3));
  const isBeside = columns - names - 5 >= 30;
  const indent = isBeside ? '' : '     ';
  const beside = { ...layout, columns: isBeside ? columns - names - 5 : columns };
  const linesOf = ({ error }: FailureGroup, at: number): string[] => {
    const left = (named[at] ?? []).map((name) => cutStart(name, isBeside ? names : columns - 3, ellipsis));
    const right = [
      ...wrap(printable(error.message), beside.columns, indent),
      ...fixLines(error, indent, beside),
    ];
    if (!isBeside) return [...left.map((name) => `   ${name}`), ...right];
    return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => {
      return `   ${padEnd(left[row] ?? '', names)}  ${right[row] ?? ''}`.trimEnd();
    });
  };
  const more = ended.failed - groups.reduce((sum, group) => sum + group.count, 0);
  const where = started?.dryRun ? '' : `: imgtool status ${started?.batch}`;
  return [
    line([{ text: ` Failed (${count(ended.failed)})`, paint: chalk.red }], layout),
    ...groups.flatMap(linesOf),
    ...(more === 0 ? [] : wrap(`... and ${count(more)} more${where}`, columns, '   ')),
  ];
}

/** The names of a group of failures: all of a few, otherwise some and their number. */
function namesOf({ sources, count: all }: FailureGroup, { ellipsis }: TextLayout): string[] {
  const names = sources.map(printable);
  return all === sources.length ? names : [...names.slice(0, -1), `${ellipsis} ${count(all)} in all`];
}

/** The fix of an error, indented. */
export function fixLines(error: JobEvent['error'], indent: string, { columns, chalk }: TextLayout): string[] {
  return fixOf(error).flatMap((fix) =>
    wrap(fix, columns - indent.length).map((text) => indent + chalk.dim(text)),
  );
}

/**
 * The commands that continue the batch, retry its failed images and show it again. A watch passes no totals: it retries by
 * itself.
 */
export function nextLines(finished: BatchFinished, layout: TextLayout, totals?: BatchTotals) {
  const { batch, counts } = finished;
  const again =
    totals === undefined
      ? 'Run the same command again to go on.'
      : `Run the same command again, or: imgtool resume ${batch}`;
  const helps = totals && retryHelps(totals, counts);
  const retry = helps === true ? [`imgtool retry ${batch}`] : [];
  const label = { text: ' Next', paint: layout.chalk.dim };
  return [
    ...(endedEarly(finished) === null ? [] : wrap(again, layout.columns, ' ')),
    ...(helps === false ? wrap(NO_RETRY, layout.columns, ' ') : []),
    ...packed([label, '   '], [...retry, `imgtool status ${batch}`], layout),
  ];
}
