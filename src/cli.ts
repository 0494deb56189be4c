import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { endAsTold, exitWith, hearStreams, streams } from './cli/ending.ts';
import {
  type Options,
  runAgain,
  runCancel,
  runConfig,
  runDoctor,
  runList,
  runPresets,
  runProcess,
  runStatus,
  runVerify,
  runWatch,
} from './cli/runs.ts';
import { addSettings, environment } from './config.ts';
import { asImgtoolError, ImgtoolError } from './errors.ts';

/** The settings that a command over pictures has. */
const BATCH = ['inputs', 'lists', 'outputs', 'limits', 'display', 'settings'] as const;
const WATCH = ['watch', 'inputs', 'outputs', 'limits', 'display', 'settings'] as const;

hearStreams();
await main();

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const failure = error instanceof CommanderError ? usageError(error) : asImgtoolError(error);
    const { showError } = await import('./open.ts');
    const { look, debug } = environment();
    await showError(failure, streams.stderr, look, debug);
    exitWith(failure.exitCode);
  }
  endAsTold();
}

function program(): Command {
  const root = new Command('imgtool')
    .description('Turns folders of pictures into named variants, once, safely.')
    .version(version(), '-V, --version')
    .configureOutput({ outputError: () => {} })
    .showHelpAfterError(false)
    .exitOverride()
    .enablePositionalOptions();
  addSettings(root.command('process'), BATCH)
    .summary('turn files and folders into variants')
    .description('One batch over files and folders (folders recursively; quoted globs work too).')
    .argument('[path...]', 'files, folders or quoted globs')
    .action(runProcess);
  addSettings(root.command('watch'), WATCH)
    .summary('turn what lands in folders into variants, until stopped')
    .description('What is in the folders now, then whatever lands in them, until Ctrl-C.')
    .argument('[dir...]', 'folders')
    .action(runWatch);
  addSettings(root.command('status'), ['display', 'settings'])
    .description('what became of one batch')
    .argument('<batch-id>', 'any unique beginning of its id')
    .option('--all', 'every job, not only the failed ones')
    .option('--watch', 'show it until the batch has ended')
    .action(runStatus);
  addSettings(root.command('list'), ['display', 'settings'])
    .description('recent batches, newest first')
    .option('--limit <n>', 'how many', '20')
    .action(runList);
  addSettings(root.command('cancel'), ['display', 'settings'])
    .summary('stop a running batch, from any terminal')
    .description(
      'Stops a batch in order: pictures in work finish, the rest is cancelled. Returns once it has ended.',
    )
    .argument('<batch-id>', 'any unique beginning of its id')
    .action(runCancel);
  addSettings(root.command('resume'), ['limits', 'display', 'settings'])
    .summary('go on with a batch that was interrupted or cancelled')
    .description(
      'Goes on with a batch that was interrupted or cancelled, with the settings it was begun with.',
    )
    .argument('<batch-id>', 'any unique beginning of its id')
    .action((id: string, options: Options) => runAgain('resume', id, options));
  addSettings(root.command('retry'), ['limits', 'display', 'settings'])
    .summary('work on the failed pictures of a batch again')
    .description(
      'Works on the failed pictures of a batch again, and on what was left of one that was interrupted; limits that are' +
        ' given take the place of its own.',
    )
    .argument('<batch-id>', 'any unique beginning of its id')
    .action((id: string, options: Options) => runAgain('retry', id, options));
  addSettings(root.command('verify'), ['limits', 'display', 'settings'])
    .summary('whether outputs are there, whole, as recorded and without metadata')
    .description(
      'Reads and decodes every output, or those of one batch; exits 1 when one is missing, was altered or edited,' +
        ' cannot be decoded or carries metadata. What --fix replaces cannot be had back.',
    )
    .argument('[batch-id]', 'any unique beginning of its id; all outputs unless given')
    .option('--fix', 'make those that are not in order again, edited ones too')
    .action(runVerify);
  addSettings(root.command('presets'), ['display', 'settings'])
    .description('the presets and their variants, your own included')
    .action(runPresets);
  addSettings(root.command('doctor'), ['display', 'settings'])
    .description('what this machine can do and what is wrong with it')
    .option('--repair', 'put a new index with all that can be saved in place of a damaged one')
    .option('--backup <file>', 'save a copy of the index, also while batches run')
    .action(runDoctor);
  addSettings(root.command('config')).description('each setting and where it came from').action(runConfig);
  // It is refused in so many words, should a file or variable ask for it.
  const dryRun = root.commands
    .find((one) => one.name() === 'watch')
    ?.options.find(({ long }) => long === '--dry-run');
  dryRun?.hideHelp();
  for (const command of root.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  return root;
}

/** What commander found wrong, in the words of every other error here. */
function usageError({ message, code }: CommanderError): ImgtoolError {
  if (code === 'commander.help')
    return new ImgtoolError('usage', 'no command was given', { fix: 'imgtool --help' });
  const [, what = message, meant] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(message) ?? [];
  return new ImgtoolError('usage', what, { fix: meant === undefined ? helpFor() : `did you mean ${meant}?` });
}

function helpFor(): string {
  const command = program().commands.find((one) => one.name() === process.argv[2]);
  return command === undefined ? 'imgtool --help' : `imgtool ${command.name()} --help`;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
