import { existsSync } from 'node:fs';
import type { Command, CommanderError } from 'commander';
import { allAdvice, hintAsFlags, longFlag, nearest } from '../config.ts';
import { ImgtoolError, shellWord } from '../errors.ts';

/** What other programs call a command. */
const ELSEWHERE: readonly (readonly [verb: string, words: string])[] = [
  ['process', 'build convert generate resize run'],
  ['list', 'history ls'],
  ['status', 'show'],
  ['cancel', 'abort kill stop'],
  ['resume', 'continue'],
  ['verify', 'check'],
  ['config', 'settings'],
  ['--version', 'version'],
];

/** The error for a word that is no command, with the command that it most likely means. */
export function unknownCommand(word: string, names: readonly string[]): ImgtoolError {
  const [same] = ELSEWHERE.find(([, words]) => words.split(' ').includes(word)) ?? [];
  const known = same ?? nearest(word, names);
  const near = known === undefined ? 'imgtool --help' : `did you mean ${known}?`;
  const fix = existsSync(word) ? `imgtool process ${shellWord(word)}` : near;
  return new ImgtoolError('usage', `unknown command '${word}'`, { fix });
}

/** An error of commander in imgtool's own wording. `all` defines the commands that `root` may lack. */
export function usageError(
  { message, code }: CommanderError,
  argv: readonly string[],
  root: Command,
  all: () => Command,
): ImgtoolError {
  if (code === 'commander.help')
    return new ImgtoolError('usage', 'no command was given', { fix: 'imgtool --help' });
  const command = root.commands.find((one) => one.name() === argv[2]) ?? root;
  const what = message.replace(/^error: /, '');
  const [, rejected] = /^unknown option '(.*)'$/s.exec(what) ?? [];
  if (rejected === undefined) return new ImgtoolError('usage', what, { fix: helpOf(command) });
  // Commander reads `-quality` as `-q` and the rest.
  const isRest = (one: string) => /^-\w/.test(one) && one.endsWith(rejected.slice(1));
  const written = argv.includes(rejected) ? rejected : (argv.find(isRest) ?? rejected);
  const fix = optionFor(written, command, all()) ?? helpOf(command);
  return new ImgtoolError('usage', `unknown option '${written}'`, { fix });
}

/**
 * What other programs call an option of this command, then an option that takes no such value, then an option of another
 * command, then a mistyped one.
 */
function optionFor(written: string, command: Command, { commands }: Command): string | undefined {
  const flag = written.replace(/=.*$/s, '');
  const word = flag.replace(/^-+/, '');
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const advice = allAdvice().filter(({ key }) => flags.includes(longFlag(key)));
  const adviceOn = (wanted: string | undefined) => advice.find((one) => one.word === wanted)?.text;
  const names = commands
    .filter(({ options }) => options.some(({ long, short }) => long === flag || short === flag))
    .map((one) => `imgtool ${one.name()}`)
    // This command has every setting, to show its value.
    .filter((name) => name !== 'imgtool config');
  const exact = adviceOn(word);
  if (exact !== undefined) return hintAsFlags(exact);
  if (flags.includes(flag)) return `write ${formsOf(flag, flags).join(' or ')}`;
  if (names.length > 0 && command.parent === null) return `write it after the command: ${names[0]} ${flag}`;
  if (names.length > 0) return `${flag} belongs to ${names.join(', ')}`;
  // A word of another program is short and close to words of other meanings: `trim` and `strip`.
  const mistyped = advice.map((one) => one.word).filter((one) => nearest(word, [one], 1));
  const near = nearest(word, [...flags.map((one) => one.slice(2)), ...mistyped]);
  return near && hintAsFlags(adviceOn(near) ?? `did you mean --${near}?`);
}

/** All ways to write an option that takes no value: `--mirror` and `--mirror=all`. */
function formsOf(flag: string, flags: readonly string[]): string[] {
  const others = flags.filter((one) => one.startsWith(`${flag}=`));
  return others.length === 0 ? [`${flag} without a value`] : [flag, ...others];
}

function helpOf(command: Command): string {
  return command.parent === null ? 'imgtool --help' : `imgtool ${command.name()} --help`;
}
