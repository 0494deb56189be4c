import { resolve } from 'node:path';
import type { ConfigFile } from './files.ts';
import { envName, isKey, isRepeatable, KEYS, longFlag } from './keys.ts';
import { at, type Place, unknown } from './place.ts';
import type { Reader } from './plain.ts';
import { type Key, SETTINGS, type Values } from './settings.ts';

/** Settings as the command line or a library call gives them, by key; what is undefined is not given. */
export type Flags = { readonly [K in Key]?: unknown } & {
  /** Read this file instead of those found; false: read none. */
  readonly config?: string | false | undefined;
};

/** One place settings come from. */
interface Layer {
  /** Folder its relative paths start from. */
  readonly base: string;
  readonly values: ReadonlyMap<Key, unknown>;
  place(key: Key): Place;
  /** As `imgtool config` names it. */
  origin(key: Key): string;
}

/** A value with where it came from; base is null for a default, and rank tells what counts more: 0 is a flag. */
export interface Found<T> {
  readonly value: T;
  readonly origin: string;
  readonly place: Place;
  readonly base: string | null;
  readonly rank: number;
}

type Schemas = typeof import('./schemas.ts');

export type Find = <K extends Key>(key: K) => Found<Values[K]>;

/** Finds each setting in the first layer that has it. All layers are checked, so that no wrong value hides. */
export async function readSettings(layers: readonly Layer[]): Promise<Find> {
  const isGiven = (key: Key) => layers.some((layer) => layer.values.has(key));
  const schemas = KEYS.some((key) => 'of' in SETTINGS[key].read && isGiven(key))
    ? await import('./schemas.ts')
    : undefined;
  const find: Find = (key) => {
    const found = layers.flatMap((layer, rank) =>
      layer.values.has(key) ? [{ ...read(layer, key, schemas), rank }] : [],
    );
    return found[0] ?? byDefault(key);
  };
  for (const key of KEYS) find(key);
  return find;
}

function read<K extends Key>(layer: Layer, key: K, schemas: Schemas | undefined) {
  const place = layer.place(key);
  const value = readerOf(key, schemas)(layer.values.get(key), place);
  return { value, origin: layer.origin(key), place, base: layer.base };
}

function readerOf<K extends Key>(key: K, schemas: Schemas | undefined): Reader<Values[K]> {
  const { read } = SETTINGS[key];
  if (!('of' in read)) return read;
  if (schemas === undefined) throw new Error(`${key} is read by a schema, and none was loaded`);
  return read.of(schemas);
}

function byDefault<K extends Key>(key: K): Found<Values[K]> {
  const place: Place = { code: 'usage', text: longFlag(key) };
  return { value: SETTINGS[key].initial, origin: 'default', place, base: null, rank: Infinity };
}

/** Errors: `usage` for a key that is no setting. */
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

/** A variable that is empty is not set. Lists are separated by `;` or newlines. */
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

/** Errors: `config` for keys that are no settings. A key without a value is as good as absent. */
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
