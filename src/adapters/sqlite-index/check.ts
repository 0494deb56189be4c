import type { Database } from 'better-sqlite3';
import { valuesIn } from '../sqlite/binding.ts';
import { damaged, newer, unusable } from '../sqlite/errors.ts';
import { sizeOf } from '../sqlite/file.ts';
import { MIGRATIONS, schemaNames } from './migrations.ts';

/** Bytes up to which a whole index is read before a batch. Reading takes about 1.5 ms for each megabyte. */
const SOON_READ = 16_000_000;
/** A number above this is no version: damage left it there. */
const MOST_VERSIONS = 1_000;
/** Every index has at least one of these tables, whatever its version. */
const OURS = ['sources', 'outputs', 'batches', 'jobs'];

/** The version of an index, or 0 for an empty database. Changes nothing. Errors: `index_unusable`, `index_newer`. */
export function versionOf(db: Database, path: string): number {
  const { version, missing } = schemaOf(db, path);
  if (missing.length > 0) throw damaged(path, `it has no ${missing.slice(0, 3).join(', ')}`);
  return version;
}

/**
 * The version of an index, and its missing tables, indexes and triggers. An empty database has version 0. Errors:
 * `index_unusable` when the database belongs to another program, `index_newer`.
 */
export function schemaOf(db: Database, path: string): { version: number; missing: string[] } {
  // One statement reads one moment, even while another process updates the index.
  const [seen = ''] = valuesIn<string>(db, SCHEMA);
  const [version, found] = JSON.parse(seen) as [number, string[]];
  if (version === 0 && found.length === 0) return { version, missing: [] };
  const names = new Set(found);
  const isOurs = names.size === 0 || OURS.some((table) => names.has(`table ${table}`));
  if (version === 0 || !isOurs) {
    throw unusable(`${path}: is the database of another program`, 'name another file with {{index}}');
  }
  if (isVersion(version) && version > MIGRATIONS.length) throw newer(path, version, MIGRATIONS.length);
  return { version, missing: schemaNames(version).filter((name) => !names.has(name)) };
}

const SCHEMA = `
SELECT json_array(user_version, (SELECT json_group_array(type || ' ' || name) FROM sqlite_schema))
FROM pragma_user_version`;

/** Whether a number can be the version of an index, of any imgtool. */
export function isVersion(version: number): boolean {
  return version > 0 && version <= MOST_VERSIONS;
}

/** Reads an index from end to end if that takes no noticeable time. Errors: `index_unusable`. */
export function checkIfSmall(db: Database, path: string): void {
  if (sizeOf(path) > SOON_READ) return;
  const [problem] = damageOf(db, 'quick_check(1)');
  if (problem !== undefined) throw damaged(path, problem);
}

/** What a check of SQLite finds: `quick_check(1)` the first damage, `integrity_check` all of it. */
export function damageOf(db: Database, check: string): string[] {
  return valuesIn<string>(db, `PRAGMA ${check}`)
    .flatMap((answer) => answer.split('\n'))
    .filter((line) => line !== 'ok' && line !== '' && !line.startsWith('***'));
}
