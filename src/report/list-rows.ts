import type { Batch } from '../model.ts';
import { count, iso } from './format.ts';
import { printable, tabbed } from './printable.ts';
import { totalOf } from './totals.ts';

/** Batches for programs: TAB-separated, with raw bytes and ISO dates. Ends with a newline. */
export function listForPrograms(batches: readonly Batch[]): string {
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

/** Where its pictures come from, on one line. */
export function sourceOf({ inputs, command }: Batch): string {
  const more = inputs.length > 1 ? ` and ${count(inputs.length - 1)} more` : '';
  return `${printable(inputs[0] ?? '')}${more}${command === 'watch' ? ' (watch)' : ''}`;
}
