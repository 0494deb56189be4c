import type { Style } from '../model.ts';
import { padEnd, padStart, width } from './text.ts';
import { line, roomOf, type Span, spanText, type Theme, themeOf } from './theme.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

/** A table for people. The last column is cut where the terminal ends. Ends with a newline. */
export function table(columns: readonly Column[], rows: readonly (readonly Span[])[], style: Style): string {
  const theme = themeOf(style);
  const room = roomOf(style);
  const titles = columns.map(({ title }) => ({ text: title, paint: theme.chalk.bold }));
  const widths = columns.map(({ title }, at) => {
    return Math.max(width(title), ...rows.map((row) => width(spanText(row[at] ?? ''))));
  });
  return [titles, ...rows].map((row) => `${drawn(row, columns, widths, room, theme)}\n`).join('');
}

function drawn(
  row: readonly Span[],
  columns: readonly Column[],
  widths: readonly number[],
  room: number,
  theme: Theme,
): string {
  const spans = columns.flatMap((column, at): Span[] => {
    const cell = row[at] ?? '';
    const last = at === columns.length - 1;
    const text = padded(spanText(cell), column, widths[at] ?? 0, last);
    const gap = last ? [] : ['  '];
    return [typeof cell === 'string' ? text : { text, paint: cell.paint }, ...gap];
  });
  return line(spans, room, theme).trimEnd();
}

function padded(text: string, column: Column, columns: number, last: boolean): string {
  if (column.align === 'right') return padStart(text, columns);
  return last ? text : padEnd(text, columns);
}

/** A table for programs: TAB between columns, one header line, nothing cut. Cells must be printable. Ends with a newline. */
export function tabbed(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [titles, ...rows].map((row) => `${row.join('\t')}\n`).join('');
}
