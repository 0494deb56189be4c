import type { Style } from '../model.ts';
import { type Look, line, lookOf, roomOf, type Span, textOf } from './look.ts';
import { padEnd, padStart, width } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

/** A table for people: columns two spaces apart, the last one cut where the screen ends. Ends with a newline. */
export function table(columns: readonly Column[], rows: readonly (readonly Span[])[], style: Style): string {
  const look = lookOf(style);
  const room = roomOf(style);
  const titles = columns.map(({ title }) => ({ text: title, paint: look.chalk.bold }));
  const widths = columns.map(({ title }, at) => {
    return Math.max(width(title), ...rows.map((row) => width(textOf(row[at] ?? ''))));
  });
  return [titles, ...rows].map((row) => `${drawn(row, columns, widths, room, look)}\n`).join('');
}

function drawn(
  row: readonly Span[],
  columns: readonly Column[],
  widths: readonly number[],
  room: number,
  look: Look,
): string {
  const spans = columns.flatMap((column, at): Span[] => {
    const cell = row[at] ?? '';
    const last = at === columns.length - 1;
    const text = padded(textOf(cell), column, widths[at] ?? 0, last);
    const gap = last ? [] : ['  '];
    return [typeof cell === 'string' ? text : { text, paint: cell.paint }, ...gap];
  });
  return line(spans, room, look).trimEnd();
}

function padded(text: string, column: Column, columns: number, last: boolean): string {
  if (column.align === 'right') return padStart(text, columns);
  return last ? text : padEnd(text, columns);
}
