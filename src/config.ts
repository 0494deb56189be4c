import { homedir } from 'node:os';
import { isAbsolute, relative } from 'node:path';
import { allPresets, choosePreset, ownPresets, presetOrigins } from './config/choose.ts';
import { isDebug, type TerminalTraits, terminalTraits } from './config/environment.ts';
import { readFiles } from './config/files.ts';
import {
  envLayer,
  type Flags,
  fileLayer,
  flagLayer,
  listOrigins,
  type Origin,
  type Resolved,
  readSettings,
  unknownVariables,
  valuesOf,
} from './config/layers.ts';
import { autoMemory, autoMemoryCap, cores, memoryHere } from './config/machine.ts';
import { absolute, defaultIndex } from './config/places.ts';
import { showSize } from './config/quantities.ts';
import type { Values } from './config/settings.ts';
import { checkDistinct, checkTemplate } from './config/template.ts';
import type { BatchOptions, Limits, Preset, Warning, WatchOptions } from './model.ts';

export { addSettings, flagsOf, givenLimits, hintAsFlags, hintAsOptions } from './config/flags.ts';
export { cores, memoryHere } from './config/machine.ts';
export { nearest } from './variants/place.ts';
export type { Flags, Origin, TerminalTraits };

/** Settings that Config has under other names or with other types. */
type Changed = keyof Limits | 'limitPixels' | keyof WatchOptions | 'name' | 'variants' | 'effort';
type Narrowed = 'preset' | 'jobs' | 'memory' | 'index';

/** All settings, checked and complete; deeply frozen. */
export interface Config extends Omit<Values, Changed | Narrowed> {
  /** Absolute path. */
  readonly cwd: string;
  /** Absolute path. */
  readonly out: string;
  /** The same path as a person in the working folder would write it. */
  readonly outGiven: string;
  /** The preset to use, with the added variants. */
  readonly preset: Preset;
  /** All presets, built-in ones first. */
  readonly presets: readonly Preset[];
  /** Template of output names. */
  readonly template: string;
  /** Images processed at a time. */
  readonly jobs: number;
  /** Memory for all pictures together, in bytes. */
  readonly memory: number;
  /** Memory for one picture, in bytes: `memory` where a person set it, else more. */
  readonly memoryCap: number;
  readonly limits: Limits;
  readonly watch: WatchOptions;
  /** Absolute path. */
  readonly index: string;
  readonly look: TerminalTraits;
  /** Errors show their stacks. */
  readonly debug: boolean;
  /** Each setting, and each preset of the user, with its origin. */
  readonly origins: readonly Origin[];
  /** Likely mistakes that do not stop a command. */
  readonly warnings: readonly Warning[];
}

/**
 * Resolves all settings: flags win over IMGTOOL_* over the nearest `.imgtoolrc` over the user's own file over defaults.
 * `--config FILE` replaces both files, `--no-config` leaves out both. Errors: `usage` for a wrong flag, else `config`.
 */
export async function loadConfig({
  flags,
  cwd,
  env = process.env,
  home = homedir(),
}: {
  flags: Flags;
  /** Absolute path of the working folder. */
  cwd: string;
  env?: NodeJS.ProcessEnv;
  home?: string;
}): Promise<Config> {
  const surroundings = { env, home, platform: process.platform };
  const files = await readFiles(flags.config, cwd, surroundings);
  const settings = readSettings([flagLayer(flags, cwd), envLayer(env, cwd), ...files.map(fileLayer)]);
  const { limitPixels, allowSvg, lenient, timeout, ...unlimited } = valuesOf(settings);
  const { settle, scanInterval, existing, poll, mirror, once, ...unwatched } = unlimited;
  const { name: template, variants: _, effort: __, ...values } = unwatched;
  const own = ownPresets(files);
  const presets = allPresets(own);
  const preset = choosePreset(settings, presets);
  checkTemplate(template, settings.name.place);
  checkDistinct(template, preset, settings.name.place);

  const absoluteOf = ({ value, base }: Resolved<string>) => absolute(value, base ?? cwd, home);
  const { out, index } = settings;
  const free = values.memory === null ? memoryHere() : undefined;
  const resolved = {
    out: absoluteOf(out),
    jobs: values.jobs ?? cores(),
    memory: values.memory ?? autoMemory(free),
    index: index.value === null ? defaultIndex(surroundings) : absoluteOf({ ...index, value: index.value }),
  };
  const shown = { ...resolved, memory: showSize(resolved.memory) };
  return frozen<Config>({
    ...values,
    ...resolved,
    memoryCap: values.memory ?? autoMemoryCap(free),
    cwd,
    outGiven: asGiven(out, resolved.out, cwd),
    preset,
    presets,
    template,
    limits: { pixels: limitPixels, allowSvg, lenient, timeout },
    watch: { settle, scanInterval, existing, poll, mirror, once },
    ...environment(env),
    origins: [...listOrigins(settings, shown), ...presetOrigins(own)],
    warnings: unknownVariables(env),
  });
}

/** What the environment says where no config could be loaded. */
export function environment(env: NodeJS.ProcessEnv = process.env): Pick<Config, 'look' | 'debug'> {
  return { look: terminalTraits(env), debug: isDebug(env) };
}

/** The output folder as a person in the working folder would write it. */
function asGiven({ value, base }: Resolved<string>, out: string, cwd: string): string {
  if (value.startsWith('~')) return out;
  if (base === null || base === cwd) return value;
  const below = relative(cwd, out);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? out : below;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** The options of a batch and its jobs. The inputs add the list. */
export function batchOptions(config: Config): Omit<BatchOptions, 'list'> {
  const { preset, out, outGiven, template, duplicates, force, dryRun, limits } = config;
  const { jobs, memory, memoryCap, allFiles, followSymlinks, ignoreCtime, include, exclude } = config;
  const walk = { allFiles, followSymlinks, ignoreCtime, include, exclude };
  const machine = { jobs, memory, memoryCap };
  return { preset, out, outGiven, template, duplicates, force, dryRun, ...machine, limits, walk };
}
