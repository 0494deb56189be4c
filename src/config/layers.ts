import { dirname } from 'node:path';
import type { Warning } from '../model.ts';
import { checkKnown, nearest, type Place } from '../variants/place.ts';
import type { ConfigFile } from './files.ts';
import { adviceFor, hintAsFlags, hintAsOptions } from './hints.ts';
import type { Key, Values } from './settings.ts';
import { envName, isRepeatable, KEYS, longFlag, SETTINGS, showValue } from './settings.ts';

/** Settings as the command line or a library call gives them, by key. Undefined means not given. */
export type Flags = { readonly [K in Key]?: unknown } & {
  /** The file to read instead of the files that are found. False reads no file. */
  readonly config?: string | false | undefined;
};

/** A value and its origin. Rank 0 is a flag; a lower rank has priority. */
export interface Resolved<T> {
  readonly value: T;
  /** As `imgtool config` shows it. */
  readonly origin: string;
  readonly place: Place;
  /** Relative paths start from this folder. Null for a default. */
  readonly base: string | null;
  readonly rank: number;
}

export type Settings = { readonly [K in Key]: Resolved<Values[K]> };

interface Layers {
  readonly flags: Flags;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly files: readonly ConfigFile[];
}

/**
 * Takes each setting from the first layer that has it: the flags, the environment, each file. Checks all layers, so
 * every wrong value is reported. Errors: `usage` for a wrong flag, else `config`, also for unknown keys.
 */
export function readSettings(layers: Layers): Settings {
  const { config: _, ...flags } = layers.flags;
  const names = Object.entries(flags).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  const advice = (word: string) => {
    const text = adviceFor(word);
    return text && hintAsOptions(text);
  };
  checkKnown({ code: 'usage', text: 'options' }, 'option', names, KEYS, advice);
  for (const { path, values } of layers.files) {
    checkKnown({ code: 'config', text: path }, 'key', Object.keys(values), [...KEYS, 'presets'], advice);
  }
  return Object.fromEntries(KEYS.map((key) => [key, resolve(key, layers)])) as Settings;
}

export function valuesOf(settings: Settings): Values {
  return Object.fromEntries(KEYS.map((key) => [key, settings[key].value])) as unknown as Values;
}

function resolve<K extends Key>(key: K, layers: Layers): Resolved<Values[K]> {
  const { type } = SETTINGS[key];
  const found = writtenIn(key, layers).flatMap(({ written, ...origin }, rank) =>
    written === undefined ? [] : [{ value: type.read(written, origin.place), ...origin, rank }],
  );
  return found[0] ?? defaultOf(key);
}

export function defaultOf<K extends Key>(key: K): Resolved<Values[K]> {
  const place: Place = { code: 'usage', text: longFlag(key) };
  return { value: SETTINGS[key].initial, origin: 'default', place, base: null, rank: Infinity };
}

/** The setting in each layer, as written. Undefined where it is not given. */
function writtenIn(key: Key, { flags, env, cwd, files }: Layers) {
  const flag = longFlag(key);
  const variable = envName(key);
  const inConfig = (text: string): Place => ({ code: 'config', text });
  return [
    { written: flags[key], origin: `flag ${flag}`, place: { code: 'usage', text: flag } as const, base: cwd },
    { written: inEnvironment(key, env), origin: variable, place: inConfig(variable), base: cwd },
    ...files.map(({ path, values }) => ({
      // A key without a value counts as absent.
      written: values[key] ?? undefined,
      origin: path,
      place: inConfig(`${path}: ${key}`),
      base: dirname(path),
    })),
  ];
}

/** An empty variable counts as not set. `;` and newlines separate the items of a list. */
function inEnvironment(key: Key, env: NodeJS.ProcessEnv): string | string[] | undefined {
  const written = env[envName(key)] || undefined;
  const items = written?.split(/[;\n]/).map((item) => item.trim());
  return isRepeatable(key) ? items?.filter((item) => item !== '') : written;
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
    const advice = adviceFor(rest(name));
    const warning: Warning = { type: 'warning', message: `${name}: no setting of this name, ignored${hint}` };
    return advice === undefined ? warning : { ...warning, fix: hintAsFlags(advice) };
  });
}

/** A setting as `imgtool config` prints it. */
export interface Origin {
  /** As in `.imgtoolrc`. */
  readonly key: string;
  /** As a settings file can have it. */
  readonly value: unknown;
  /** As a person would write it. */
  readonly text: string;
  /** `default`, `flag --out`, `IMGTOOL_OUT` or the path of a file. */
  readonly origin: string;
}

/** Lists every setting in the order of the help. `resolved` completes open defaults. */
export function listOrigins(settings: Settings, resolved: Partial<Values>): Origin[] {
  const originOf = <K extends Key>(key: K): Origin => {
    const { toFile = (value: unknown) => value } = SETTINGS[key].type;
    const value = resolved[key] ?? settings[key].value;
    return { key, value: toFile(value), text: showValue(key, value), origin: settings[key].origin };
  };
  return KEYS.map(originOf);
}
