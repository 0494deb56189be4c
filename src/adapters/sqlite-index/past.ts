import type { History, PastBatches } from '../../ports.ts';
import { type Connection, openWith } from '../sqlite/connection.ts';
import { createHistory } from './history.ts';
import { INDEX } from './migrations.ts';

/** Past batches, and what verbs ask of the index alone. Only verbs ask that, so it is in no port. */
export interface IndexPast extends PastBatches {
  /** Numbers of sources with several frames or pages of which some output has only the first, by format. */
  severalPages(batch: string): Promise<ReadonlyMap<string, number>>;
}

/** Opens no more of the index than these questions need. The file may be write-protected. Errors: those of an index. */
export function openSqliteHistory(path: string): Promise<IndexPast> {
  return openWith(INDEX, path, 'look', (connection) => ({
    ...createHistory(connection),
    ...createPast(connection),
  }));
}

function createPast({ prepare, read }: Connection): Omit<IndexPast, keyof History | 'close'> {
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
