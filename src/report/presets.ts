import type { Preset, Style } from '../model.ts';
import type { Span } from './look.ts';
import { printable, tabbed } from './printable.ts';
import { table } from './table.ts';

/** A preset and where it comes from, such as `built in` or the path of a file. */
export interface PresetEntry extends Preset {
  readonly origin: string;
  /** The variants in words. */
  readonly cells: readonly {
    readonly size: string;
    readonly quality: string;
    readonly options: string;
  }[];
}

/** The presets, a line for each variant; TAB-separated where no person looks. Ends with a newline. */
export function presetsText(presets: readonly PresetEntry[], style: Style): string {
  const titles = ['preset', 'variant', 'size', 'format', 'quality', 'options', 'origin'];
  const rows = presets.flatMap(({ name, variants, cells, origin }) => {
    return cells.map(({ size, quality, options }, i) => {
      const { name: variant = '', format = '' } = variants[i] ?? {};
      return [printable(name), printable(variant), size, format, quality, options, printable(origin)];
    });
  });
  if (!style.tty) return tabbed(titles, rows);
  // On a screen a preset's name and origin stand once, beside its first variant.
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
