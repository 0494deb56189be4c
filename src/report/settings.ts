import type { Preset, Style } from '../model.ts';
import { tabbed, table } from './table.ts';
import { printable } from './text.ts';
import type { Span } from './theme.ts';

/** One setting and the source of its value. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  readonly origin: string;
}

/** The settings as a table on a terminal, TAB-separated elsewhere. Ends with a newline. */
export function configText(entries: readonly ConfigEntry[], style: Style): string {
  const rows = entries.map(({ key, value, origin }) => [printable(key), printable(value), printable(origin)]);
  if (!style.tty) return tabbed(['key', 'value', 'origin'], rows);
  return table([{ title: 'KEY' }, { title: 'VALUE' }, { title: 'ORIGIN' }], rows, style);
}

/** What `config --json` prints. */
export function configJson(entries: readonly ConfigEntry[]): object {
  return { v: 1, config: entries.map(({ key, value, origin }) => ({ key, value, origin })) };
}

/** A preset and its origin: `built in` or the path of a file. */
export interface PresetEntry extends Preset {
  readonly origin: string;
  /** The variants in words. */
  readonly cells: readonly {
    readonly size: string;
    readonly quality: string;
    readonly options: string;
  }[];
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
  if (!style.tty) return tabbed(titles, rows);
  // A table shows the name and origin of a preset once, beside its first variant.
  const seen = rows.map((row, at): Span[] => {
    return rows[at - 1]?.[0] === row[0] ? ['', ...row.slice(1, -1), ''] : row;
  });
  const columns = titles.map((title) => ({ title: title.toUpperCase() }));
  return table(columns, seen, style);
}

/** What `presets --json` prints. */
export function presetsJson(presets: readonly PresetEntry[]): object {
  return { v: 1, presets: presets.map(({ name, origin, variants }) => ({ name, origin, variants })) };
}
