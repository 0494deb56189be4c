import type { Config } from '../config.ts';
import type { Preset } from '../model.ts';
import { cellsOf, type VariantCells } from '../variants/describe.ts';

/** A preset and where it comes from, such as `built in` or the path of a file. */
interface ListedPreset extends Preset {
  readonly origin: string;
  /** The variants in words. */
  readonly cells: readonly VariantCells[];
}

/** `imgtool presets`: the built-in presets and the user's. */
export function presets({ presets: all, origins }: Config): ListedPreset[] {
  const own = new Map(origins.map(({ key, origin }) => [key, origin]));
  return all.map((preset) => ({
    ...preset,
    origin: own.get(`presets.${preset.name}`) ?? 'built in',
    cells: preset.variants.map(cellsOf),
  }));
}
