import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type SqliteConstructor from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { withoutBinding } from './errors.ts';

export type Sqlite = typeof SqliteConstructor;

/** Loads the SQLite binding, only when it is needed. Errors: `index_unusable`. */
export function loadSqlite(): Sqlite {
  try {
    // By `import()` this package, which is CommonJS, takes 3 ms longer: its files are parsed for their names first.
    const load = createRequire(import.meta.url);
    const { version }: { readonly version: string } = load('better-sqlite3/package.json');
    mustKeep &&= abortsWhenCollected(process.versions.node, version);
    // A build has the package in one file, for the version that it found.
    const bundled = new URL(`sqlite-${version}.cjs`, import.meta.url);
    const sqlite: Sqlite = load(existsSync(bundled) ? `./sqlite-${version}.cjs` : 'better-sqlite3');
    return sqlite;
  } catch (cause) {
    throw withoutBinding(cause);
  }
}

/**
 * Whether the process aborts when a database, a statement or an iterator is garbage-collected. better-sqlite3 12 aborts
 * on Node 24.19 and later: https://github.com/nodejs/node/issues/65446. A binding that was built for 24.19 also aborts on
 * earlier versions of Node 24.
 */
export function abortsWhenCollected(node: string, sqlite: string): boolean {
  return Number.parseInt(node, 10) >= 24 && Number.parseInt(sqlite, 10) < 13;
}

let mustKeep = abortsWhenCollected(process.versions.node, '12');
const kept: object[] = [];

/** Keeps a database, a statement or an iterator until the process ends, where collecting one would abort the process. */
export function keep<T extends object>(one: T): T {
  if (mustKeep) kept.push(one);
  return one;
}

/** The first column of all rows of a query. */
export function valuesIn<T>(db: Database, query: string, ...bound: unknown[]): T[] {
  return keep(db.prepare<unknown[], T>(query).pluck()).all(...bound);
}

/**
 * Keeps the native object behind each `db.backup()`, for the same reason. No public name leads to the object, so this
 * reaches into the database. Returns whether the object's maker was found.
 */
export function keepBackups(db: object): boolean {
  for (const symbol of Object.getOwnPropertySymbols(db)) {
    const native: unknown = Reflect.get(db, symbol);
    if (typeof native !== 'object' || native === null) continue;
    const backup: unknown = Reflect.get(native, 'backup');
    if (typeof backup !== 'function') continue;
    return Reflect.set(native, 'backup', (...args: unknown[]) =>
      keep(Reflect.apply(backup, native, args) as object),
    );
  }
  return false;
}
