import type SqliteConstructor from 'better-sqlite3';
import { ImgtoolError } from '../../errors.ts';

export type Sqlite = typeof SqliteConstructor;

/** The SQLite binding, loaded when an index is needed. Errors: `index_unusable`. */
export async function loadSqlite(): Promise<Sqlite> {
  try {
    return (await import('better-sqlite3')).default;
  } catch (cause) {
    throw new ImgtoolError('index_unusable', 'the SQLite binding is missing or made for another Node', {
      fix: 'npm rebuild better-sqlite3 --allow-scripts=better-sqlite3',
      cause,
    });
  }
}
