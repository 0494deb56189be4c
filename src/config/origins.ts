import { specOf } from '../variants/written.ts';
import type { OwnPreset } from './choose.ts';
import type { Find } from './layers.ts';
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

/** Every setting in the order of the help, then the user's presets. `resolved` fills in open defaults. */
export function listOrigins(
  find: Find,
  resolved: { readonly [K in Key]?: string | number },
  own: readonly OwnPreset[],
): readonly Origin[] {
  const settings = KEYS.map((key) => ({
    key,
    value: String(resolved[key] ?? shown(find, key)),
    origin: find(key).origin,
  }));
  const presets = own.map(({ preset, origin }) => ({
    key: `presets.${preset.name}`,
    value: preset.variants.map(specOf).join('; '),
    origin,
  }));
  return [...settings, ...presets];
}

function shown<K extends Key>(find: Find, key: K): string {
  const { show = String } = SETTINGS[key];
  return show(find(key).value);
}
