import { createRequire } from 'node:module';
import type SqliteConstructor from 'better-sqlite3';
import { withoutBinding } from './errors.ts';

export type Sqlite = typeof SqliteConstructor;

/** The SQLite binding, loaded when an index is needed. Errors: `index_unusable`. */
export function loadSqlite(): Sqlite {
  try {
    // By `import` Node would first have to look for the names in it, with a parser that nothing else needs.
    return createRequire(import.meta.url)('better-sqlite3');
  } catch (cause) {
    throw withoutBinding(cause);
  }
}
