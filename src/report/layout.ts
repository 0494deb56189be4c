import type { JobState, Style } from '../model.ts';
import { cut, padEnd, padStart, widest, width } from './text.ts';

type Paint = (text: string) => string;
type Colours = Readonly<Record<'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', Paint>>;

/** How lines look: their width, their colours, and the characters that can be shown. */
export interface TextLayout {
  /** The columns that a line can take: infinitely many outside a terminal. */
  readonly columns: number;
  readonly unicode: boolean;
  readonly chalk: Colours;
  readonly ellipsis: string;
}

/** A piece of text and its colour. The text holds no colour codes, so that it can be measured and cut. */
export type Span = string | { readonly text: string; readonly paint: Paint };

const unpainted: Paint = (text) => text;
const NO_COLOURS: Colours = {
  ...{ red: unpainted, green: unpainted, yellow: unpainted },
  ...{ cyan: unpainted, bold: unpainted, dim: unpainted },
};
let colours = NO_COLOURS;

/** Loads chalk. Before this call, every style is drawn without colours. */
export async function loadColours(): Promise<void> {
  const { Chalk } = await import('chalk');
  colours = new Chalk({ level: 1 });
}

/** The layout of lines that stay. */
export function layoutFor(style: Style): TextLayout {
  return {
    columns: style.tty ? style.columns() : Number.POSITIVE_INFINITY,
    unicode: style.unicode,
    chalk: style.color ? colours : NO_COLOURS,
    ellipsis: style.unicode ? '…' : '...',
  };
}

/** The layout of lines that are drawn again. They leave the last column free: terminals differ in what follows it. */
export function liveLayoutFor(style: Style): TextLayout {
  return { ...layoutFor(style), columns: Math.max(1, style.columns() - 1) };
}

/** One line. Its text is cut before it is coloured, because colour codes take no column. */
export function line(spans: readonly Span[], { columns, ellipsis }: TextLayout): string {
  let left = columns;
  let drawn = '';
  for (const span of spans) {
    const text = cut(spanText(span), left, ellipsis);
    left -= width(text);
    drawn += typeof span === 'string' || text === '' ? text : span.paint(text);
    if (text !== spanText(span)) break;
  }
  return drawn;
}

/** The first wording that fits; where none fits, the last one, cut. */
export function fitting(wordings: readonly (readonly Span[])[], layout: TextLayout): string {
  const chosen = wordings.find((spans) => spanWidth(spans) <= layout.columns) ?? wordings.at(-1) ?? [];
  return line(chosen, layout);
}

/** A label and pieces with two spaces between them, on as many lines as they need; no line for no pieces. */
export function packed(label: readonly Span[], pieces: readonly Span[], layout: TextLayout): string[] {
  const rows: Span[][] = [];
  let used = 0;
  for (const piece of pieces) {
    const more = width(spanText(piece));
    if (rows.length === 0 || used + 2 + more > layout.columns) {
      rows.push([...(rows.length === 0 ? label : [' '.repeat(spanWidth(label))]), piece]);
      used = spanWidth(label) + more;
    } else {
      rows.at(-1)?.push('  ', piece);
      used += 2 + more;
    }
  }
  return rows.map((row) => line(row, layout));
}

/** A table for people. The last column is cut where the terminal ends. `right`: titles of columns that align right. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly Span[])[],
  layout: TextLayout,
  right: readonly string[] = [],
): string[] {
  const cells = [titles.map((text) => ({ text, paint: layout.chalk.bold })), ...rows];
  const widths = titles.map((_, at) => widest(cells.map((row) => spanText(row[at] ?? ''))));
  return cells.map((row) => {
    const spans = titles.flatMap((title, at): Span[] => {
      const cell = row[at] ?? '';
      const isLast = at === titles.length - 1;
      const pad = right.includes(title) ? padStart : padEnd;
      const text = pad(spanText(cell), isLast ? 0 : (widths[at] ?? 0));
      return [typeof cell === 'string' ? text : { text, paint: cell.paint }, isLast ? '' : '  '];
    });
    return line(spans, layout).trimEnd();
  });
}

/** A table for programs: TAB between columns, one header line, nothing cut. Cells must be printable. */
export function tabbed(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  return [titles, ...rows].map((row) => row.join('\t'));
}

export function spanWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + width(spanText(span)), 0);
}

function spanText(span: Span): string {
  return typeof span === 'string' ? span : span.text;
}

/** A text in the colour of a state. Its word or mark says the same without colour. */
export function stateSpan(state: JobState, text: string, { chalk }: TextLayout): Exclude<Span, string> {
  if (state === 'failed') return { text, paint: chalk.red };
  if (state === 'completed') return { text, paint: chalk.green };
  if (state === 'retrying' || state === 'cancelled') return { text, paint: chalk.yellow };
  return { text, paint: chalk.dim };
}

export function markOf(state: JobState | 'warning', { unicode }: TextLayout): string {
  return MARKS[state][unicode ? 0 : 1];
}

/** In Unicode, and in ASCII. */
const MARKS: Readonly<Record<JobState | 'warning', readonly [string, string]>> = {
  pending: ['○', '-'],
  processing: ['●', '*'],
  retrying: ['~', '~'],
  completed: ['✓', 'ok'],
  duplicate: ['=', '='],
  unchanged: ['·', '.'],
  failed: ['✗', 'x'],
  cancelled: ['■', '#'],
  warning: ['!', '!'],
};
