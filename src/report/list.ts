import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, Style } from '../model.ts';
import { ago, bytes, change, count, counted, iso } from './format.ts';
import { fitting, type Span, tabbed, table, textLayoutOf } from './layout.ts';
import { padEnd, printable, textOf, width } from './text.ts';

const TITLES = ['BATCH', 'STATE', 'IMAGES', 'FAILED', 'SAVED', 'WHEN', 'SOURCE'];

/**
 * The batches as a table on a terminal; elsewhere TAB-separated, with raw bytes and ISO dates. `limit` is the number
 * that was asked for: with as many batches there can be older ones. Ends with a newline.
 */
export function listText(batches: readonly Batch[], style: Style, now: number, limit?: number): string {
  if (!style.tty) return textOf(linesForPrograms(batches));
  if (batches.length === 0) return 'No batches yet. Start one: imgtool process <folder>\n';
  const layout = textLayoutOf(style);
  const { green, cyan, yellow, red } = layout.chalk;
  const paints = { finished: green, running: cyan, cancelled: yellow, interrupted: yellow };
  const saved = savedColumn(batches);
  const rows = batches.map((batch, at): Span[] => {
    const { id, state, counts, startedAt } = batch;
    return [
      id,
      { text: state, paint: paints[state] },
      state === 'finished' ? count(totalOf(counts)) : `${count(doneOf(counts))}/${count(totalOf(counts))}`,
      counts.failed > 0 ? { text: count(counts.failed), paint: red } : '0',
      saved[at] ?? '',
      state === 'running' ? 'now' : ago(startedAt, now),
      sourceOf(batch),
    ];
  });
  const older = batches.length === limit ? ` Older: imgtool list --limit ${limit * 5}` : '';
  const footer = `${counted(batches.length, 'batch', 'batches')}.`;
  const lines = table(TITLES, rows, layout, ['IMAGES', 'FAILED']);
  return textOf([...lines, '', fitting([[footer, older], [footer]], layout)]);
}

/** Sizes and shares are aligned, each in a column of its own. */
function savedColumn(batches: readonly Batch[]): string[] {
  const cells = batches.map(({ bytesIn, bytesOut }): readonly [string, string] => {
    if (bytesIn === 0 || bytesOut === 0) return ['-', ''];
    const saved = bytesIn - bytesOut;
    return [`${saved < 0 ? '-' : ''}${bytes(Math.abs(saved))}`, change(bytesIn, bytesOut)];
  });
  const sizes = Math.max(...cells.map(([size]) => width(size)));
  return cells.map(([size, share]) => (share === '' ? size : `${padEnd(size, sizes)}  ${share}`));
}

function linesForPrograms(batches: readonly Batch[]): string[] {
  const figures = ['total', 'completed', 'failed', 'bytes_in', 'bytes_out'];
  const rows = batches.map((batch) => {
    const { id, state, counts, bytesIn, bytesOut, startedAt } = batch;
    const values = [totalOf(counts), counts.completed, counts.failed, bytesIn, bytesOut];
    return [id, state, ...values, iso(startedAt), sourceOf(batch)];
  });
  return tabbed(['batch', 'state', ...figures, 'started', 'source'], rows);
}

/** The inputs of a batch in one line. */
function sourceOf({ inputs, command }: Batch): string {
  const more = inputs.length > 1 ? ` and ${count(inputs.length - 1)} more` : '';
  return `${printable(inputs[0] ?? '')}${more}${command === 'watch' ? ' (watch)' : ''}`;
}
