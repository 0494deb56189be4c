import { accessSync, constants, existsSync } from 'node:fs';
import { storeBeside } from './adapters/sqlite/file.ts';
import { type IndexPast, openSqliteHistory } from './adapters/sqlite-index/past.ts';
import { findOfBoth, type Nearest } from './core/batch/find.ts';
import { hintForUploads, type WordHint, wordFailure } from './model/failures.ts';
import type { Batch, JobRecord, JobState } from './model.ts';

/** Past batches, for callers that look at nothing else. */
export interface BatchFinder extends Omit<IndexPast, 'batch' | 'jobs' | 'close'> {
  /**
   * The batch whose id begins with these digits. For `last`, the newest batch of the index: strangers can send uploads at
   * any time. Errors: `usage`, `unknown_batch`.
   */
  find(id: string): Promise<Batch>;
  jobs(id: string, states: readonly JobState[]): Promise<JobRecord[]>;
}

/**
 * Opens no more of the index than past batches take, and the store of uploads if there is one. Closes them after `use`.
 * Errors: `index_unusable`, `index_newer`.
 */
export async function withHistory<T>(
  index: string,
  nearest: Nearest,
  wordHint: WordHint,
  use: (past: BatchFinder) => Promise<T>,
): Promise<T> {
  const past = await openPast(index);
  try {
    return await use({
      ...past,
      find: (id) => findOfBoth(past, id, nearest),
      async jobs(id, states) {
        const jobs: JobRecord[] = [];
        const isUpload = (await past.batch(id)).command === 'upload';
        const word: WordHint = (hint) => wordHint(isUpload ? hintForUploads(hint) : hint);
        for await (const job of past.jobs(id, states)) {
          jobs.push(job.error === null ? job : { ...job, error: wordFailure(job.error, word) });
        }
        return jobs;
      },
    });
  } finally {
    await past.close();
  }
}

/** Whether a service has kept uploads beside this index. Those of another user do not hide the batches of the index. */
export function hasUploads(index: string): boolean {
  const store = storeBeside(index);
  try {
    if (existsSync(index)) accessSync(store, constants.R_OK);
    return existsSync(store);
  } catch {
    return false;
  }
}

/** A batch of the service, named as for `find`. Undefined for a batch of the command line. Errors: `usage`, `unknown_batch`. */
export async function findUploads(index: string, id: string, nearest: Nearest): Promise<Batch | undefined> {
  if (!hasUploads(index)) return undefined;
  const past = await openPast(index);
  try {
    const batch = await findOfBoth(past, id, nearest);
    return batch.command === 'upload' ? batch : undefined;
  } finally {
    await past.close();
  }
}

/** Cancels or retries a batch of the service. Returns the number of its images that this has changed. */
export async function changeUploads(index: string, id: string, how: 'cancel' | 'retry') {
  const { changeBatch } = await import('./adapters/store/sqlite.ts');
  const images = (await changeBatch(storeBeside(index), how, id)) ?? 0;
  const past = await openPast(index);
  try {
    return { batch: await past.batch(id), images };
  } finally {
    await past.close();
  }
}

interface Past extends IndexPast {
  /** Batches of the index alone, the newest first. */
  readonly ownBatches: IndexPast['batches'];
}

async function openPast(index: string): Promise<Past> {
  const own = await openSqliteHistory(index);
  const past = { ...own, ownBatches: own.batches };
  if (!hasUploads(index)) return past;
  try {
    const { openStoreHistory } = await import('./adapters/store/history.ts');
    const uploads = await openStoreHistory(storeBeside(index));
    const { bothHistories } = await import('./core/batch/both.ts');
    return { ...past, ...bothHistories(past, uploads) };
  } catch (error) {
    await past.close();
    throw error;
  }
}
