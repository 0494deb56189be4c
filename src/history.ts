import { openSqliteHistory, type PastBatches } from './adapters/sqlite-index/past.ts';
import { findBatch, type Nearest } from './core/batch/find.ts';
import { type WordHint, wordFailure } from './model/failures.ts';
import type { Batch, JobRecord, JobState } from './model.ts';

/** Past batches, for callers that look at nothing else. */
export interface BatchFinder extends Omit<PastBatches, 'batch' | 'jobs' | 'close'> {
  /** The batch whose id begins with these digits, or the newest batch for `last`. Errors: `usage`, `unknown_batch`. */
  find(id: string): Promise<Batch>;
  jobs(id: string, states: readonly JobState[]): Promise<JobRecord[]>;
}

/** Opens no more of the index than past batches take, and closes it after `use`. Errors: `index_unusable`, `index_newer`. */
export async function withHistory<T>(
  index: string,
  nearest: Nearest,
  wordHint: WordHint,
  use: (past: BatchFinder) => Promise<T>,
): Promise<T> {
  const past = await openSqliteHistory(index);
  try {
    return await use({
      ...past,
      find: (id) => findBatch(past, id, nearest),
      async jobs(id, states) {
        const jobs: JobRecord[] = [];
        for await (const job of past.jobs(id, states)) {
          jobs.push(job.error === null ? job : { ...job, error: wordFailure(job.error, wordHint) });
        }
        return jobs;
      },
    });
  } finally {
    await past.close();
  }
}
