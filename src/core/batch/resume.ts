import { batchRunning, ImgtoolError } from '../../errors.ts';
import type { Batch, BatchOptions, Event, Limits } from '../../model.ts';
import type { Index, Inputs } from '../../ports.ts';
import type { Ports } from '../job/context.ts';
import type { OldWork } from './run.ts';

type MemoryOptions = Pick<BatchOptions, 'memory' | 'memoryCap'>;

/** New options for the rest of a batch. An undefined option stays as it was. */
export interface Changes {
  readonly jobs?: number | undefined;
  /** Bytes that the user set. */
  readonly memory?: MemoryOptions | undefined;
  /** Bytes that are free now. */
  readonly free: MemoryOptions;
  readonly limits: Partial<Limits>;
}

/**
 * The remaining work of a batch; undefined when nothing remains. `isListed`: whether its list of files, if any, can be read
 * again. Errors: `batch_running`, `usage`.
 */
export function workLeft(batch: Batch, how: 'resume' | 'retry', changes: Changes, isListed: boolean) {
  if (batch.state === 'running') throw batchRunning(batch.id);
  if (batch.options.walk === undefined) {
    const message = `batch ${batch.id} was made by an imgtool that could not resume`;
    const fix = 'run the same command again: what is done is not done again';
    throw new ImgtoolError('usage', message, { fix });
  }
  const isLeft = how === 'retry' ? batch.counts.failed > 0 : batch.state !== 'finished';
  if (!isLeft) return undefined;
  const states = how === 'retry' ? (['failed'] as const) : (['cancelled'] as const);
  const walk = batch.command === 'process' && !batch.walkEnded && isListed;
  const work: OldWork = { batch, states, walk, options: changed(batch.options, changes) };
  return work;
}

/** The inputs of a batch as the user named them, and a warning when its list cannot be read again. */
export function inputsOf(batch: Batch, isListed: boolean): { inputs: Inputs; warnings: Event[] } {
  const { options, cwd, walkEnded } = batch;
  const { list } = options;
  const paths = list === null ? batch.inputs : batch.inputs.slice(0, -1);
  const inputs = { paths, list, cwd, isAgain: true };
  if (list === null || isListed) return { inputs, warnings: [] };
  const message = `${list.from === '-' ? 'standard input' : list.from}: the list of files cannot be read again`;
  const fix = 'what had been taken in is done; run the first command again with the list for the rest';
  const warnings: Event[] = walkEnded ? [] : [{ type: 'warning', message, fix }];
  return { inputs: { ...inputs, list: null, wasListed: true }, warnings };
}

/** Makes events show absolute paths: relative paths would be wrong in this working folder. */
export function under(ports: Ports, work: OldWork) {
  const { index, sources } = ports;
  const { options } = work;
  const take: Index['take'] = async (...asked) =>
    (await index.take(...asked)).map((job) => ({ ...job, given: job.source }));
  return {
    ports: { ...ports, index: { ...index, take }, sources: { ...sources, givenOf: (path: string) => path } },
    work: { ...work, options: { ...options, outGiven: options.out } },
  };
}

function changed(before: BatchOptions, changes: Changes): BatchOptions {
  const { jobs = before.jobs, memory = memoryNow(before, changes.free) } = changes;
  return { ...before, jobs, ...memory, limits: { ...before.limits, ...changes.limits } };
}

/** A cap above the budget is a share of the free memory of that time. It is replaced by a share of the current free memory. */
function memoryNow(before: MemoryOptions, { memory, memoryCap }: MemoryOptions): MemoryOptions {
  const isGiven = before.memoryCap <= before.memory;
  return {
    memory: Math.min(before.memory, memory),
    memoryCap: isGiven ? Math.min(before.memoryCap, memoryCap) : memoryCap,
  };
}
