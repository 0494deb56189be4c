import type { FoldName, Index } from '../../ports.ts';
import { type Connection, openWith, type Purpose } from '../sqlite/connection.ts';
import { createCatalog } from './catalog.ts';
import { createHistory } from './history.ts';
import { createJobs } from './jobs.ts';
import { INDEX } from './migrations.ts';
import { createRuns } from './runs.ts';

/** Opens the index in one SQLite file. To `look` at it, the file may be write-protected. Errors: those of `connect`. */
export function openSqliteIndex(path: string, fold: FoldName, purpose: Purpose = 'work'): Promise<Index> {
  return openWith(INDEX, path, purpose, (connection) => createIndex(connection, fold));
}

/** Prepares every statement. Errors: those of SQLite, when a statement does not fit the tables. */
export function createIndex(connection: Connection, fold: FoldName): Omit<Index, 'close'> {
  const { catalog, names } = createCatalog(connection, fold);
  return {
    ...catalog,
    ...createJobs(connection, names),
    ...createRuns(connection),
    ...createHistory(connection),
  };
}
