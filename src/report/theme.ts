import type { JobState, Style } from '../model.ts';
import { cut, width } from './text.ts';

/** Functions that colour a text, or return it unchanged. */
export type Colours = Readonly<Record<'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', Paint>>;
type Paint = (text: string) => string;

/** The colours, marks and ellipsis that a stream can show. */
export interface Theme {
  readonly chalk: Colours;
  readonly ellipsis: string;
  readonly marks: Readonly<Record<JobState | 'warning', string>>;
}

/** A piece of text and its colour. The text holds no colour codes, so that it can be measured and cut. */
export type Span = string | { readonly text: string; readonly paint: Paint };

const unpainted: Paint = (text) => text;
const NO_COLOURS: Colours = {
  ...{ red: unpainted, green: unpainted, yellow: unpainted },
  ...{ cyan: unpainted, bold: unpainted, dim: unpainted },
};
let colours = NO_COLOURS;

/** Loads chalk. Until then every style is drawn without colours. */
export async function loadColours(): Promise<void> {
  const { Chalk } = await import('chalk');
  colours = new Chalk({ level: 1 });
}

export function themeOf(style: Style): Theme {
  return {
    chalk: style.color ? colours : NO_COLOURS,
    ellipsis: style.unicode ? '…' : '...',
    marks: style.unicode ? UNICODE_MARKS : ASCII_MARKS,
  };
}

/** The columns of the terminal: 80 where it reports 0 because its size is unknown. */
export function columnsOf(style: Style): number {
  return style.columns() || 80;
}

/** The columns that a line can take: those of the terminal, or infinitely many elsewhere. */
export function roomOf(style: Style): number {
  return style.tty ? columnsOf(style) : Number.POSITIVE_INFINITY;
}

/** One line of at most `columns`, cut before it is coloured. */
export function line(spans: readonly Span[], columns: number, theme: Theme): string {
  let left = columns;
  let drawn = '';
  for (const span of spans) {
    const text = cut(spanText(span), left, theme.ellipsis);
    left -= width(text);
    drawn += typeof span === 'string' || text === '' ? text : span.paint(text);
    if (text !== spanText(span)) break;
  }
  return drawn;
}

/** The first wording that fits; where none fits, the last one, cut. */
export function fitting(wordings: readonly (readonly Span[])[], columns: number, theme: Theme): string {
  const chosen = wordings.find((spans) => spanWidth(spans) <= columns) ?? wordings.at(-1) ?? [];
  return line(chosen, columns, theme);
}

/** A label and pieces with two spaces between them, on as many lines as they need; no line for no pieces. */
export function packed(
  label: readonly Span[],
  pieces: readonly Span[],
  columns: number,
  theme: Theme,
): string[] {
  const rows: Span[][] = [];
  let used = 0;
  for (const piece of pieces) {
    const more = width(spanText(piece));
    if (rows.length === 0 || used + 2 + more > columns) {
      rows.push([...(rows.length === 0 ? label : [' '.repeat(spanWidth(label))]), piece]);
      used = spanWidth(label) + more;
    } else {
      rows.at(-1)?.push('  ', piece);
      used += 2 + more;
    }
  }
  return rows.map((row) => line(row, columns, theme));
}

export function spanWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + width(spanText(span)), 0);
}

export function spanText(span: Span): string {
  return typeof span === 'string' ? span : span.text;
}

/** The colour of a state. Its word or mark says the same without colour. */
export function paintOf(state: JobState, { chalk }: Theme): Paint {
  if (state === 'failed') return chalk.red;
  if (state === 'completed') return chalk.green;
  if (state === 'retrying' || state === 'cancelled') return chalk.yellow;
  return chalk.dim;
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

const UNICODE_MARKS = marksOf(([unicode]) => unicode);
const ASCII_MARKS = marksOf(([, ascii]) => ascii);

function marksOf(chosen: (both: readonly [string, string]) => string): Theme['marks'] {
  return Object.fromEntries(
    Object.entries(MARKS).map(([state, both]) => [state, chosen(both)]),
  ) as Theme['marks'];
}
