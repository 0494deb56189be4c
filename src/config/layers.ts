import { resolve } from 'node:path';
import type { Warning } from '../model.ts';
import { at, checkKnown, nearest, type Place } from '../variants/place.ts';
import type { ConfigFile } from './files.ts';
import type { Key, Values } from './settings.ts';
import { envName, isRepeatable, KEYS, longFlag, SETTINGS, showValue } from './settings.ts';

/** Settings as the command line or a library call gives them, by key. Undefined means not given. */
export type Flags = { readonly [K in Key]?: unknown } & {
  /** The file to read instead of the files that are found. False reads no file. */
  readonly config?: string | false | undefined;
};

/** One origin of settings: the flags, the environment or a file. */
interface Layer {
  /** Relative paths of this layer start from this folder. */
  readonly base: string;
  /** As written. Undefined means not given. */
  readonly values: { readonly [K in Key]?: unknown };
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
export function readSettings(
  flags: Flags,
  env: NodeJS.ProcessEnv,
  cwd: string,
  files: readonly ConfigFile[],
): Settings {
  const layers = [flagLayer(flags, cwd), envLayer(env, cwd), ...files.map(fileLayer)];
  const settings = KEYS.map((key) => {
    const found = layers.flatMap((layer, rank) => read(layer, key, rank));
    return [key, found[0] ?? byDefault(key)];
  });
  return Object.fromEntries(settings) as Settings;
}

export function valuesOf(settings: Settings): Values {
  return Object.fromEntries(KEYS.map((key) => [key, settings[key].value])) as unknown as Values;
}

function read<K extends Key>(layer: Layer, key: K, rank: number): Resolved<Values[K]>[] {
  const written = layer.values[key];
  if (written === undefined) return [];
  const place = layer.place(key);
  const value = SETTINGS[key].type.read(written, place);
  return [{ value, origin: layer.origin(key), place, base: layer.base, rank }];
}

function byDefault<K extends Key>(key: K): Resolved<Values[K]> {
  const place: Place = { code: 'usage', text: longFlag(key) };
  return { value: SETTINGS[key].initial, origin: 'default', place, base: null, rank: Infinity };
}

/** Errors: `usage` for an unknown option. */
function flagLayer({ config: _, ...flags }: Flags, cwd: string): Layer {
  const names = Object.entries(flags).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  checkKnown({ code: 'usage', text: 'options' }, 'option', names, KEYS);
  return {
    base: cwd,
    values: flags,
    place: (key) => ({ code: 'usage', text: longFlag(key) }),
    origin: (key) => `flag ${longFlag(key)}`,
  };
}

/** An empty variable counts as not set. `;` and newlines separate the items of a list. */
function envLayer(env: NodeJS.ProcessEnv, cwd: string): Layer {
  const read = (key: Key) => {
    const written = env[envName(key)] || undefined;
    const items = written?.split(/[;\n]/).map((item) => item.trim());
    return isRepeatable(key) ? items?.filter((item) => item !== '') : written;
  };
  const values = Object.fromEntries(KEYS.map((key) => [key, read(key)]));
  return { base: cwd, values, place: (key) => ({ code: 'config', text: envName(key) }), origin: envName };
}

const PREFIX = 'IMGTOOL_';

/** Warns about unknown IMGTOOL_ variables. They are no errors, because they can belong to another program. */
export function unknownVariables(env: NodeJS.ProcessEnv): readonly Warning[] {
  // `nearest` compares the names without their prefix, because the prefix makes all names look alike.
  const rest = (name: string) => name.slice(PREFIX.length);
  const known = [...KEYS.map(envName).map(rest), 'CONFIG', 'NO_CONFIG'];
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.includes(rest(name)));
  return names.map((name) => {
    const near = nearest(rest(name), known);
    const hint = near === undefined ? '' : ` (did you mean "${PREFIX}${near}"?)`;
    return { type: 'warning', message: `${name}: no setting of this name, ignored${hint}` };
  });
}

/** Errors: `config` for unknown keys. A key without a value counts as absent. */
function fileLayer({ path, values }: ConfigFile): Layer {
  const place: Place = { code: 'config', text: path };
  checkKnown(place, 'key', Object.keys(values), [...KEYS, 'presets']);
  return {
    base: resolve(path, '..'),
    values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)),
    place: (key) => at(place, `: ${key}`),
    origin: () => path,
  };
}

/** A setting as `imgtool config` prints it. */
export interface Origin {
  /** As in `.imgtoolrc`. */
  readonly key: string;
  /** As a person would write it. */
  readonly value: string;
  /** `default`, `flag --out`, `IMGTOOL_OUT` or the path of a file. */
  readonly origin: string;
}

/** Lists every setting in the order of the help. `resolved` completes open defaults. */
export function listOrigins(
  settings: Settings,
  resolved: { readonly [K in Key]?: string | number },
): readonly Origin[] {
  const shown = <K extends Key>(key: K) => String(resolved[key] ?? showValue(key, settings[key].value));
  return KEYS.map((key) => ({ key, value: shown(key), origin: settings[key].origin }));
}
