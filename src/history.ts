import { openSqliteHistory, type PastBatches } from './adapters/sqlite-index/history.ts';
import { findBatch, type Nearest } from './core/batch/find.ts';
import { type WordHint, wordFailure } from './core/hints.ts';
import type { Batch } from './model.ts';

/** Past batches, for callers that look at nothing else. */
export interface BatchFinder extends PastBatches {
  /** The batch whose id begins with these digits. Errors: `usage`, `unknown_batch`. */
  find(id: string): Promise<Batch>;
}

/** Opens no more of the index than past batches take. Errors: `index_unusable`, `index_newer`. */
export async function openHistory(index: string, nearest: Nearest, wordHint: WordHint): Promise<BatchFinder> {
  const past = await openSqliteHistory(index);
  return {
    ...past,
    find: (id) => findBatch(past, id, nearest),
    async *jobs(id, states) {
      for await (const job of past.jobs(id, states)) {
        yield job.error === null ? job : { ...job, error: wordFailure(job.error, wordHint) };
      }
    },
  };
}
