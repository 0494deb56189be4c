import {
  FIELD_TABLE,
  fullVariant,
  type Kept,
  type LooseVariant,
  type Variant,
  withEffort,
  withKept,
} from '../variants/fields.ts';
import { assertHeld } from '../variants/keeps.ts';
import { at, checkKnown, type Place, wrong } from '../variants/place.ts';
import { BUILT_IN, type Preset } from '../variants/presets.ts';
import { isMapping } from '../variants/values.ts';
import { NOTHING } from '../variants/words.ts';
import { nameType, readVariants, specOf } from '../variants/written.ts';
import type { ConfigFile } from './files.ts';
import { defaultOf, type Origin, type Settings } from './layers.ts';

/** A preset that the user defined, and the file that defines it. */
export interface OwnPreset {
  readonly preset: Preset;
  readonly origin: string;
}

/** The presets that files define. The first file wins where two presets share a name. */
export function ownPresets(files: readonly ConfigFile[]): readonly OwnPreset[] {
  const all = files.flatMap((file) => presetsIn(file).map((preset) => ({ preset, origin: file.path })));
  const firstOf = (name: string) => all.find(({ preset }) => preset.name === name);
  return all.filter((own) => own === firstOf(own.preset.name));
}

function presetsIn(file: ConfigFile): readonly Preset[] {
  const raw = file.values.presets ?? {};
  const place: Place = { code: 'config', text: `${file.path}: presets` };
  const fix = 'for example presets: { mine: [{ name: hero, width: 1600 }] }';
  if (!isMapping(raw)) throw wrong(place, 'a mapping from names to variants', raw, { fix });
  return Object.entries(raw).map(([name, written]) => {
    const inner = at(place, `.${name}`);
    const variants = readVariants(written, inner);
    if (variants.length === 0) throw wrong(inner, 'at least one variant', written);
    return { name: nameType.read(name, inner), variants: variants.map(fullVariant) };
  });
}

/** The user's presets as `imgtool config` prints them. */
export function presetOrigins(own: readonly OwnPreset[]): readonly Origin[] {
  return own.map(({ preset: { name, variants }, origin }) => {
    return { key: `presets.${name}`, value: variants, text: variants.map(specOf).join('; '), origin };
  });
}

/** The built-in presets and the user's presets, which replace built-in ones of the same name. */
export function allPresets(own: readonly OwnPreset[]): readonly Preset[] {
  const presets = own.map(({ preset }) => preset);
  const replaced = new Set(presets.map(({ name }) => name));
  return [...BUILT_IN.filter(({ name }) => !replaced.has(name)), ...presets];
}

type Choices = Pick<Settings, 'preset' | 'variants' | 'effort' | keyof Kept>;

/** The nearest layer that names a preset or has variants replaces the preset and the variants of all farther layers. */
export function withNearestChoice(settings: Settings): Settings {
  const { preset, variants } = settings;
  const rank = Math.min(preset.rank, variants.value.length > 0 ? variants.rank : Number.POSITIVE_INFINITY);
  return {
    ...settings,
    preset: preset.rank <= rank ? preset : defaultOf('preset'),
    variants: variants.rank <= rank ? variants : defaultOf('variants'),
  };
}

/** Whether only variants are in force, and no preset. */
export function isCustom({ preset, variants }: Choices): boolean {
  return variants.value.length > 0 && preset.base === null;
}

/**
 * Returns the preset to use. The given variants extend a named preset. Without a named preset they stand alone. A given
 * effort replaces the efforts of the preset. The settings of metadata apply to variants that say nothing about metadata.
 */
export function choosePreset(choices: Choices, presets: readonly Preset[]): Preset {
  const { preset, variants, effort } = choices;
  const given = withEfforts(variants, effort).map((variant, i) =>
    keeping(variant, choices, variants.value[i]),
  );
  if (isCustom(choices)) return { name: 'custom', variants: given };
  const names = presets.map(({ name }) => name);
  checkKnown(preset.place, 'preset', [preset.value], names);
  const chosen = presets[names.indexOf(preset.value)]?.variants ?? [];
  // A given variant replaces the variant of the preset that has the same name and format.
  const all = [...chosen.map((variant) => keeping(withEffort(variant, effort.value), choices)), ...given];
  const merged = new Map(all.map((variant) => [`${variant.name} ${variant.format}`, variant]));
  return { name: preset.value, variants: [...merged.values()] };
}

/** A given variant keeps its own effort, unless an effort for all variants comes from a layer of higher priority. */
function withEfforts({ value, rank }: Choices['variants'], effort: Choices['effort']): readonly Variant[] {
  return value.map((loose) => {
    const keeps = loose.effort !== undefined && rank <= effort.rank;
    return withEffort(fullVariant(loose), keeps ? null : effort.value);
  });
}

/** Errors: those of the setting that the variant's format cannot hold. */
function keeping(variant: Variant, { keep, copyright, artist }: Choices, loose?: LooseVariant): Variant {
  const kept = withKept(
    variant,
    { keep: keep.value, copyright: copyright.value, artist: artist.value },
    loose,
  );
  const { name, format } = variant;
  const of = (place: Place) => at(place, ` (variant ${name})`);
  assertHeld(
    kept.keep,
    format,
    of(keep.place),
    `give ${name} another format, or keep=${NOTHING} with {{variants}}`,
  );
  for (const [key, { place }] of Object.entries({ copyright, artist }) as ['copyright', typeof copyright][]) {
    if (kept[key] !== null) FIELD_TABLE[key].in(format).type.read(kept[key], of(place));
  }
  return kept;
}
