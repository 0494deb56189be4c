import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addSettings, type Config, environment, flagsOf, loadConfig } from './config.ts';
import { asImgtoolError, ImgtoolError, systemCode } from './errors.ts';
import type { Inputs } from './ports.ts';

/** A second Ctrl-C sooner than this is the same one, delivered twice by `npm start`; milliseconds. */
const SAME_SIGNAL = 300;
/** How long the ends of a forced stop may take before the process goes all the same; milliseconds. */
const FORCED_END = 700;
/** Exit code when nobody reads the output any more: 128 + SIGPIPE. */
const CLOSED = 141;
/** Exit code when the output has no place any more. */
const UNWRITABLE = 3;

/** The settings that a command over pictures has. */
const BATCH = ['inputs', 'lists', 'outputs', 'limits', 'display', 'settings'] as const;
const WATCH = ['watch', 'inputs', 'outputs', 'limits', 'display', 'settings'] as const;

const streams = { stdout: process.stdout, stderr: process.stderr };

/** Ends with the command: the first signal stops a batch in order, the second at once. */
const stop = new AbortController();
let force = () => {};
let signalled: NodeJS.Signals | undefined;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    const code = systemCode(error);
    if (code !== 'EPIPE' && stream === process.stdout) {
      process.stderr.write(`error: standard output cannot be written (${code ?? error.message})\n`);
    }
    process.exitCode = code === 'EPIPE' ? CLOSED : UNWRITABLE;
    stop.abort();
  });
}
await main();

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const failure = error instanceof CommanderError ? usageError(error) : asImgtoolError(error);
    const { showError } = await import('./open.ts');
    const { look, debug } = environment();
    await showError(failure, process.stderr, look, debug);
    exitWith(failure.exitCode);
  }
  if (signalled !== undefined) endBy(signalled);
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
  addSettings(root.command('presets'), ['display', 'settings'])
    .description('the presets and their variants, your own included')
    .action(runPresets);
  addSettings(root.command('doctor'), ['display', 'settings'])
    .description('what this machine can do and what is wrong with it')
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

type Options = Record<string, unknown>;

async function runProcess(paths: string[], options: Options): Promise<void> {
  const config = await configOf(options);
  const { process: run } = await import('./commands/process.ts');
  await runBatch('process', config, inputsOf(paths, options, config), run);
}

async function runWatch(paths: string[], options: Options): Promise<void> {
  const config = await configOf(options);
  const { watch, foldersOf } = await import('./commands/watch.ts');
  await runBatch('watch', config, foldersOf(paths, config), (ports, work, emit, signal) =>
    watch(ports, work, config.watch, emit, signal),
  );
}

/** Runs a command that works on a batch, with everything it needs, and heeds signals meanwhile. */
async function runBatch(
  command: 'process' | 'watch',
  config: Config,
  inputs: Inputs,
  run: typeof import('./commands/process.ts').process,
): Promise<void> {
  const { openBatch, openReport } = await import('./open.ts');
  const { ports, work, close } = await openBatch(config, inputs, command);
  const report = await openReport(config, streams, command, inputs.paths);
  hearSignals();
  force = () => ports.renderer.kill();
  try {
    for (const warning of config.warnings) report.event(warning);
    exitWith(await run(ports, work, (event) => report.event(event), stop.signal));
  } finally {
    report.close();
    await close();
  }
}

async function runStatus(id: string, options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { openIndex } = await import('./open.ts');
  const { status } = await import('./commands/status.ts');
  const index = await openIndex(config);
  try {
    const all = options.all === true;
    const watch = options.watch === true;
    await status(index, id, { all, watch }, (batch, jobs) => pages.status(batch, jobs, all));
  } finally {
    await index.close();
  }
}

async function runList(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { openIndex } = await import('./open.ts');
  const { list } = await import('./commands/list.ts');
  const index = await openIndex(config);
  try {
    await list(index, String(options.limit), pages.list);
  } finally {
    await index.close();
  }
}

async function runPresets(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { presets } = await import('./commands/presets.ts');
  pages.presets(presets(config));
}

async function runDoctor(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { openIndex, openRenderer } = await import('./open.ts');
  const { doctor } = await import('./commands/doctor.ts');
  const checks = await doctor(
    config,
    () => openIndex(config),
    () => openRenderer(config),
  );
  pages.checks(checks);
  exitWith(checks.some(({ state }) => state === 'problem') ? 1 : 0);
}

async function runConfig(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  pages.config(config.origins);
}

async function openFor(options: Options) {
  const config = await configOf(options);
  const { openPages } = await import('./open.ts');
  return { config, pages: await openPages(config, streams) };
}

function configOf(options: Options): Promise<Config> {
  return loadConfig({ flags: flagsOf(options), cwd: process.cwd() });
}

function inputsOf(paths: string[], options: Options, { cwd }: Config): Inputs {
  const from = options.filesFrom;
  if (paths.length === 0 && typeof from !== 'string') {
    throw new ImgtoolError('usage', 'nothing to process: no file or folder was named', {
      fix: 'imgtool process <path…>, or --files-from FILE',
    });
  }
  return { paths, list: typeof from === 'string' ? { from, nul: options.nul === true } : null, cwd };
}

function hearSignals(): void {
  let since = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signalled === undefined) {
        signalled = signal;
        since = performance.now();
        stop.abort();
      } else if (performance.now() - since >= SAME_SIGNAL) {
        force();
        setTimeout(() => endBy(signalled ?? signal), FORCED_END).unref();
      }
    });
  }
}

/** Ends as a program without a handler would, so that a shell's loop stops too. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** An output that nobody gets is the last word on the exit code. */
function exitWith(code: number): void {
  const isLost = process.exitCode === CLOSED || process.exitCode === UNWRITABLE;
  process.exitCode = isLost ? process.exitCode : code;
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
