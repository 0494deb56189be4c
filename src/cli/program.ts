import { createRequire } from 'node:module';
import type { Command, CommanderError } from 'commander';
import { addSettings } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import type { Options } from './given.ts';
import { runList, runStatus } from './look.ts';

// By `import` Node would first have to look for the names in it, with a parser that nothing else needs.
const commander: typeof import('commander') = createRequire(import.meta.url)('commander');

/** The settings that a command over pictures has. */
const BATCH = ['inputs', 'lists', 'outputs', 'limits', 'work', 'display', 'settings'] as const;
const WATCH = ['watch', 'inputs', 'outputs', 'limits', 'work', 'display', 'settings'] as const;

/** Carries out what the arguments say: `told` when that was to print help. Errors: `usage`, and the command's own. */
export async function run(argv: readonly string[], version: string): Promise<'done' | 'told'> {
  const root = program(version, argv[2]);
  try {
    await root.parseAsync(argv);
    return 'done';
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error;
    if (error.exitCode === 0) return 'told';
    throw usageError(error, root, argv[2]);
  }
}

const runs = () => import('./runs.ts');

/** Each command as it is told to commander. */
const COMMANDS: Readonly<Record<string, (command: Command) => Command>> = {
  process: (command) =>
    addSettings(command, BATCH)
      .summary('turn files and folders into variants')
      .description('One batch over files and folders (folders recursively; quoted globs work too).')
      .argument('[path...]', 'files, folders or quoted globs')
      .action(async (paths: string[], options: Options) => (await runs()).runProcess(paths, options)),
  watch: (command) =>
    withoutDryRun(addSettings(command, WATCH))
      .summary('turn what lands in folders into variants, until stopped')
      .description('What is in the folders now, then whatever lands in them, until Ctrl-C.')
      .argument('[dir...]', 'folders')
      .action(async (paths: string[], options: Options) => (await runs()).runWatch(paths, options)),
  status: (command) =>
    addSettings(command, ['display', 'settings'])
      .description('what became of one batch')
      .argument('<batch-id>', 'any unique beginning of its id')
      .option('--all', 'every job, not only the failed ones')
      .option('--watch', 'show it until the batch has ended')
      .action((id: string, options: Options) => runStatus(id, options)),
  list: (command) =>
    addSettings(command, ['display', 'settings'])
      .description('recent batches, newest first')
      .option('--limit <n>', 'how many', '20')
      .action((options: Options) => runList(options)),
  cancel: (command) =>
    addSettings(command, ['display', 'settings'])
      .summary('stop a running batch, from any terminal')
      .description(
        'Stops a batch in order: pictures in work finish, the rest is cancelled. Returns once it has ended.',
      )
      .argument('<batch-id>', 'any unique beginning of its id')
      .action(async (id: string, options: Options) => (await runs()).runCancel(id, options)),
  resume: (command) =>
    addSettings(command, ['limits', 'work', 'display', 'settings'])
      .summary('go on with a batch that was interrupted or cancelled')
      .description(
        'Goes on with a batch that was interrupted or cancelled, with the settings it was begun with.',
      )
      .argument('<batch-id>', 'any unique beginning of its id')
      .action(async (id: string, options: Options) => (await runs()).runAgain('resume', id, options)),
  retry: (command) =>
    addSettings(command, ['limits', 'work', 'display', 'settings'])
      .summary('work on the failed pictures of a batch again')
      .description(
        'Works on the failed pictures of a batch again, and on what was left of one that was interrupted; limits that are' +
          ' given take the place of its own.',
      )
      .argument('<batch-id>', 'any unique beginning of its id')
      .action(async (id: string, options: Options) => (await runs()).runAgain('retry', id, options)),
  verify: (command) =>
    addSettings(command, ['limits', 'work', 'display', 'settings'])
      .summary('whether outputs are there, whole, as recorded and without metadata')
      .description(
        'Reads and decodes every output, or those of one batch; exits 1 when one is missing, was altered or edited,' +
          ' cannot be decoded or carries metadata. What --fix replaces cannot be had back.',
      )
      .argument('[batch-id]', 'any unique beginning of its id; all outputs unless given')
      .option('--fix', 'make those that are not in order again, edited ones too')
      .action(async (id: string | undefined, options: Options) => (await runs()).runVerify(id, options)),
  presets: (command) =>
    addSettings(command, ['display', 'settings'])
      .description('the presets and their variants, your own included')
      .action(async (options: Options) => (await runs()).runPresets(options)),
  doctor: (command) =>
    addSettings(command, ['display', 'settings'])
      .description('what this machine can do and what is wrong with it')
      .option('--repair', 'put a new index with all that can be saved in place of a damaged one')
      .option('--backup <file>', 'save a copy of the index, also while batches run')
      .action(async (options: Options) => (await runs()).runDoctor(options)),
  config: (command) =>
    addSettings(command)
      .description('each setting and where it came from')
      .action(async (options: Options) => (await runs()).runConfig(options)),
};

/** It is refused in so many words, should a file or variable ask for it. */
function withoutDryRun(watch: Command): Command {
  watch.options.find(({ long }) => long === '--dry-run')?.hideHelp();
  return watch;
}

/** All commands, or the one that is asked for by its name: of the others nobody will know. */
function program(version: string, asked = ''): Command {
  const root = new commander.Command('imgtool')
    .description('Turns folders of pictures into named variants, once, safely.')
    .version(version, '-V, --version')
    .configureOutput({ outputError: () => {} })
    .showHelpAfterError(false)
    .exitOverride()
    .enablePositionalOptions();
  for (const name of Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS)) {
    const command = COMMANDS[name]?.(root.command(name));
    command?.exitOverride().configureOutput({ outputError: () => {} });
  }
  if (!Object.hasOwn(COMMANDS, asked)) addHelp(root);
  return root;
}

/** Not among the others: it has to know them all. */
function addHelp(root: Command): void {
  root
    .command('help')
    .description('a command or a topic, explained')
    .argument('[topic]', 'a command, or a topic that `imgtool help` lists')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .action(async (topic: string | undefined) => (await import('../commands/help.ts')).help(topic, root));
}

/** What commander found wrong, in the words of every other error here. */
function usageError(
  { message, code }: CommanderError,
  root: Command,
  asked: string | undefined,
): ImgtoolError {
  if (code === 'commander.help')
    return new ImgtoolError('usage', 'no command was given', { fix: 'imgtool --help' });
  const [, what = message, meant] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(message) ?? [];
  // Of the commands `verify` would be the nearest.
  const nearest = asked === 'version' ? '--version' : meant;
  return new ImgtoolError('usage', what, {
    fix: nearest === undefined ? helpFor(root, asked) : `did you mean ${nearest}?`,
  });
}

function helpFor(root: Command, asked: string | undefined): string {
  const command = root.commands.find((one) => one.name() === asked);
  return command === undefined ? 'imgtool --help' : `imgtool ${command.name()} --help`;
}
