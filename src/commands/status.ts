import { setTimeout as sleep } from 'node:timers/promises';
import { nearest } from '../config.ts';
import { ImgtoolError } from '../errors.ts';
import { type Batch, JOB_STATES, type JobRecord } from '../model.ts';
import type { Index } from '../ports.ts';

/** Milliseconds between two looks at a running batch. */
const EVERY = 500;

interface StatusOptions {
  /** Every job kept, not only the failed ones. */
  readonly all: boolean;
  /** Shows it again until the batch has ended. */
  readonly watch: boolean;
}

/** `imgtool status`: one batch by any unique beginning of its id. Errors: `unknown_batch`. */
export async function status(
  index: Index,
  id: string,
  { all, watch }: StatusOptions,
  show: (batch: Batch, jobs: readonly JobRecord[]) => void,
): Promise<void> {
  for (;;) {
    const batch = await index.batch(id).catch((error: unknown) => suggest(index, id, error));
    const jobs: JobRecord[] = [];
    for await (const job of index.jobs(batch.id, all ? JOB_STATES : ['failed'])) jobs.push(job);
    show(batch, jobs);
    if (!watch || batch.state !== 'running') return;
    await sleep(EVERY);
  }
}

/** Recent batches among which the one that was meant is looked for. */
const RECENT = 100;

async function suggest(index: Index, id: string, error: unknown): Promise<never> {
  if (!(error instanceof ImgtoolError) || error.code !== 'unknown_batch') throw error;
  const ids = (await index.batches(RECENT)).map((batch) => batch.id);
  const meant = nearest(id, ids);
  if (meant === undefined) throw error;
  throw new ImgtoolError(error.code, error.message, { fix: `did you mean ${meant}? All: imgtool list` });
}
