import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import {
  allPresets,
  choosePreset,
  isCustom,
  ownPresets,
  presetOrigins,
  withNearestChoice,
} from './config/choose.ts';
import { environment, type TerminalTraits } from './config/environment.ts';
import { readFiles } from './config/files.ts';
import type { Flags, Origin, Resolved } from './config/layers.ts';
import { listOrigins, readSettings, unknownVariables, valuesOf } from './config/layers.ts';
import { autoMemory, cores } from './config/machine.ts';
import { absolute, defaultIndex, hasNothing, homeFolder } from './config/places.ts';
import type { Values } from './config/settings.ts';
import { checkNames, checkTemplate } from './config/template.ts';
import { ImgtoolError, orUndefined } from './errors.ts';
import type { BatchOptions, Limits, Preset, Warning, WatchOptions } from './model.ts';

export { checkCall } from './config/arguments.ts';
export { environment, isProgram } from './config/environment.ts';
export { addSettings, flagsOf, givenLimits } from './config/flags.ts';
export { allAdvice, hintAsFlags, hintAsOptions, nearPath } from './config/hints.ts';
export { cores, memoryHere } from './config/machine.ts';
export { hostAndPort, isLoopback } from './config/network.ts';
export { workingFolder } from './config/places.ts';
export { lifetimeType } from './config/quantities.ts';
export { readSecrets, warnIfOpen } from './config/secrets.ts';
export { wantsJson } from './config/wants-json.ts';
export { nearest } from './variants/place.ts';
export type { Flags, Origin, TerminalTraits };

/** Settings that Config has under other names or with other types. */
type Changed = keyof Limits | 'limitPixels' | keyof WatchOptions | 'name' | 'variants' | 'effort' | 'storage';

type BatchConfig = Omit<BatchOptions, 'list' | 'walk'>;

/** All settings, checked and complete; deeply frozen. The preset has the added variants. */
export interface Config extends BatchConfig, Omit<Values, Changed | keyof BatchConfig | 'index'> {
  /** Absolute path. */
  readonly cwd: string;
  /** All presets, built-in ones first. */
  readonly presets: readonly Preset[];
  readonly watch: WatchOptions;
  /** Absolute path. */
  readonly index: string;
  /** Whether it has its default path. */
  readonly isUsualIndex: boolean;
  /** Absolute path of the folder of the service. */
  readonly storage: string;
  /** The index, if it is not the usual one and is not there yet. */
  readonly newIndex: string | undefined;
  readonly look: TerminalTraits;
  /** Errors show their stacks. */
  readonly debug: boolean;
  /** Each setting, and each preset of the user, with its origin. */
  readonly origins: readonly Origin[];
  /** Likely mistakes that do not stop a command. */
  readonly warnings: readonly Warning[];
}

interface Given {
  readonly flags: Flags;
  /** Absolute path of the working folder. */
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly home?: string;
}

/**
 * Resolves all settings: flags win over IMGTOOL_* over the nearest `.imgtoolrc` over the user's own file over defaults.
 * `--config FILE` replaces both files, `--no-config` leaves out both. Errors: `usage` for a wrong flag, else `config`.
 */
export async function loadConfig(given: Given): Promise<Config> {
  const { flags, cwd, env = process.env, home = homeFolder() } = given;
  const surroundings = { env, home, platform: process.platform };
  const files = await readFiles(flags.config, cwd, surroundings);
  const settings = withNearestChoice(readSettings({ flags, env, cwd, files }));
  const { limitPixels, allowSvg, lenient, timeout, ...unlimited } = valuesOf(settings);
  const { settle, scanInterval, existing, poll, once, ...unwatched } = unlimited;
  const { name: template, variants: _, effort: __, ...values } = unwatched;
  const own = ownPresets(files);
  const presets = allPresets(own);
  const preset = choosePreset(settings, presets);
  checkTemplate(template, settings.name.place);
  checkNames(template, preset, settings.name.place);

  const absoluteOf = ({ value, base }: Resolved<string>) => absolute(value, base ?? cwd, home);
  const pathOf = (setting: Resolved<string | null>) =>
    setting.value === null ? null : absoluteOf({ ...setting, value: setting.value });
  const { out } = settings;
  const index = pathOf(settings.index) ?? defaultIndex(surroundings);
  const { memory, memoryCap } =
    values.memory === null ? autoMemory() : { memory: values.memory, memoryCap: values.memory };
  const resolved = {
    out: absoluteOf(out),
    base: pathOf(settings.base),
    jobs: values.jobs ?? cores(),
    memory,
    index,
    storage: pathOf(settings.storage) ?? join(dirname(index), 'storage'),
    jwtSecretFile: pathOf(settings.jwtSecretFile),
  };
  const noPreset = { key: 'preset', value: null, text: 'none', origin: settings.variants.origin };
  const origins = listOrigins(settings, resolved).map((one) =>
    one.key === 'preset' && isCustom(settings) ? noPreset : one,
  );
  const usual = orUndefined(() => defaultIndex(surroundings));
  const isUsualIndex = index === usual;
  const isNewIndex = !isUsualIndex && hasNothing(index);
  return frozen<Config>({
    ...values,
    ...resolved,
    isUsualIndex,
    newIndex: isNewIndex ? index : undefined,
    memoryCap,
    cwd,
    outGiven: asGiven(out, resolved.out, cwd),
    preset,
    presets,
    template,
    limits: { pixels: limitPixels, allowSvg, lenient, timeout },
    watch: { settle, scanInterval, existing, poll, mirror: values.mirror, once },
    ...environment(env),
    origins: [...origins, ...presetOrigins(own)],
    warnings: unknownVariables(env),
  });
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

/** The settings whose globs were given by a flag, for one command alone. */
export function ownGlobs({ origins }: Config): ('include' | 'exclude')[] {
  const isOwn = (setting: string) =>
    origins.some(({ key, origin }) => key === setting && /^flag /.test(origin));
  return (['include', 'exclude'] as const).filter(isOwn);
}

/**
 * The options of a batch and its jobs. The inputs add the list. Errors: `usage` for a relative output folder or index where
 * the working folder was deleted.
 */
export function batchOptions(config: Config): Omit<BatchOptions, 'list'> {
  const {
    cwd,
    preset,
    out,
    outGiven,
    template,
    duplicates,
    force,
    outdated,
    dryRun,
    limits,
    mirror,
    times,
    keepEdited,
  } = config;
  const { jobs, memory, memoryCap, allFiles, followSymlinks, ignoreCtime, include, exclude, base } = config;
  const below = relative(cwd, config.index);
  const isBelow = !isAbsolute(below) && !below.startsWith('..');
  const walk = { allFiles, followSymlinks, ignoreCtime, include, exclude, base };
  const machine = { jobs, memory, memoryCap };
  const lost = isAbsolute(outGiven) ? isBelow && below : outGiven;
  // A new index would make the folder again.
  if (lost && !existsSync(cwd)) {
    throw new ImgtoolError('usage', `${lost}: the working folder of this path was deleted (${cwd})`, {
      fix: 'go to a folder that exists, or write absolute paths, also in {{out}} and {{index}}',
    });
  }
  return {
    preset,
    out,
    outGiven,
    template,
    duplicates,
    force,
    outdated,
    dryRun,
    mirror,
    times,
    keepEdited,
    ...machine,
    limits,
    walk,
  };
}
