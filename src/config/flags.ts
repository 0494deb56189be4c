import type { Command, Option } from 'commander';
import type { Limits } from '../model.ts';
import type { Flags } from './layers.ts';
import type { Group, Key } from './settings.ts';
import { GROUPS, isRepeatable, KEYS, longFlag, SETTINGS, showValue } from './settings.ts';

/** Flags that are no settings of their own: they have neither an environment variable nor a key in a file. */
const NO_SETTINGS: readonly { flag: string; group: Group; about: string }[] = [
  { flag: '--files-from <file>', group: 'lists', about: 'read paths from a file, - for standard input' },
  { flag: '-0, --nul', group: 'lists', about: 'paths of --files-from end by NUL, not by newline' },
  {
    flag: '--mirror=all',
    group: 'outputs',
    about: 'like --mirror, also when most sources are gone or their folders are empty',
  },
  { flag: '--config <file>', group: 'settings', about: 'read this file of settings instead of those found' },
  { flag: '--no-config', group: 'settings', about: 'read no file of settings' },
];

/**
 * Adds the flags of these groups to a command, or of all groups by default. Every command accepts the flags of the
 * group `work`, but the help shows them only for commands that process images.
 */
export function addSettings(command: Command, groups?: readonly Group[]): Command {
  const wanted: readonly string[] = groups ?? Object.keys(GROUPS);
  for (const key of KEYS) {
    const { group } = SETTINGS[key];
    if (wanted.includes(group)) addSetting(command, key);
    else if (group === 'work') for (const option of addSetting(command, key)) option.hideHelp();
  }
  for (const { flag, group, about } of NO_SETTINGS) {
    if (wanted.includes(group)) command.addOption(command.createOption(flag, about).helpGroup(GROUPS[group]));
  }
  return command;
}

function addSetting(command: Command, key: Key): Option[] {
  const { flag, group, initial, about } = SETTINGS[key];
  const hasDefault = typeof initial !== 'boolean' && !(Array.isArray(initial) && initial.length === 0);
  const help = hasDefault ? `${about} (default: ${showValue(key)})` : about;
  const option = command.createOption(flag, help).helpGroup(GROUPS[group]);
  if (isRepeatable(key)) option.argParser((value, before: readonly string[] = []) => [...before, value]);
  // The last flag would win without a word. The setting refuses a list, and says what to do.
  if (key === 'preset') option.argParser(bothPresets);
  command.addOption(option);
  if (!option.isBoolean()) return [option];
  // A flag can turn off what a file turns on. Help shows the form that changes the default.
  const off = command.createOption(`--no-${longFlag(key).slice(2)}`, help).helpGroup(GROUPS[group]);
  command.addOption(off);
  (initial === true ? option : off).hideHelp();
  return [option, off];
}

function bothPresets(value: string, before: string | undefined): string {
  return before === undefined || before === value ? value : `${before}, ${value}`;
}

/** Returns the settings among a command's parsed options, by key. The command's own options are left out. */
export function flagsOf(options: Readonly<Record<string, unknown>>): Flags {
  const given = KEYS.map((key) => [key, options[camelCase(longFlag(key).slice(2))]] as const);
  const flags: Flags = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const { config } = options;
  const more = options['mirror=all'] === true ? { ...flags, mirror: 'all' } : flags;
  return typeof config === 'string' || config === false ? { ...more, config } : more;
}

function camelCase(words: string): string {
  return words.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns the limits given on the command line. They replace the limits of a batch that is resumed or retried. */
export function givenLimits({ limits }: { readonly limits: Limits }, flags: Flags): Partial<Limits> {
  return {
    ...(flags.limitPixels === undefined ? {} : { pixels: limits.pixels }),
    ...(flags.allowSvg === undefined ? {} : { allowSvg: limits.allowSvg }),
    ...(flags.lenient === undefined ? {} : { lenient: limits.lenient }),
    ...(flags.timeout === undefined ? {} : { timeout: limits.timeout }),
  };
}
