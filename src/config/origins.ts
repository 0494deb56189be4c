import { specOf } from '../variants/written.ts';
import type { OwnPreset } from './choose.ts';
import type { Settings } from './layers.ts';
import { KEYS, type Key, SETTINGS } from './settings.ts';

/** A setting as `imgtool config` prints it. */
export interface Origin {
  /** As in `.imgtoolrc`. */
  readonly key: string;
  /** As a person would write it. */
  readonly value: string;
  /** `default`, `flag --out`, `IMGTOOL_OUT` or the path of a file. */
  readonly origin: string;
}

/** Lists every setting in the order of the help, then the user's presets. `resolved` completes open defaults. */
export function listOrigins(
  settings: Settings,
  resolved: { readonly [K in Key]?: string | number },
  own: readonly OwnPreset[],
): readonly Origin[] {
  const all = KEYS.map((key) => ({
    key,
    value: String(resolved[key] ?? shown(settings, key)),
    origin: settings[key].origin,
  }));
  const presets = own.map(({ preset, origin }) => ({
    key: `presets.${preset.name}`,
    value: preset.variants.map(specOf).join('; '),
    origin,
  }));
  return [...all, ...presets];
}

function shown<K extends Key>(settings: Settings, key: K): string {
  const { show = String } = SETTINGS[key];
  return show(settings[key].value);
}
