import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, type Flags, givenLimits, nearest } from '../config.ts';
import { findBatch } from '../core/batch/find.ts';
import { profiled } from '../core/batch/means.ts';
import { type OldWork, type Ports, resumeBatch } from '../core/batch/run.ts';
import { batchRunning, ImgtoolError } from '../errors.ts';
import type { Batch, BatchOptions, Event } from '../model.ts';
import type { Index, Inputs } from '../ports.ts';

/** What of a batch is done again: jobs that were not come to, or those that failed. */
export type How = 'resume' | 'retry';

/** `imgtool resume` and `imgtool retry`: what is left of a batch, or what failed of it; the exit code. `profile` as for `process`. */
export async function resume(
  opened: Ports,
  left: OldWork,
  cwd: string,
  emit: (event: Event) => void,
  signal: AbortSignal,
  profile = false,
): Promise<number> {
  const { ports, work } = elsewhere(opened, left, cwd);
  const means = await profiled({ ports, emit }, profile);
  const { exit } = await resumeBatch(means.ports, work, means.emit, signal);
  return exit;
}

/** Where the working folder is another than the batch's, paths as they were given would be paths of nothing. */
function elsewhere(
  ports: Ports,
  work: OldWork,
  cwd: string,
): { readonly ports: Ports; readonly work: OldWork } {
  const { batch, options } = work;
  if (batch.cwd === cwd) return { ports, work };
  const { index, sources } = ports;
  const take: Index['take'] = async (...asked) =>
    (await index.take(...asked)).map((job) => ({ ...job, given: job.source }));
  return {
    ports: { ...ports, index: { ...index, take }, sources: { ...sources, givenOf: (path) => path } },
    work: { ...work, options: { ...options, outGiven: options.out } },
  };
}

/** The work there is; undefined when nothing is left to be done. Errors: `unknown_batch`, `batch_running`, `usage`. */
export async function workLeft(
  index: Index,
  id: string,
  how: How,
  config: Config,
  flags: Flags,
): Promise<{ readonly batch: Batch; readonly work: OldWork | undefined }> {
  if (config.dryRun) {
    throw new ImgtoolError('usage', `--dry-run: ${how} has nothing to foresee`, {
      fix: 'turn it off in the file or variable that asks for it',
    });
  }
  const batch = await findBatch(index, id, nearest);
  if (batch.state === 'running') throw batchRunning(batch.id);
  if (batch.options.walk === undefined) throw tooOld(batch);
  const isLeft = how === 'retry' ? batch.counts.failed > 0 : batch.state !== 'finished';
  if (!isLeft) return { batch, work: undefined };
  const states = how === 'retry' ? (['failed'] as const) : (['cancelled'] as const);
  const walk = batch.command === 'process' && !batch.walkEnded && isReadable(batch);
  return { batch, work: { batch, states, walk, options: optionsNow(batch.options, config, flags) } };
}

/** Its inputs as they were named; and what of them cannot be had again, as a warning. */
export function inputsAgain(batch: Batch): {
  readonly inputs: Inputs;
  readonly warnings: readonly Event[];
} {
  const { inputs, options, cwd, walkEnded } = batch;
  const { list } = options;
  const paths = list === null ? inputs : inputs.slice(0, -1);
  if (list === null || isReadable(batch)) {
    return { inputs: { paths, list, cwd, isAgain: true }, warnings: [] };
  }
  const message = `${list.from === '-' ? 'standard input' : list.from}: the list of files cannot be read again`;
  const fix = 'what had been taken in is done; run the first command again with the list for the rest';
  return {
    inputs: { paths, list: null, cwd, isAgain: true, wasListed: true },
    warnings: walkEnded ? [] : [{ type: 'warning', message, fix }],
  };
}

/** Whether its list of files, if it has one, is still there. */
function isReadable({ options: { list }, cwd }: Batch): boolean {
  if (list === null || list.from === '-') return list === null;
  try {
    accessSync(resolve(cwd, list.from), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** The batch's own choices, but for the limits that were given anew; never more memory than there is now. */
function optionsNow(before: BatchOptions, config: Config, flags: Flags): BatchOptions {
  return {
    ...before,
    jobs: flags.jobs === undefined ? before.jobs : config.jobs,
    ...memoryNow(before, config, flags),
    limits: { ...before.limits, ...givenLimits(config, flags) },
  };
}

/** A cap above the budget was a share of what was free then: what is free now counts instead. */
function memoryNow(before: BatchOptions, { memory, memoryCap }: Config, flags: Flags) {
  if (flags.memory !== undefined) return { memory, memoryCap };
  const isGiven = before.memoryCap <= before.memory;
  return {
    memory: Math.min(before.memory, memory),
    memoryCap: isGiven ? Math.min(before.memoryCap, memoryCap) : memoryCap,
  };
}

function tooOld({ id }: Batch): ImgtoolError {
  return new ImgtoolError('usage', `batch ${id} was made by an imgtool that could not resume`, {
    fix: 'run the same command again: what is done is not done again',
  });
}
