import type { Style } from '../model.ts';
import { printable, tabbed } from './printable.ts';
import { table } from './table.ts';

/** One setting of the program, and where its value comes from. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  readonly origin: string;
}

/** Each setting and its origin; TAB-separated where no person looks. Ends with a newline. */
export function configText(entries: readonly ConfigEntry[], style: Style): string {
  const rows = entries.map(({ key, value, origin }) => [printable(key), printable(value), printable(origin)]);
  if (!style.tty) return tabbed(['key', 'value', 'origin'], rows);
  return table([{ title: 'KEY' }, { title: 'VALUE' }, { title: 'ORIGIN' }], rows, style);
}

/** What `config --json` prints. */
export function configJson(entries: readonly ConfigEntry[]): object {
  return { v: 1, config: entries.map(({ key, value, origin }) => ({ key, value, origin })) };
}
