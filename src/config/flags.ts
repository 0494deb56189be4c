import type { Command, Option } from 'commander';
import type { Limits } from '../model.ts';
import type { Flags } from './layers.ts';
import { GROUPS, type Group, isRepeatable, KEYS, type Key, longFlag, SETTINGS } from './settings.ts';

/** Flags that have neither an environment variable nor a key in a file. */
const NO_SETTINGS: readonly { flag: string; group: Group; about: string }[] = [
  { flag: '--files-from <file>', group: 'lists', about: 'read paths from a file, - for standard input' },
  { flag: '-0, --nul', group: 'lists', about: 'paths of --files-from end by NUL, not by newline' },
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
  const { flag, group, initial } = SETTINGS[key];
  const option = command.createOption(flag, help(key)).helpGroup(GROUPS[group]);
  if (isRepeatable(key)) collect(option);
  command.addOption(option);
  if (!option.isBoolean()) return [option];
  // A flag can turn off what a file turns on. Help shows the form that changes the default.
  const off = command.createOption(`--no-${longFlag(key).slice(2)}`, help(key)).helpGroup(GROUPS[group]);
  command.addOption(off);
  (initial === true ? option : off).hideHelp();
  return [option, off];
}

function help(key: Key): string {
  const shown = shownDefault(key);
  return shown === '' ? SETTINGS[key].about : `${SETTINGS[key].about} (default: ${shown})`;
}

function shownDefault<K extends Key>(key: K): string {
  const { initial, show = String } = SETTINGS[key];
  if (typeof initial === 'boolean' || isRepeatable(key)) return '';
  return show(initial);
}

function collect(option: Option): void {
  option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
}

/** Returns the settings among a command's parsed options, by key. The command's own options are left out. */
export function flagsOf(options: Readonly<Record<string, unknown>>): Flags {
  const flags: Partial<Record<Key, unknown>> = {};
  for (const key of KEYS) {
    const value = options[camelCase(longFlag(key).slice(2))];
    if (value !== undefined) flags[key] = value;
  }
  const config = options.config;
  return typeof config === 'string' || config === false ? { ...flags, config } : flags;
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

function camelCase(words: string): string {
  return words.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
