import type { FoldName, Index } from '../../ports.ts';
import { createCatalog } from './catalog.ts';
import { type Connection, connect, type Purpose } from './connection.ts';
import { indexError } from './errors.ts';
import { createHistory } from './history.ts';
import { createJobs } from './jobs.ts';
import { createRuns } from './runs.ts';

/**
 * Opens the index in one SQLite file at an absolute path. To `look` at it, the file may be write-protected. Errors:
 * `index_unusable`, `index_newer`, `no_space`.
 */
export async function openSqliteIndex(
  path: string,
  fold: FoldName,
  purpose: Purpose = 'work',
): Promise<Index> {
  const connection = await connect(path, { purpose });
  try {
    return createIndex(connection, fold);
  } catch (error) {
    connection.close();
    throw indexError(error, path);
  }
}

/** Prepares every statement. Errors: those of SQLite, when a statement does not fit the tables. */
export function createIndex(connection: Connection, fold: FoldName): Index {
  const { catalog, names } = createCatalog(connection, fold);
  return {
    ...catalog,
    ...createJobs(connection, names),
    ...createRuns(connection),
    ...createHistory(connection),
    close: async () => connection.close(),
  };
}
