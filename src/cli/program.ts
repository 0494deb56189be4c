import { Command, CommanderError, Help } from 'commander';
import { VERBS } from '../commands/index.ts';
import type { Outcome, Verb } from '../commands/verb.ts';
import { addSettings } from '../config.ts';
import type { BatchFinished } from '../model.ts';
import { exitOfBatch, hearSignals, stopped, streams } from './exit.ts';
import { unknownCommand, usageError } from './usage-error.ts';

/** Columns for descriptions below which commander does not wrap them. */
const LEAST_TO_WRAP = 20;

/** Runs the command that the arguments name. Returns `shown` after help. Errors: `usage`, and those of the verb. */
export async function run(argv: readonly string[], version: string): Promise<Outcome | 'shown'> {
  let outcome: Outcome = 'ok';
  const asked = argv[2] ?? '';
  // Commander would show the help for `imgtool proces --help`.
  if (!Object.hasOwn(VERBS, asked) && !/^(-|$)/.test(asked)) throw unknownCommand(asked, Object.keys(VERBS));
  const define = (only: string) =>
    program(version, only, (ended) => {
      outcome = ended;
    });
  const root = define(asked);
  try {
    await root.parseAsync(argv);
    return outcome;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'shown';
    throw usageError(error, argv, root, () => define('help'));
  }
}

/** Defines all verbs, or only the verb that the arguments name: defining the others takes time. */
function program(version: string, asked: string, ended: (outcome: Outcome) => void): Command {
  const root = quiet(new Command('imgtool'))
    .description('Turns folders of images into named variants, once, safely.')
    .version(version, '-V, --version')
    .showHelpAfterError(false)
    .configureHelp({ minWidthToWrap: LEAST_TO_WRAP })
    .showSuggestionAfterError(false)
    .enablePositionalOptions()
    .helpCommand(false);
  const isAlone = Object.hasOwn(VERBS, asked) && asked !== 'help';
  for (const [name, verb] of Object.entries(VERBS)) {
    if (isAlone && name !== asked) continue;
    defineVerb(quiet(root.command(name)), root, verb, ended);
  }
  return root;
}

/** Makes commander throw instead of writing to standard error and ending the process. */
const quiet = (command: Command): Command =>
  command.exitOverride().configureOutput({ outputError: () => {} });

function defineVerb(command: Command, program: Command, verb: Verb, ended: (outcome: Outcome) => void): void {
  addSettings(command, verb.settings).description(verb.description);
  if (verb.summary !== undefined) command.summary(verb.summary);
  if (verb.argument !== undefined) command.argument(...verb.argument);
  for (const [flag, about, initial] of verb.options ?? []) {
    // Commander would show a default text in quotes.
    command.addOption(command.createOption(flag, about).default(initial, initial));
  }
  const optionOf = (flag: string) => command.options.find(({ long }) => long === flag);
  for (const flag of verb.hidden ?? []) optionOf(flag)?.hideHelp();
  for (const [flag, about] of Object.entries(verb.about ?? {})) {
    const option = optionOf(flag);
    if (option !== undefined) option.description = about;
  }
  const examples = ['\nExamples:', ...verb.examples.map((example) => `  ${example}`), ''].join('\n');
  command.configureHelp({
    ...command.configureHelp(),
    formatHelp: (...asked) => new Help().formatHelp(...asked) + examples,
  });
  command.action(async () => {
    const paths = command.processedArgs.flat().filter((path) => path !== undefined);
    const exitOf = (finished: BatchFinished) => exitOfBatch(finished, stopped.reason);
    const options = command.opts();
    ended(await verb.run({ paths, options, streams, program, signal: stopped, hearSignals, exitOf }));
  });
}
