import type { Preset } from '../model.ts';
import { fullVariant } from '../presets.ts';
import type { OwnPreset } from './choose.ts';
import type { ConfigFile } from './files.ts';
import { at, type Place, wrong } from './place.ts';
import { isMapping } from './plain.ts';
import { readName, readVariants } from './variants.ts';

/** The presets written in files; the first file wins where two have one name. */
export function ownPresets(files: readonly ConfigFile[]): readonly OwnPreset[] {
  const own = new Map<string, OwnPreset>();
  for (const file of files) {
    for (const preset of presetsIn(file)) {
      if (!own.has(preset.name)) own.set(preset.name, { preset, origin: file.path });
    }
  }
  return [...own.values()];
}

function presetsIn(file: ConfigFile): readonly Preset[] {
  const raw = file.values.presets ?? {};
  const place: Place = { code: 'config', text: `${file.path}: presets` };
  if (!isMapping(raw)) {
    throw wrong(place, 'a mapping from names to variants', raw, {
      fix: 'for example presets: { mine: [{ name: hero, width: 1600 }] }',
    });
  }
  return Object.entries(raw).map(([name, written]) => {
    const inner = at(place, `.${name}`);
    const variants = readVariants(written, inner);
    if (variants.length === 0) throw wrong(inner, 'at least one variant', written);
    return { name: readName(name, inner), variants: variants.map(fullVariant) };
  });
}
