import type { History, Index } from '../../ports.ts';
import { type Connection, openWith } from './connection.ts';
import { createHistory } from './history.ts';

/** The questions of verbs that only look. Only verbs ask those that are declared here, so they are in no port. */
export interface PastBatches extends Pick<History, 'batch' | 'batches' | 'jobs'>, Pick<Index, 'close'> {
  /** Numbers of sources with several frames or pages of which some output has only the first, by format. */
  severalPages(batch: string): Promise<ReadonlyMap<string, number>>;
  /** Paths of the damaged sources that have outputs, in bytewise order. */
  degraded(batch: string): Promise<readonly string[]>;
}

/** Opens no more of the index than these questions need. The file may be write-protected. Errors: those of an index. */
export function openSqliteHistory(path: string): Promise<PastBatches> {
  return openWith(path, 'look', (connection) => ({
    ...createHistory(connection),
    ...createPast(connection),
  }));
}

function createPast({ prepare, read }: Connection): Omit<PastBatches, keyof History | 'close'> {
  const severalPages = prepare<[string], { format: string; count: number }>(`
    SELECT format, count(*) AS count FROM jobs INDEXED BY jobs_with_pages
    WHERE batch = ? AND pages > 1 AND state IN ('completed', 'duplicate')
      AND EXISTS (SELECT 1 FROM json_each(outputs) WHERE value ->> 'pages' IS NULL) GROUP BY format`);
  const degraded = prepare<{ batch: string }, string>(`
    SELECT source FROM jobs WHERE batch = @batch AND degraded = 1
    UNION SELECT source FROM damaged WHERE batch = @batch ORDER BY 1`).pluck();

  return {
    severalPages: (batch) =>
      read(() => new Map(severalPages.all(batch).map(({ format, count }) => [format, count]))),
    degraded: (batch) => read(() => degraded.all({ batch })),
  };
}
