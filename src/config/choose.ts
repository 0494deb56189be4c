import type { Preset, Variant } from '../model.ts';
import { BUILT_IN } from '../presets.ts';
import type { Found } from './layers.ts';
import { unknown } from './place.ts';

/** A preset of the user's, and the file it stands in. */
export interface OwnPreset {
  readonly preset: Preset;
  readonly origin: string;
}

/** Built-in presets and the user's own, which replace those of the same name. */
export function allPresets(own: readonly Preset[]): readonly Preset[] {
  const replaced = new Set(own.map((preset) => preset.name));
  return [...BUILT_IN.filter((preset) => !replaced.has(preset.name)), ...own];
}

/** The preset to use: the one named, with the given variants added; without a name, the given variants alone. */
export function choosePreset(
  name: Found<string>,
  variants: Found<readonly Variant[]>,
  presets: readonly Preset[],
): Preset {
  if (variants.value.length > 0 && name.base === null) return { name: 'custom', variants: variants.value };
  const chosen = presets.find((preset) => preset.name === name.value);
  if (chosen === undefined) {
    throw unknown(
      name.place,
      'preset',
      [name.value],
      presets.map((preset) => preset.name),
    );
  }
  return variants.value.length === 0
    ? chosen
    : { name: chosen.name, variants: added(chosen, variants.value) };
}

/** A variant of the same name and format takes the other's place. */
function added({ variants }: Preset, more: readonly Variant[]): readonly Variant[] {
  const all = new Map<string, Variant>();
  for (const variant of [...variants, ...more]) all.set(`${variant.name} ${variant.format}`, variant);
  return [...all.values()];
}
