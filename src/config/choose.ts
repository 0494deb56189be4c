import type { Preset, Variant } from '../model.ts';
import { BUILT_IN, fullVariant, type LooseVariant } from '../presets.ts';
import { withEffort } from './effort.ts';
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

interface Choices {
  readonly name: Found<string>;
  readonly variants: Found<readonly LooseVariant[]>;
  readonly effort: Found<number | null>;
}

/**
 * The preset to use: the one named, with the given variants added; without a name, the given variants alone. An effort
 * takes the place of those of the preset.
 */
export function choosePreset({ name, variants, effort }: Choices, presets: readonly Preset[]): Preset {
  const given = withEfforts(variants, effort);
  if (given.length > 0 && name.base === null) return { name: 'custom', variants: given };
  const chosen = presets.find((preset) => preset.name === name.value);
  if (chosen === undefined) {
    throw unknown(
      name.place,
      'preset',
      [name.value],
      presets.map((preset) => preset.name),
    );
  }
  const own = chosen.variants.map((variant) => withEffort(variant, effort.value));
  return { name: chosen.name, variants: added(own, given) };
}

/** A given variant keeps the effort it names, unless an effort for all was said where it counts more. */
function withEfforts({ value, rank }: Choices['variants'], effort: Choices['effort']): readonly Variant[] {
  return value.map((loose) => {
    const keeps = loose.effort !== undefined && rank <= effort.rank;
    return withEffort(fullVariant(loose), keeps ? null : effort.value);
  });
}

/** A variant of the same name and format takes the other's place. */
function added(variants: readonly Variant[], more: readonly Variant[]): readonly Variant[] {
  const all = new Map<string, Variant>();
  for (const variant of [...variants, ...more]) all.set(`${variant.name} ${variant.format}`, variant);
  return [...all.values()];
}
