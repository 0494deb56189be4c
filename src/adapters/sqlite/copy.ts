import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, systemCode, writeError } from '../../errors.ts';
import { keep, keepBackups, loadSqlite, type Sqlite } from './binding.ts';
import { versionOf } from './check.ts';
import { damaged, databaseError, unusable } from './errors.ts';
import { BESIDE, flush, realPlace } from './file.ts';
import type { DatabaseKind } from './kind.ts';

/** Pages to copy before other work gets its turn. */
const AT_ONCE = 2_000;

/** What must be known of a database to save a copy of it. */
export interface Copied<T> {
  readonly kind: DatabaseKind;
  /** SQL that makes the copy fit to be put in place of its original. */
  readonly tidy: string;
  /** All that is wrong with the copy. A damaged copy is useless. */
  readonly problems: (db: Database) => readonly string[];
  readonly count: (db: Database) => T;
}

/**
 * Saves a copy of a database under a free name, all of it or nothing, also while others write. Returns its bytes and what
 * it holds. Errors: `usage`, `index_unusable`, `index_newer`, `no_space`, `not_writable`, `io`.
 */
export async function copyDatabase<T>(path: string, file: string, copied: Copied<T>, signal: AbortSignal) {
  const { kind } = copied;
  assertFree(file);
  mustHaveRoom(file);
  if (!existsSync(realPlace(path))) throw absent(path, kind);
  const Sqlite = loadSqlite();
  const copy = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    // Those who cannot read the original must not read the copy, at no moment. This process must write it.
    closeSync(openSync(copy, 'wx', (statSync(path).mode & 0o777) | 0o600));
    await copyPages(Sqlite, path, copy, file, kind, signal);
    const counts = lookInto(Sqlite, path, copy, copied);
    flush(copy);
    placeAt(copy, file);
    rmSync(copy);
    flush(dirname(file));
    return { file, bytes: statSync(file).size, ...counts };
  } catch (error) {
    if (systemCode(error) === 'EEXIST') assertFree(file);
    throw systemCode(error)?.startsWith('SQLITE')
      ? databaseError(error, path, kind)
      : writeError(error, file);
  } finally {
    dropDatabase(copy);
  }
}

async function copyPages(
  Sqlite: Sqlite,
  path: string,
  copy: string,
  file: string,
  kind: DatabaseKind,
  signal: AbortSignal,
) {
  const db = keep(new Sqlite(path, { fileMustExist: true, timeout: 1_000 }));
  try {
    if (versionOf(db, path, kind) === 0) throw absent(path, kind);
    // The read transaction holds one moment, whatever other processes write meanwhile.
    db.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    const progress = () => {
      if (signal.aborted) throw new ImgtoolError('cancelled', `${file}: was not made`);
      return AT_ONCE;
    };
    keepBackups(db);
    await db.backup(copy, { progress }).catch((error: unknown) => {
      throw copyError(error, file);
    });
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}

/** Makes the copy one file without a WAL, and reads it from end to end. */
function lookInto<T>(
  Sqlite: Sqlite,
  path: string,
  copy: string,
  { kind, tidy, problems, count }: Copied<T>,
): T {
  const db = keep(new Sqlite(copy));
  try {
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec(tidy);
    const [problem] = problems(db);
    if (problem !== undefined) throw damaged(path, problem, kind);
    return count(db);
  } finally {
    db.close();
  }
}

/** Errors: `usage` when something has this name. */
export function assertFree(file: string): void {
  if (!existsSync(file)) return;
  throw new ImgtoolError('usage', `${file} exists already`, { fix: 'name a file that is not there yet' });
}

function mustHaveRoom(file: string): void {
  const folder = dirname(file);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw writeError(error, file);
    throw new ImgtoolError('usage', `${folder} is not there`, { fix: 'make that folder first' });
  }
}

function absent(path: string, { noun, fixAbsence }: DatabaseKind): ImgtoolError {
  return unusable(`${path}: there is no ${noun} yet, so nothing can be saved`, fixAbsence);
}

/** An error while pages are copied is a write error, unless pages cannot be read. */
function copyError(error: unknown, file: string): unknown {
  const code = systemCode(error) ?? '';
  if (code === 'SQLITE_FULL') {
    const fix = 'free some space or name another file';
    return new ImgtoolError('no_space', `${file}: no space left to write it`, { fix, cause: error });
  }
  if (!/^SQLITE_(IOERR_(WRITE|FSYNC|TRUNCATE)|CANTOPEN)/.test(code)) return error;
  return new ImgtoolError('io', `${file}: could not be written (${code})`, { cause: error });
}

/** Removes an unfinished database. */
export function dropDatabase(path: string): void {
  for (const end of ['', '-journal', ...BESIDE]) rmSync(path + end, { force: true });
}

/** Gives a file a second name that must be free. Errors: `EEXIST` and others of the system. */
export function placeAt(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') throw error;
    // The disk has no hard links.
    copyFileSync(path, name, constants.COPYFILE_EXCL);
    flush(name);
  }
}
