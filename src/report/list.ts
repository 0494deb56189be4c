import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, Style } from '../model.ts';
import { ago, bytes, change, count, counted, iso } from './format.ts';
import { tabbed, table } from './table.ts';
import { padEnd, printable, width } from './text.ts';
import { fitting, roomOf, type Span, type Theme, themeOf } from './theme.ts';

/**
 * The batches as a table on a terminal; elsewhere TAB-separated, with raw bytes and ISO dates. `limit` is the number
 * that was asked for: with as many batches there can be older ones. Ends with a newline.
 */
export function listText(batches: readonly Batch[], style: Style, now: number, limit?: number): string {
  if (!style.tty) return listForPrograms(batches);
  if (batches.length === 0) return 'No batches yet. Start one: imgtool process <folder>\n';
  const theme = themeOf(style);
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'BATCH' },
    { title: 'STATE' },
    { title: 'IMAGES', ...right },
    { title: 'FAILED', ...right },
    { title: 'SAVED' },
    { title: 'WHEN' },
    { title: 'SOURCE' },
  ];
  const saved = savedColumn(batches);
  const rows = batches.map((batch, at): Span[] => [
    batch.id,
    { text: batch.state, paint: statePaint(batch, theme) },
    imagesOf(batch),
    batch.counts.failed > 0 ? { text: count(batch.counts.failed), paint: theme.chalk.red } : '0',
    saved[at] ?? '',
    batch.state === 'running' ? 'now' : ago(batch.startedAt, now),
    sourceOf(batch),
  ]);
  const older = batches.length === limit ? ` Older: imgtool list --limit ${limit * 5}` : '';
  const footer = `${counted(batches.length, 'batch', 'batches')}.`;
  return `${table(columns, rows, style)}\n${fitting([[footer, older], [footer]], roomOf(style), theme)}\n`;
}

function imagesOf({ counts, state }: Batch): string {
  const total = totalOf(counts);
  return state === 'finished' ? count(total) : `${count(doneOf(counts))}/${count(total)}`;
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

function statePaint({ state }: Batch, { chalk }: Theme): (text: string) => string {
  if (state === 'finished') return chalk.green;
  return state === 'running' ? chalk.cyan : chalk.yellow;
}

function listForPrograms(batches: readonly Batch[]): string {
  const titles = [
    'batch',
    'state',
    'total',
    'completed',
    'failed',
    'bytes_in',
    'bytes_out',
    'started',
    'source',
  ];
  const rows = batches.map((batch) => {
    const { id, state, counts, bytesIn, bytesOut, startedAt } = batch;
    const figures = [totalOf(counts), counts.completed, counts.failed, bytesIn, bytesOut];
    return [id, state, ...figures, iso(startedAt), sourceOf(batch)];
  });
  return tabbed(titles, rows);
}

/** The inputs of a batch in one line. */
function sourceOf({ inputs, command }: Batch): string {
  const more = inputs.length > 1 ? ` and ${count(inputs.length - 1)} more` : '';
  return `${printable(inputs[0] ?? '')}${more}${command === 'watch' ? ' (watch)' : ''}`;
}
