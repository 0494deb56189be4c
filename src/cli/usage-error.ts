import { existsSync } from 'node:fs';
import type { Command, CommanderError } from 'commander';
import { allAdvice, hintAsFlags, nearest } from '../config.ts';
import { ImgtoolError, orUndefined, shellWord } from '../errors.ts';

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
  if (rejected !== undefined) return unknownOptions(optionsAmong(rejected, argv, command), command, all());
  // Only a batch must be named: the other arguments have errors of their own.
  if (code === 'commander.missingArgument') {
    const fix = `imgtool ${command.name()} last, or an id from imgtool list`;
    return new ImgtoolError('usage', 'no batch was named', { fix });
  }
  return new ImgtoolError('usage', what, { fix: helpOf(command) });
}

/** The unknown options of a command line, as they were written. Commander names only the first one. */
function optionsAmong(rejected: string, argv: readonly string[], command: Command): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const { unknown = [] } = orUndefined(() => command.parseOptions(argv.slice(3, end))) ?? {};
  const options = unknown.filter((one) => /^-\D/.test(one));
  const found = command.parent === null || options.length === 0 ? [rejected] : options;
  // Commander reads `-quality` as `-q` and the rest.
  const isRestOf = (rest: string) => (one: string) => /^-\w/.test(one) && one.endsWith(rest.slice(1));
  return [...new Set(found.map((one) => (argv.includes(one) ? one : (argv.find(isRestOf(one)) ?? one))))];
}

/** One error for all unknown options, with the fix of each. */
function unknownOptions(written: readonly string[], command: Command, root: Command): ImgtoolError {
  const fixes = new Map<string, string[]>();
  for (const one of written) {
    const fix = fileFix(one) ?? optionFor(one, command, root) ?? helpOf(command);
    fixes.set(fix, [...(fixes.get(fix) ?? []), one]);
  }
  const each = [...fixes].map(([fix, options]) => (fixes.size === 1 ? fix : `${options.join(', ')}: ${fix}`));
  const options = written.map((one) => `'${one}'`).join(', ');
  const what = `unknown option${written.length === 1 ? '' : 's'} ${options}`;
  return new ImgtoolError('usage', what, { fix: each.join('; ') });
}

/** How to name an existing file whose name looks like an option. */
function fileFix(written: string): string | undefined {
  return existsSync(written) ? `write ./${written} for the file of this name, or -- before it` : undefined;
}

/**
 * What other programs call an option of this command, then an option that takes no such value, then an option of another
 * command, then a mistyped one.
 */
function optionFor(written: string, command: Command, { commands }: Command): string | undefined {
  const flag = written.replace(/=.*$/s, '');
  const word = flag.replace(/^-+/, '');
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const advice = allAdvice().filter((one) => flags.includes(one.flag));
  const adviceOn = (wanted: string | undefined) => advice.find((one) => one.word === wanted)?.text;
  const namesWith = (wanted: string) =>
    commands
      .filter(({ options }) => options.some(({ long, short }) => long === wanted || short === wanted))
      .map((one) => `imgtool ${one.name()}`)
      // This command has every setting, to show its value.
      .filter((name) => name !== 'imgtool config');
  const names = namesWith(flag);
  const exact = adviceOn(word);
  if (exact !== undefined) return hintAsFlags(exact);
  if (flags.includes(flag)) return `write ${formsOf(flag, flags).join(' or ')}`;
  if (names.length > 0 && command.parent === null) return `write it after the command: ${names[0]} ${flag}`;
  if (names.length > 0) return `${flag} belongs to ${names.join(', ')}`;
  const other = command.parent && allAdvice().find((one) => one.word === word);
  if (other) {
    const text = hintAsFlags(other.text).replace(`use ${other.flag}`, '');
    return `${text && `${text}; `}${other.flag} belongs to ${namesWith(other.flag).join(', ')}`;
  }
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
