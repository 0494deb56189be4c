import { resolve } from 'node:path';
import type { Warning } from '../model.ts';
import { at, nearest, type Place, unknown } from '../variants/place.ts';
import type { ConfigFile } from './files.ts';
import { envName, isKey, isRepeatable, KEYS, type Key, longFlag, SETTINGS, type Values } from './settings.ts';

/** Settings as the command line or a library call gives them, by key. Undefined means not given. */
export type Flags = { readonly [K in Key]?: unknown } & {
  /** The file to read instead of the files that are found. False reads no file. */
  readonly config?: string | false | undefined;
};

/** One origin of settings: the flags, the environment or a file. */
interface Layer {
  /** Relative paths of this layer start from this folder. */
  readonly base: string;
  readonly values: ReadonlyMap<Key, unknown>;
  place(key: Key): Place;
  /** The origin as `imgtool config` shows it. */
  origin(key: Key): string;
}

/** A value and its origin. `base` is null for a default. Rank 0 is a flag; a lower rank has priority. */
export interface Resolved<T> {
  readonly value: T;
  readonly origin: string;
  readonly place: Place;
  readonly base: string | null;
  readonly rank: number;
}

export type Settings = { readonly [K in Key]: Resolved<Values[K]> };

/** Takes each setting from the first layer that has it. Checks all layers, so every wrong value is reported. */
export function readSettings(layers: readonly Layer[]): Settings {
  const settings = KEYS.map((key) => {
    const found = layers.flatMap((layer, rank) => (layer.values.has(key) ? [read(layer, key, rank)] : []));
    return [key, found[0] ?? byDefault(key)];
  });
  return Object.fromEntries(settings) as Settings;
}

export function valuesOf(settings: Settings): Values {
  return Object.fromEntries(KEYS.map((key) => [key, settings[key].value])) as unknown as Values;
}

function read<K extends Key>(layer: Layer, key: K, rank: number): Resolved<Values[K]> {
  const place = layer.place(key);
  const value = SETTINGS[key].type.read(layer.values.get(key), place);
  return { value, origin: layer.origin(key), place, base: layer.base, rank };
}

function byDefault<K extends Key>(key: K): Resolved<Values[K]> {
  const place: Place = { code: 'usage', text: longFlag(key) };
  return { value: SETTINGS[key].initial, origin: 'default', place, base: null, rank: Infinity };
}

/** Errors: `usage` for an unknown option. */
export function flagLayer({ config: _, ...flags }: Flags, cwd: string): Layer {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const unknownKeys = given.map(([key]) => key).filter((key) => !isKey(key));
  if (unknownKeys.length > 0) throw unknown({ code: 'usage', text: 'options' }, 'option', unknownKeys, KEYS);
  return {
    base: cwd,
    values: byKey(given),
    place: (key) => ({ code: 'usage', text: longFlag(key) }),
    origin: (key) => `flag ${longFlag(key)}`,
  };
}

/** An empty variable counts as not set. `;` and newlines separate the items of a list. */
export function envLayer(env: NodeJS.ProcessEnv, cwd: string): Layer {
  const values = new Map<Key, unknown>();
  for (const key of KEYS) {
    const written = env[envName(key)];
    if (!written) continue;
    const items = isRepeatable(key) ? written.split(/[;\n]/).map((item) => item.trim()) : [];
    values.set(key, isRepeatable(key) ? items.filter((item) => item !== '') : written);
  }
  return { base: cwd, values, place: (key) => ({ code: 'config', text: envName(key) }), origin: envName };
}

/** Warns about unknown IMGTOOL_ variables. They are no errors, because they can belong to another program. */
export function unknownVariables(env: NodeJS.ProcessEnv): readonly Warning[] {
  const prefix = 'IMGTOOL_';
  const names = Object.keys(env).filter((name) => name.startsWith(prefix));
  if (names.length === 0) return [];
  const known = [...KEYS.map(envName), `${prefix}CONFIG`, `${prefix}NO_CONFIG`];
  // `nearest` compares the names without their prefix, because the prefix makes all names look alike.
  const rests = known.map((name) => name.slice(prefix.length));
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearest(name.slice(prefix.length), rests);
      const hint = near === undefined ? '' : ` (did you mean "${prefix}${near}"?)`;
      return { type: 'warning', message: `${name}: no setting of this name, ignored${hint}` };
    });
}

/** Errors: `config` for unknown keys. A key without a value counts as absent. */
export function fileLayer(file: ConfigFile): Layer {
  const place: Place = { code: 'config', text: file.path };
  const known = [...KEYS, 'presets'];
  const unknownKeys = Object.keys(file.values).filter((key) => !known.includes(key));
  if (unknownKeys.length > 0) throw unknown(place, 'key', unknownKeys, known);
  return {
    base: resolve(file.path, '..'),
    values: byKey(Object.entries(file.values).filter(([, value]) => value !== null)),
    place: (key) => at(place, `: ${key}`),
    origin: () => file.path,
  };
}

function byKey(entries: readonly (readonly [string, unknown])[]): ReadonlyMap<Key, unknown> {
  const values = new Map<Key, unknown>();
  for (const [key, value] of entries) {
    if (isKey(key)) values.set(key, value);
  }
  return values;
}
