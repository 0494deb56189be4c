import { process as processBatch } from '../commands/process.ts';
import { type Config, flagsOf, givenLimits } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import {
  type Attended,
  backUpIndex,
  openAgain,
  openBatch,
  openIndex,
  openRenderer,
  openReport,
  openVerify,
  repairIndex,
} from '../open.ts';
import type { Inputs } from '../ports.ts';
import { exitWith, hearSignals, stopped, streams } from './ending.ts';
import { configOf, type Options, openFor } from './given.ts';
import { growHeapOnce, keepHeap } from './heap.ts';

/** What each command does: settings read, ports opened and let go of, the exit code set. */

// As this is loaded, which is before anything else is done; commands that only look have no use for it.
growHeapOnce();

export async function runProcess(paths: string[], options: Options): Promise<void> {
  const config = await configOf(options);
  await runBatch('process', config, inputsOf(paths, options, config), processBatch);
}

export async function runWatch(paths: string[], options: Options): Promise<void> {
  const config = await configOf(options);
  const { watch, foldersOf } = await import('../commands/watch.ts');
  await runBatch('watch', config, foldersOf(paths, config), (ports, work, emit, signal) =>
    watch(ports, work, config.watch, emit, signal, config.verbose),
  );
}

async function runBatch(
  command: 'process' | 'watch',
  config: Config,
  inputs: Inputs,
  run: typeof processBatch,
): Promise<void> {
  const { ports, work, close } = await openBatch(config, inputs, command);
  const report = await openReport(config, streams, command, inputs.paths);
  await attend({ ports, report, close, warnings: config.warnings }, (emit) =>
    run(ports, work, emit, stopped, config.verbose),
  );
}

export async function runAgain(how: 'resume' | 'retry', id: string, options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { inputsAgain, resume, workLeft } = await import('../commands/resume.ts');
  const index = await openIndex(config);
  try {
    const { batch, work } = await workLeft(index, id, how, config, flagsOf(options));
    if (work === undefined) return pages.nothingLeft(batch, how);
    const { inputs, warnings } = inputsAgain(batch);
    const opened = await openAgain(config, inputs, work.options, index);
    const report = await openReport({ ...config, outGiven: batch.options.outGiven }, streams, how);
    await attend({ ...opened, report, warnings: [...config.warnings, ...warnings] }, (emit) =>
      resume(opened.ports, work, config.cwd, emit, stopped, config.verbose),
    );
  } finally {
    await index.close();
  }
}

/** Runs what works on a batch and heeds signals meanwhile. */
async function attend(
  { ports, report, close, warnings }: Attended,
  run: (emit: Attended['report']['event']) => Promise<number>,
): Promise<void> {
  hearSignals(() => ports.renderer.kill());
  keepHeap();
  try {
    for (const warning of warnings) report.event(warning);
    exitWith(await run((event) => report.event(event)));
  } finally {
    report.close();
    await close();
  }
}

export async function runCancel(id: string, options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { cancel } = await import('../commands/cancel.ts');
  const index = await openIndex(config);
  try {
    const { batch, was } = await cancel(index, id);
    await pages.cancelled(batch, was);
  } finally {
    await index.close();
  }
}

export async function runVerify(id: string | undefined, options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { verify } = await import('../commands/verify.ts');
  // Before it takes the cursor away.
  let force = () => {};
  hearSignals(() => force());
  const fix = options.fix === true;
  const opened = await openVerify(config, givenLimits(config, flagsOf(options)), streams, fix);
  force = () => opened.renderer.kill();
  try {
    const { verified, exit } = await verify(opened, id, { fix }, stopped);
    await pages.verified(verified);
    exitWith(exit);
  } finally {
    await opened.close();
  }
}

export async function runPresets(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { presets } = await import('../commands/presets.ts');
  await pages.presets(presets(config));
}

export async function runDoctor(options: Options): Promise<void> {
  if (options.repair === true || options.backup !== undefined) return runMending(options);
  const { config, pages } = await openFor(options);
  const { doctor } = await import('../commands/doctor.ts');
  const checks = await doctor(
    config,
    () => openIndex(config, 'look'),
    () => openRenderer(config),
  );
  await pages.checks(checks);
  exitWith(checks.some(({ state }) => state === 'problem') ? 1 : 0);
}

async function runMending(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  const { mend } = await import('../commands/doctor.ts');
  const wanted = { repair: options.repair === true, backup: options.backup as string | undefined };
  // A copy that is cut short is removed.
  if (wanted.backup !== undefined) hearSignals();
  await mend(
    wanted,
    () => repairIndex(config),
    (file) => backUpIndex(config, file, stopped),
    pages,
  );
}

export async function runConfig(options: Options): Promise<void> {
  const { config, pages } = await openFor(options);
  await pages.config(config.origins);
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
