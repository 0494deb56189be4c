import { homedir } from 'node:os';
import { isAbsolute, relative } from 'node:path';
import { allPresets, choosePreset } from './config/choose.ts';
import { readFiles } from './config/files.ts';
import { envLayer, type Flags, type Found, fileLayer, flagLayer, readSettings } from './config/layers.ts';
import { isDebug, type Look, lookOf } from './config/look.ts';
import { autoMemory, autoMemoryCap, cores, memoryHere } from './config/machine.ts';
import { listOrigins, type Origin } from './config/origins.ts';
import { absolute, defaultIndex } from './config/places.ts';
import type { Values } from './config/settings.ts';
import { showSize } from './config/show.ts';
import { checkDistinct, checkTemplate } from './config/template.ts';
import type { BatchOptions, Limits, Preset, Warning, WatchOptions } from './model.ts';

export { addSettings, flagsOf, givenLimits } from './config/flags.ts';
export { hintAsFlags, hintAsOptions } from './config/hints.ts';
export { cores, memoryHere } from './config/machine.ts';
export { nearest } from './config/nearest.ts';
export type { Flags, Look, Origin };

type Plain = Pick<
  Values,
  | 'duplicates'
  | 'force'
  | 'dryRun'
  | 'allFiles'
  | 'followSymlinks'
  | 'ignoreCtime'
  | 'include'
  | 'exclude'
  | 'json'
  | 'quiet'
  | 'verbose'
  | 'progress'
  | 'color'
>;

/** Everything the program was told, checked and complete, frozen to its depths. */
export interface Config extends Plain {
  /** Absolute path. */
  readonly cwd: string;
  /** Absolute path, and as a person in the working folder would write it. */
  readonly out: string;
  readonly outGiven: string;
  /** The preset to use, with the variants added to it; and all there are, built-in ones first. */
  readonly preset: Preset;
  readonly presets: readonly Preset[];
  /** Template of output names. */
  readonly template: string;
  /** Images at a time. */
  readonly jobs: number;
  /** Bytes that pictures in work may take together. */
  readonly memory: number;
  /** Bytes that one picture may take: `memory` where that was given, else more. */
  readonly memoryCap: number;
  readonly limits: Limits;
  readonly watch: WatchOptions;
  /** Absolute path. */
  readonly index: string;
  readonly look: Look;
  /** Errors show their stacks. */
  readonly debug: boolean;
  /** Each setting and preset of the user's, as a person would write it, and where it came from. */
  readonly origins: readonly Origin[];
  /** What is probably a mistake and stops nothing. */
  readonly warnings: readonly Warning[];
}

/**
 * The settings in force: flags over IMGTOOL_* over the nearest `.imgtoolrc` over the user's own file over defaults.
 * `--config FILE` stands for both files, `--no-config` for none. Errors: `usage` for a wrong flag, `config` else.
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
  const find = await readSettings([flagLayer(flags, cwd), envLayer(env, cwd), ...files.map(fileLayer)]);
  const own = files.length === 0 ? [] : (await import('./config/own.ts')).ownPresets(files);
  const presets = allPresets(own.map(({ preset }) => preset));
  const preset = choosePreset(
    { name: find('preset'), variants: find('variants'), effort: find('effort') },
    presets,
  );

  const name = find('name');
  checkTemplate(name.value, name.place);
  checkDistinct(name.value, preset, name.place);

  const out = absolute(find('out').value, find('out').base ?? cwd, home);
  const index = find('index');
  const memory = find('memory').value;
  const free = memory === null ? memoryHere() : undefined;
  const resolved = {
    out,
    jobs: find('jobs').value ?? cores(),
    memory: memory ?? autoMemory(free),
    index: index.value === null ? defaultIndex(surroundings) : absolute(index.value, index.base ?? cwd, home),
  };
  const shown = { ...resolved, memory: showSize(resolved.memory) };
  return frozen<Config>({
    ...resolved,
    memoryCap: memory ?? autoMemoryCap(free),
    cwd,
    outGiven: asGiven(find('out'), out, cwd),
    preset,
    presets,
    template: name.value,
    duplicates: find('duplicates').value,
    force: find('force').value,
    dryRun: find('dryRun').value,
    limits: {
      pixels: find('limitPixels').value,
      allowSvg: find('allowSvg').value,
      lenient: find('lenient').value,
      timeout: find('timeout').value,
    },
    watch: {
      settle: find('settle').value,
      scanInterval: find('scanInterval').value,
      existing: find('existing').value,
      poll: find('poll').value,
      mirror: find('mirror').value,
      once: find('once').value,
    },
    allFiles: find('allFiles').value,
    followSymlinks: find('followSymlinks').value,
    ignoreCtime: find('ignoreCtime').value,
    include: find('include').value,
    exclude: find('exclude').value,
    json: find('json').value,
    quiet: find('quiet').value,
    verbose: find('verbose').value,
    progress: find('progress').value,
    color: find('color').value,
    look: lookOf(env),
    debug: isDebug(env),
    origins: listOrigins(find, shown, own),
    warnings: await strangeVariables(env),
  });
}

async function strangeVariables(env: NodeJS.ProcessEnv): Promise<readonly Warning[]> {
  if (!Object.keys(env).some((name) => name.startsWith('IMGTOOL_'))) return [];
  return (await import('./config/unknown-keys.ts')).strangeVariables(env);
}

/** What the environment says before, or although, no config could be loaded. */
export function environment(env: NodeJS.ProcessEnv = process.env): Pick<Config, 'look' | 'debug'> {
  return { look: lookOf(env), debug: isDebug(env) };
}

/** The output folder in words that mean the same in the working folder. */
function asGiven({ value, base }: Found<string>, out: string, cwd: string): string {
  if (value.startsWith('~')) return out;
  if (base === null || base === cwd) return value;
  const below = relative(cwd, out);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? out : below;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** What a batch and its jobs need to know, but for what its inputs add. */
export function batchOptions(config: Config): Omit<BatchOptions, 'list'> {
  const { preset, out, outGiven, template, duplicates, force, dryRun, limits } = config;
  const { jobs, memory, memoryCap, allFiles, followSymlinks, ignoreCtime, include, exclude } = config;
  const walk = { allFiles, followSymlinks, ignoreCtime, include, exclude };
  const machine = { jobs, memory, memoryCap };
  return { preset, out, outGiven, template, duplicates, force, dryRun, ...machine, limits, walk };
}
