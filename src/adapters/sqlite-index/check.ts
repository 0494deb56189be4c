import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { keep, type Sqlite } from './binding.ts';
import { damaged, newer, notOurs } from './errors.ts';
import type { Migration } from './migrations.ts';

/** Bytes up to which a whole index is read before a batch. Reading takes about 1.5 ms for each megabyte. */
const SOON_READ = 16_000_000;
/** A number above this is no version: damage left it there. */
const MOST_VERSIONS = 1_000;
/** Every index has at least one of these tables, whatever its version. */
const OURS = ['sources', 'outputs', 'batches', 'jobs'];

/** The newest version of an index and the names in its schema, as the migrations make them. */
export const NEWEST: { readonly version: number; readonly names: readonly string[] } = {
  version: 4,
  names: [
    'index batches_by_start',
    'index claims_by_job',
    'index claims_by_run',
    'index jobs_by_run',
    'index jobs_by_state',
    'index outputs_by_bytes',
    'index outputs_by_checksum',
    'index outputs_by_source',
    'index runs_by_batch',
    'index sqlite_autoindex_jobs_1',
    'index sqlite_autoindex_outputs_1',
    'table batches',
    'table claims',
    'table counts',
    'table former_settings',
    'table jobs',
    'table outputs',
    'table runs',
    'table sources',
    'trigger batches_counted',
    'trigger batches_finished',
    'trigger jobs_counted_in',
    'trigger jobs_counted_out',
    'trigger jobs_counted_over',
  ],
};

/** What a database turns out to be. */
export interface Kind {
  readonly kind: 'empty' | 'index' | 'newer' | 'foreign';
  readonly version: number;
  /** Tables, indexes and triggers that are missing. */
  readonly missing: readonly string[];
}

/**
 * Refuses a database that is neither an index nor empty, and changes nothing. Errors: `index_unusable`, `index_newer`.
 */
export function refuseStrangers(
  Sqlite: Sqlite,
  db: Database,
  path: string,
  migrations: readonly Migration[],
): void {
  const { kind, version, missing } = classify(Sqlite, db, migrations);
  if (kind === 'foreign') throw notOurs(path);
  if (kind === 'newer') throw newer(path, version, migrations.length);
  if (missing.length > 0) throw damaged(path, `it has no ${missing.slice(0, 3).join(', ')}`);
}

/** Whether a database is a complete index of the newest version. This is the usual case, and a quick check. */
export function isUpToDate(db: Database): boolean {
  const { version, names } = schemaIn(db);
  return version === NEWEST.version && NEWEST.names.every((name) => names.has(name));
}

/** Classifies a database by its version and the names in its schema. */
export function classify(Sqlite: Sqlite, db: Database, migrations: readonly Migration[]): Kind {
  const { version, names } = schemaIn(db);
  const isOurs = OURS.some((table) => names.has(`table ${table}`));
  if (isVersion(version) && version > migrations.length && (isOurs || names.size === 0)) {
    return { kind: 'newer', version, missing: [] };
  }
  if (version === 0 && names.size === 0) return { kind: 'empty', version, missing: [] };
  if (version === 0 || !(isOurs || names.size === 0)) return { kind: 'foreign', version, missing: [] };
  const missing = schemaOf(Sqlite, migrations.slice(0, version)).filter((name) => !names.has(name));
  return { kind: 'index', version, missing };
}

function schemaIn(db: Database): { version: number; names: ReadonlySet<string> } {
  // One statement reads one moment, even while another process updates the index.
  const seen = keep(
    db.prepare<[], { version: number; names: string }>(
      `SELECT (SELECT user_version FROM pragma_user_version) AS version,
         (SELECT json_group_array(type || ' ' || name) FROM sqlite_schema) AS names`,
    ),
  ).get();
  return { version: seen?.version ?? 0, names: new Set(JSON.parse(seen?.names ?? '[]') as string[]) };
}

/** Whether a number can be the version of an index, of any imgtool. */
export function isVersion(version: number): boolean {
  return version > 0 && version <= MOST_VERSIONS;
}

function schemaOf(Sqlite: Sqlite, migrations: readonly Migration[]): string[] {
  const model = keep(new Sqlite(':memory:'));
  try {
    for (const step of migrations) step(model);
    return keep(model.prepare<[], string>("SELECT type || ' ' || name FROM sqlite_schema").pluck()).all();
  } finally {
    model.close();
  }
}

/** Reads an index from end to end if that takes no noticeable time. Errors: `index_unusable`. */
export function checkIfSmall(db: Database, path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > SOON_READ) return;
  const [problem] = damageOf(db, 'quick_check(1)');
  if (problem !== undefined) throw damaged(path, problem);
}

/** What a check of SQLite finds: `quick_check(1)` the first damage, `integrity_check` all of it. */
export function damageOf(db: Database, check: string): string[] {
  return keep(db.prepare<[], string>(`PRAGMA ${check}`).pluck())
    .all()
    .flatMap((answer) => answer.split('\n'))
    .filter((line) => line !== 'ok' && line !== '' && !line.startsWith('***'));
}
