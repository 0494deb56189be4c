import type { Batch, Style } from '../model.ts';
import { ago, bytes, change, count, counted } from './format.ts';
import { listForPrograms, sourceOf } from './list-rows.ts';
import { fitting, type Look, lookOf, roomOf, type Span } from './look.ts';
import { table } from './table.ts';
import { padEnd, width } from './text.ts';
import { doneOf, totalOf } from './totals.ts';

/**
 * Batches, newest first: a table on a terminal; elsewhere TAB-separated, with raw bytes and ISO dates. `limit` is how
 * many were asked for: when as many came there may be older ones. Ends with a newline.
 */
export function listText(batches: readonly Batch[], style: Style, now: number, limit?: number): string {
  if (!style.tty) return listForPrograms(batches);
  if (batches.length === 0) return 'No batches yet. Start one: imgtool process <folder>\n';
  const look = lookOf(style);
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
    { text: batch.state, paint: statePaint(batch, look) },
    imagesOf(batch),
    batch.counts.failed > 0 ? { text: count(batch.counts.failed), paint: look.chalk.red } : '0',
    saved[at] ?? '',
    batch.state === 'running' ? 'now' : ago(batch.startedAt, now),
    sourceOf(batch),
  ]);
  const older = batches.length === limit ? ` Older: imgtool list --limit ${limit * 5}` : '';
  const footer = `${counted(batches.length, 'batch', 'batches')}.`;
  return `${table(columns, rows, style)}\n${fitting([[footer, older], [footer]], roomOf(style), look)}\n`;
}

function imagesOf({ counts, state }: Batch): string {
  const total = totalOf(counts);
  return state === 'finished' ? count(total) : `${count(doneOf(counts))}/${count(total)}`;
}

/** Size and share line up below one another. */
function savedColumn(batches: readonly Batch[]): string[] {
  const cells = batches.map(({ bytesIn, bytesOut }): readonly [string, string] => {
    if (bytesIn === 0 || bytesOut === 0) return ['-', ''];
    const saved = bytesIn - bytesOut;
    return [`${saved < 0 ? '-' : ''}${bytes(Math.abs(saved))}`, change(bytesIn, bytesOut)];
  });
  const sizes = Math.max(...cells.map(([size]) => width(size)));
  return cells.map(([size, share]) => (share === '' ? size : `${padEnd(size, sizes)}  ${share}`));
}

function statePaint({ state }: Batch, { chalk }: Look): (text: string) => string {
  if (state === 'finished') return chalk.green;
  return state === 'running' ? chalk.cyan : chalk.yellow;
}
