import { statSync, writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { orUndefined } from '../../errors.ts';
import { valuesIn } from './binding.ts';
import { damaged, newer, unusable } from './errors.ts';
import { sizeOf } from './file.ts';
import { type DatabaseKind, schemaNames } from './kind.ts';
import type { Locks } from './locks.ts';

/** Bytes up to which a whole database is read on opening. Reading takes about 1.5 ms for each megabyte. */
const SOON_READ = 16_000_000;
/** A number above this is no version: damage left it there. */
const MOST_VERSIONS = 1_000;

/** The version of a database, or 0 for an empty database. Changes nothing. Errors: `index_unusable`, `index_newer`. */
export function versionOf(db: Database, path: string, kind: DatabaseKind): number {
  const { version, missing } = schemaOf(db, path, kind);
  if (missing.length > 0) throw damaged(path, `it has no ${missing.slice(0, 3).join(', ')}`, kind);
  return version;
}

/**
 * The version of a database, and its missing tables, indexes and triggers. An empty database has version 0. Errors:
 * `index_unusable` when the database belongs to another program, `index_newer`.
 */
export function schemaOf(db: Database, path: string, kind: DatabaseKind) {
  // One statement reads one moment, even while another process updates the index.
  const [seen = ''] = valuesIn<string>(db, SCHEMA);
  const [version, found] = JSON.parse(seen) as [number, string[]];
  if (version === 0 && found.length === 0) return { version, missing: [] as string[] };
  const names = new Set(found);
  const isOurs = names.size === 0 || kind.tables.some((table) => names.has(`table ${table}`));
  if (version === 0 || !isOurs) {
    throw unusable(`${path}: is the database of another program`, 'name another file with {{index}}');
  }
  if (isVersion(version) && version > kind.migrations.length) throw newer(path, version, kind);
  return { version, missing: schemaNames(kind, version).filter((name) => !names.has(name)) };
}

const SCHEMA = `
SELECT json_array(user_version, (SELECT json_group_array(type || ' ' || name) FROM sqlite_schema))
FROM pragma_user_version`;

/** Brings a database to the newest version and keeps a copy of the old one. Refuses while a run is alive. */
export function migrate(db: Database, path: string, locks: Locks, kind: DatabaseKind): void {
  const { migrations } = kind;
  const wanted = migrations.length;
  db.transaction(() => {
    const [found = 0] = valuesIn<number>(db, 'PRAGMA user_version');
    // Another process has done it.
    if (found === wanted) return;
    if (found > wanted) throw newer(path, found, kind);
    if (found > 0 && locks.held().length > 0) {
      const fix = 'wait until it has ended, or end it, then run the same command again';
      throw unusable(`${path}: cannot be updated while another imgtool works with it`, fix);
    }
    // The write lock is held, so the copy shows one moment.
    const mode = () => statSync(path).mode & 0o777;
    const keepCopy = () => writeFileSync(`${path}.v${found}`, db.serialize(), { flag: 'wx', mode: mode() });
    if (found > 0) orUndefined(keepCopy, /^EEXIST$/);
    for (const step of migrations.slice(found)) db.exec(step);
    db.exec(`PRAGMA user_version = ${wanted}`);
  }).immediate();
}

/** Whether a number can be the version of a database, of any imgtool. */
export function isVersion(version: number): boolean {
  return version > 0 && version <= MOST_VERSIONS;
}

/** Reads a database from end to end if that takes no noticeable time. Errors: `index_unusable`. */
export function checkIfSmall(db: Database, path: string, kind: DatabaseKind): void {
  if (sizeOf(path) > SOON_READ) return;
  const [problem] = damageOf(db, 'quick_check(1)');
  if (problem !== undefined) throw damaged(path, problem, kind);
}

/** What a check of SQLite finds: `quick_check(1)` the first damage, `integrity_check` all of it. */
export function damageOf(db: Database, check: string): string[] {
  return valuesIn<string>(db, `PRAGMA ${check}`)
    .flatMap((answer) => answer.split('\n'))
    .filter((line) => line !== 'ok' && line !== '' && !line.startsWith('***'));
}

/** Names each row that refers to one that is not there. */
export const STRAY = `SELECT 'a row of ' || "table" || ' belongs to nothing' FROM pragma_foreign_key_check`;
