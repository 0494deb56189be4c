import type { Preset, Style, Variant } from '../model.ts';
import type { Span } from './look.ts';
import { printable, tabbed } from './printable.ts';
import { table } from './table.ts';

/** A preset and where it comes from, such as `built in` or the path of a file. */
export type PresetEntry = Preset & { readonly origin: string };

/** The presets, a line for each variant; TAB-separated where no person looks. Ends with a newline. */
export function presetsText(presets: readonly PresetEntry[], style: Style): string {
  const titles = ['preset', 'variant', 'size', 'format', 'quality', 'options', 'origin'];
  const rows = presets.flatMap(({ name, variants, origin }) => {
    return variants.map((variant) => [printable(name), ...variantCells(variant), printable(origin)]);
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

function variantCells(variant: Variant): string[] {
  return [printable(variant.name), sizeOf(variant), variant.format, qualityOf(variant), optionsOf(variant)];
}

function sizeOf({ width, height, fit }: Variant): string {
  if (width !== null && height !== null) return `${width}x${height} ${fit}`;
  return width === null ? `h=${height ?? '-'}` : `w=${width}`;
}

function qualityOf({ quality, lossless, format }: Variant): string {
  return lossless || format === 'png' ? 'lossless' : `q${quality}`;
}

function optionsOf({ fit, position, grayscale, sharpen, background, effort, format }: Variant): string {
  const options = [
    ...(format === 'jpeg' ? [] : [`effort ${effort}`]),
    ...(fit === 'cover' && position !== 'centre' ? [`position ${position}`] : []),
    ...(grayscale ? ['grayscale'] : []),
    ...(sharpen ? ['sharpen'] : []),
    ...(background === null ? [] : [`background ${background}`]),
  ];
  return options.length === 0 ? '-' : options.join(', ');
}
