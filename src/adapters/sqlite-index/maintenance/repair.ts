import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { orUndefined } from '../../../errors.ts';
import type { Repaired, SavedRows } from '../../../model/mended.ts';
import type { FoldName } from '../../../ports.ts';
import { keep, loadSqlite, type Sqlite, valuesIn } from '../../sqlite/binding.ts';
import { isVersion, schemaOf } from '../../sqlite/check.ts';
import { dropDatabase } from '../../sqlite/copy.ts';
import { databaseError, inRepair, isDamage, newer, unusable } from '../../sqlite/errors.ts';
import { realPlace } from '../../sqlite/file.ts';
import { type Locks, locksOf, REPAIR } from '../../sqlite/locks.ts';
import { INDEX, MIGRATIONS } from '../migrations.ts';
import { indexProblems } from './health.ts';
import { quarantinedOf, replaceIndex, takeBack } from './quarantine.ts';
import { type Salvage, salvage } from './salvage.ts';

/** Bytes at the start of an index that hold its schema. */
const SCHEMA_WITHIN = 65_536;
const OUR_TABLES = ['CREATE TABLE sources', 'CREATE TABLE outputs'];

const NO_ROWS: SavedRows = { sources: 0, outputs: 0, batches: 0, jobs: 0 };
const ALL_LOST: Salvage = { saved: NO_ROWS, incomplete: ['sources', 'outputs', 'batches', 'jobs'] };

/**
 * Replaces a damaged index by a new one with every row that can be read, and keeps the damaged file. Errors:
 * `index_unusable`, also while a run works with the index or when it belongs to another program; `index_newer`;
 * `no_space`.
 */
export async function repairSqliteIndex(path: string, fold: FoldName): Promise<Repaired> {
  const Sqlite = loadSqlite();
  const untouched = { index: path, movedTo: null, problems: [], saved: NO_ROWS, incomplete: [] };
  try {
    const real = realPlace(path);
    if (!existsSync(real)) return { state: 'absent', ...untouched };
    const locks = locksOf(Sqlite, real, INDEX);
    refuseIfInUse(Sqlite, path, locks);
    const found = examine(Sqlite, path);
    const halfDone = quarantinedOf(real);
    if (found.length + halfDone.length === 0) return { state: 'healthy', ...untouched };
    if (locks.isHeld(REPAIR)) throw inRepair(path);
    locks.hold(REPAIR);
    try {
      takeBack(real, halfDone);
      const problems = halfDone.length === 0 ? found : examine(Sqlite, path);
      if (problems.length === 0) return { state: 'healthy', ...untouched };
      return { state: 'repaired', index: path, problems, ...renew(Sqlite, path, real, fold, locks) };
    } finally {
      locks.release(REPAIR);
    }
  } catch (error) {
    throw databaseError(error, path, INDEX);
  }
}

/** What is wrong with an index. Errors: `index_unusable` and `index_newer` when it cannot be repaired here. */
function examine(Sqlite: Sqlite, path: string): string[] {
  const db = keep(new Sqlite(path, { readonly: true, timeout: 1_000 }));
  try {
    const { version, missing } = schemaOf(db, path, INDEX);
    if (version === 0) return [];
    return missing.length > 0 ? missing.map((name) => `it has no ${name}`) : indexProblems(db);
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (!looksLikeOurs(path)) {
      const fix = 'nothing was touched; name the index with {{index}}';
      throw unusable(`${path}: is no index of imgtool, so there is nothing to repair`, fix);
    }
    // SQLite holds no lock on a file it cannot read, so reading the file by other means frees none.
    const version = versionInHeader(path);
    if (version > MIGRATIONS.length) throw newer(path, version, INDEX);
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    db.close();
  }
}

/** Whether an unreadable file was an index: runs worked with it, or it still names our tables. */
function looksLikeOurs(path: string): boolean {
  if (existsSync(`${realPlace(path)}.runs`)) return true;
  const start = readStart(path).toString('latin1');
  return OUR_TABLES.every((words) => start.includes(words));
}

function renew(Sqlite: Sqlite, path: string, real: string, fold: FoldName, locks: Locks) {
  const fresh = `${real}.repair`;
  // A repair that was killed may have left it.
  dropDatabase(fresh);
  const now = Date.now();
  try {
    const salvaged = makeFrom(Sqlite, fresh, path, fold, now);
    // Salvage takes time, and a run may have begun.
    refuseIfInUse(Sqlite, path, locks);
    return { ...salvaged, movedTo: replaceIndex(real, fresh, now) };
  } finally {
    dropDatabase(fresh);
  }
}

function makeFrom(Sqlite: Sqlite, fresh: string, old: string, fold: FoldName, now: number): Salvage {
  const to = keep(new Sqlite(fresh));
  const from = keep(new Sqlite(old, { readonly: true, timeout: 1_000 }));
  try {
    // Without this SQLite refuses a truncated file as a whole.
    from.unsafeMode(true);
    from.exec('PRAGMA writable_schema = ON');
    to.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON');
    return to.transaction(() => {
      for (const step of MIGRATIONS) to.exec(step);
      to.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
      const readable = orUndefined(() => from.exec('SELECT count(*) FROM sqlite_schema'));
      const salvaged = readable === undefined ? ALL_LOST : salvage(from, to, fold, now);
      const [problem] = indexProblems(to);
      if (problem !== undefined) throw new Error(`what was saved is not in order: ${problem}`);
      return salvaged;
    })();
  } finally {
    from.close();
    to.close();
  }
}

/** The version in the header of a file that SQLite cannot read. 0 when there is none. */
function versionInHeader(path: string): number {
  const header = readStart(path);
  const version = header.length < 64 ? 0 : header.readUInt32BE(60);
  return header.toString('latin1', 0, 15) === 'SQLite format 3' && isVersion(version) ? version : 0;
}

function readStart(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(SCHEMA_WITHIN);
    return start.subarray(0, readSync(file, start));
  } finally {
    closeSync(file);
  }
}

function refuseIfInUse(Sqlite: Sqlite, path: string, locks: Locks): void {
  const [run] = locks.held().filter((one) => one !== REPAIR);
  if (run === undefined) return;
  const batch = batchOfRun(Sqlite, path, run);
  const [what, how] = batch ? [`batch ${batch}`, ` with imgtool cancel ${batch}`] : [`run ${run}`, ''];
  const fix = `wait until it has ended, or stop it${how}; then repair`;
  throw unusable(`${path}: is in use: ${what} is being worked on`, fix);
}

function batchOfRun(Sqlite: Sqlite, path: string, run: string): string | undefined {
  const db = keep(new Sqlite(path, { readonly: true, timeout: 1_000 }));
  try {
    return orUndefined(() => valuesIn<string>(db, 'SELECT batch FROM runs WHERE id = ?', run)[0]);
  } finally {
    db.close();
  }
}
