import { setTimeout as sleep } from 'node:timers/promises';
import { nearest } from '../config.ts';
import { findBatch } from '../core/batch/find.ts';
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
  index: Pick<Index, 'batch' | 'batches' | 'jobs'>,
  id: string,
  { all, watch }: StatusOptions,
  show: (batch: Batch, jobs: readonly JobRecord[]) => Promise<void>,
): Promise<void> {
  for (;;) {
    const batch = await findBatch(index, id, nearest);
    const jobs: JobRecord[] = [];
    for await (const job of index.jobs(batch.id, all ? JOB_STATES : ['failed'])) jobs.push(job);
    await show(batch, jobs.sort(byStateAndName));
    if (!watch || batch.state !== 'running') return;
    await sleep(EVERY);
  }
}

/** An index tells of jobs in the order of work, or nearly: of some hundred the largest pictures come first. */
function byStateAndName(a: JobRecord, b: JobRecord): number {
  const [first, second] = [JOB_STATES.indexOf(a.state), JOB_STATES.indexOf(b.state)];
  if (first !== second) return first - second;
  return Buffer.compare(Buffer.from(a.source), Buffer.from(b.source));
}
