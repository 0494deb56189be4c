import type { JobState, Style } from '../model.ts';
import { cut, width } from './text.ts';

/** What text is coloured with, or left as it is. */
export type Colours = Readonly<Record<'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', Paint>>;
type Paint = (text: string) => string;

/** A Style made ready to draw with: colours that are there or not, and marks the stream can show. */
export interface Look {
  readonly chalk: Colours;
  readonly ellipsis: string;
  readonly marks: Readonly<Record<JobState | 'warning', string>>;
}

/** A stretch of text and how it is coloured; the text itself holds no codes, so that it can be measured and cut. */
export type Span = string | { readonly text: string; readonly paint: Paint };

const asItIs: Paint = (text) => text;
const NO_COLOURS: Colours = {
  ...{ red: asItIs, green: asItIs, yellow: asItIs, cyan: asItIs, bold: asItIs, dim: asItIs },
};
let colours = NO_COLOURS;

/** Loads the colours: without, every style is drawn as one that has none. */
export async function loadColours(): Promise<void> {
  const { Chalk } = await import('chalk');
  colours = new Chalk({ level: 1 });
}

export function lookOf(style: Style): Look {
  return {
    chalk: style.color ? colours : NO_COLOURS,
    ellipsis: style.unicode ? '…' : '...',
    marks: style.unicode ? UNICODE : ASCII,
  };
}

/** Columns of the terminal; one of unknown size says 0 and is taken for 80. */
export function columnsOf(style: Style): number {
  return style.columns() || 80;
}

/** Columns a line may take: those of the terminal, without end where no one looks at a screen. */
export function roomOf(style: Style): number {
  return style.tty ? columnsOf(style) : Number.POSITIVE_INFINITY;
}

/** One line of no more than `columns`, cut before it is coloured. */
export function line(spans: readonly Span[], columns: number, look: Look): string {
  let left = columns;
  let drawn = '';
  for (const span of spans) {
    const text = cut(textOf(span), left, look.ellipsis);
    left -= width(text);
    drawn += typeof span === 'string' || text === '' ? text : span.paint(text);
    if (text !== textOf(span)) break;
  }
  return drawn;
}

/** The first of several wordings that fits, the last one cut where none does. */
export function fitting(wordings: readonly (readonly Span[])[], columns: number, look: Look): string {
  const chosen = wordings.find((spans) => spanWidth(spans) <= columns) ?? wordings.at(-1) ?? [];
  return line(chosen, columns, look);
}

/** Pieces two spaces apart after a label, on as many lines as they need; none where there are no pieces. */
export function packed(
  label: readonly Span[],
  pieces: readonly Span[],
  columns: number,
  look: Look,
): string[] {
  const rows: Span[][] = [];
  let used = 0;
  for (const piece of pieces) {
    const more = width(textOf(piece));
    if (rows.length === 0 || used + 2 + more > columns) {
      rows.push([...(rows.length === 0 ? label : [' '.repeat(spanWidth(label))]), piece]);
      used = spanWidth(label) + more;
    } else {
      rows.at(-1)?.push('  ', piece);
      used += 2 + more;
    }
  }
  return rows.map((row) => line(row, columns, look));
}

export function spanWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + width(textOf(span)), 0);
}

export function textOf(span: Span): string {
  return typeof span === 'string' ? span : span.text;
}

/** A state's colour; the word or the mark beside it says the same without. */
export function paintOf(state: JobState, { chalk }: Look): Paint {
  if (state === 'failed') return chalk.red;
  if (state === 'completed') return chalk.green;
  if (state === 'retrying' || state === 'cancelled') return chalk.yellow;
  return chalk.dim;
}

const UNICODE = {
  pending: '○',
  processing: '●',
  retrying: '~',
  completed: '✓',
  duplicate: '=',
  unchanged: '·',
  failed: '✗',
  cancelled: '■',
  warning: '!',
} as const;

const ASCII = {
  pending: '-',
  processing: '*',
  retrying: '~',
  completed: 'ok',
  duplicate: '=',
  unchanged: '.',
  failed: 'x',
  cancelled: '#',
  warning: '!',
} as const;
