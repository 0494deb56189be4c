import type { Preset, Style } from '../model.ts';
import { type Span, tabbed, table, textLayoutOf } from './layout.ts';
import { printable, textOf } from './text.ts';

/** One setting and the source of its value. */
export type ConfigEntry = Readonly<Record<'key' | 'value' | 'origin', string>>;

/** The settings as a table on a terminal, TAB-separated elsewhere. Ends with a newline. */
export function configText(entries: readonly ConfigEntry[], style: Style): string {
  const rows = entries.map(({ key, value, origin }) => [key, value, origin].map(printable));
  return tableText(['key', 'value', 'origin'], rows, rows, style);
}

/** What `config --json` prints. */
export function configJson(entries: readonly ConfigEntry[]): object {
  return { v: 1, config: entries.map(({ key, value, origin }) => ({ key, value, origin })) };
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
  return textOf(table(upper, seen, textLayoutOf(style)));
}
