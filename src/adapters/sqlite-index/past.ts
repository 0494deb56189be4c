import type { History, PastBatches } from '../../ports.ts';
import { type Connection, openWith } from '../sqlite/connection.ts';
import { createHistory } from './history.ts';
import { INDEX } from './migrations.ts';

/** Opens no more of the index than these questions need. The file may be write-protected. Errors: those of an index. */
export function openSqliteHistory(path: string): Promise<PastBatches> {
  return openWith(INDEX, path, 'look', (connection) => ({
    ...createHistory(connection),
    ...createPast(connection),
  }));
}

function createPast({ prepare, read }: Connection): Omit<PastBatches, keyof History | 'close'> {
  const severalPages = prepare<[string], { format: string; count: number }>(`
    SELECT format, count(*) AS count FROM jobs INDEXED BY jobs_with_pages
    WHERE batch = ? AND pages > 1 AND state IN ('completed', 'duplicate')
      AND EXISTS (SELECT 1 FROM json_each(outputs) WHERE value ->> 'pages' IS NULL) GROUP BY format`);
  const degraded = prepare<[string], number>(
    'SELECT count(*) FROM jobs WHERE batch = ? AND degraded = 1',
  ).pluck();

  return {
    severalPages: (batch) =>
      read(() => new Map(severalPages.all(batch).map(({ format, count }) => [format, count]))),
    degraded: (batch) => read(() => degraded.get(batch) ?? 0),
  };
}
