import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, Preset, Style } from '../model.ts';
import { ago, bytes, change, count, counted, iso } from './format.ts';
import { fitting, layoutFor, type Span, tabbed, table } from './layout.ts';
import { padEnd, printable, textOf, widest } from './text.ts';

const TITLES = ['BATCH', 'STATE', 'IMAGES', 'FAILED', 'SAVED', 'WHEN', 'SOURCE'];

/**
 * The batches as a table on a terminal; elsewhere TAB-separated, with raw bytes and ISO dates. `more`: if there are older
 * batches, the number to ask for. Ends with a newline.
 */
export function listText(batches: readonly Batch[], style: Style, now: number, more?: number): string {
  if (!style.tty) return textOf(linesForPrograms(batches));
  if (batches.length === 0) return 'No batches yet. Start one: imgtool process <folder>\n';
  const layout = layoutFor(style);
  const { green, cyan, yellow, red } = layout.chalk;
  const paints = { finished: green, running: cyan, cancelled: yellow, interrupted: yellow };
  const saved = savedColumn(batches);
  const rows = batches.map((batch, at): Span[] => {
    const { id, state, counts, startedAt } = batch;
    return [
      // Enough of a UUID to name its batch.
      id.slice(0, 8),
      { text: state, paint: paints[state] },
      state === 'finished' ? count(totalOf(counts)) : `${count(doneOf(counts))}/${count(totalOf(counts))}`,
      counts.failed > 0 ? { text: count(counts.failed), paint: red } : '0',
      saved[at] ?? '',
      state === 'running' ? 'now' : ago(startedAt, now),
      sourceOf(batch),
    ];
  });
  const older = more === undefined ? '' : ` Older: imgtool list --limit ${more}`;
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
  const sizes = widest(cells.map(([size]) => size));
  return cells.map(([size, share]) => (share === '' ? size : `${padEnd(size, sizes)}  ${share}`));
}

function linesForPrograms(batches: readonly Batch[]): string[] {
  const figures = ['total', 'completed', 'failed', 'bytes_in', 'bytes_out'];
  // Scripts read columns by their position: new ones come last.
  const later = ['duplicate', 'unchanged', 'cancelled'] as const;
  const rows = batches.map((batch) => {
    const { id, state, counts, bytesIn, bytesOut, startedAt } = batch;
    const values = [totalOf(counts), counts.completed, counts.failed, bytesIn, bytesOut];
    return [id, state, ...values, iso(startedAt), sourceOf(batch), ...later.map((one) => counts[one])];
  });
  return tabbed(['batch', 'state', ...figures, 'started', 'source', ...later], rows);
}

/** The inputs of a batch in one line. */
function sourceOf({ inputs, command }: Batch): string {
  const more = inputs.length > 1 ? ` and ${count(inputs.length - 1)} more` : '';
  return `${printable(inputs[0] ?? '')}${more}${command === 'process' ? '' : ` (${command})`}`;
}

/** One setting and the source of its value. */
export interface ConfigEntry extends Readonly<Record<'key' | 'text' | 'origin', string>> {
  readonly value: unknown;
}

/** The settings as a table on a terminal, TAB-separated elsewhere. Ends with a newline. */
export function configText(entries: readonly ConfigEntry[], style: Style): string {
  const rows = entries.map(({ key, text, origin }) => [key, text, origin].map(printable));
  return tableText(['key', 'value', 'origin'], rows, rows, style);
}

/** What `config --json` prints. `value` has the type that a settings file can have, `text` is for people. */
export function configJson(entries: readonly ConfigEntry[]): object {
  return { v: 1, config: entries.map(({ key, value, text, origin }) => ({ key, value, text, origin })) };
}

/** A preset and its origin: `built in` or the path of a file. */
export interface PresetEntry extends Preset {
  readonly origin: string;
  /** The variants in words. */
  readonly cells: readonly Readonly<Record<'size' | 'quality' | 'options', string>>[];
}

/** One line per variant of each preset, as a table on a terminal, TAB-separated elsewhere. Ends with a newline. */
export function presetsText(presets: readonly PresetEntry[], style: Style): string {
  const titles = ['preset', 'variant', 'size', 'format', 'quality', 'options', 'origin'];
  const rows = presets.flatMap(({ name, variants, cells, origin }) => {
    return cells.map(({ size, quality, options }, i) => {
      const { name: variant = '', format = '' } = variants[i] ?? {};
      return [printable(name), printable(variant), size, format, quality, options, printable(origin)];
    });
  });
  // A table shows the name and origin of a preset once, beside its first variant.
  const seen = rows.map((row, at) => (rows[at - 1]?.[0] === row[0] ? ['', ...row.slice(1, -1), ''] : row));
  return tableText(titles, rows, seen, style);
}

/** What `presets --json` prints. */
export function presetsJson(presets: readonly PresetEntry[]): object {
  return { v: 1, presets: presets.map(({ name, origin, variants }) => ({ name, origin, variants })) };
}

/** `seen`: the rows for a terminal. */
function tableText(titles: string[], rows: string[][], seen: readonly Span[][], style: Style): string {
  if (!style.tty) return textOf(tabbed(titles, rows));
  const upper = titles.map((title) => title.toUpperCase());
  return textOf(table(upper, seen, layoutFor(style)));
}
