import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ImgtoolError, systemCode, writeError } from '../../../errors.ts';
import type { Backup } from '../../../model/mended.ts';
import { keep, keepBackups, loadSqlite, type Sqlite } from '../binding.ts';
import { versionOf } from '../check.ts';
import { damaged, indexError, unusable } from '../errors.ts';
import { realPlace } from '../file.ts';
import { countRows, indexProblems } from './health.ts';
import { dropDatabase, flush, placeAt } from './quarantine.ts';

/** Pages to copy before other work gets its turn. */
const AT_ONCE = 2_000;

/**
 * Saves a copy of an index under a free name, all of it or nothing, also while runs work with the index. Errors:
 * `usage`, `index_unusable`, `index_newer`, `no_space`, `not_writable`, `io`.
 */
export async function backUpSqliteIndex(path: string, file: string, signal: AbortSignal): Promise<Backup> {
  refuseTaken(file);
  mustHaveRoom(file);
  if (!existsSync(realPlace(path))) throw absent(path);
  const Sqlite = loadSqlite();
  const copy = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await copyIndex(Sqlite, path, copy, file, signal);
    const counts = lookInto(Sqlite, path, copy);
    flush(copy);
    placeAt(copy, file);
    rmSync(copy);
    flush(dirname(file));
    return { index: path, file, bytes: statSync(file).size, ...counts };
  } catch (error) {
    if (systemCode(error) === 'EEXIST') refuseTaken(file);
    throw systemCode(error)?.startsWith('SQLITE') ? indexError(error, path) : writeError(error, file);
  } finally {
    dropDatabase(copy);
  }
}

async function copyIndex(Sqlite: Sqlite, path: string, copy: string, file: string, signal: AbortSignal) {
  const db = keep(new Sqlite(path, { fileMustExist: true, timeout: 1_000 }));
  try {
    if (versionOf(db, path) === 0) throw absent(path);
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

/** Makes the copy one file without a WAL, and reads it from end to end: a damaged copy is useless. */
function lookInto(Sqlite: Sqlite, path: string, copy: string) {
  const db = keep(new Sqlite(copy));
  try {
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec(withoutRuns(Date.now()));
    const [problem] = indexProblems(db);
    if (problem !== undefined) throw damaged(path, problem);
    return countRows(db);
  } finally {
    db.close();
  }
}

/** Removes runs from the copy. Nobody holds their locks beside the copy, so they would count as dead. */
const withoutRuns = (now: number) => `
BEGIN;
UPDATE jobs SET state = 'pending', run = NULL WHERE run IS NOT NULL;
UPDATE batches SET state = 'interrupted', finished_at = ${now} WHERE state = 'running';
DELETE FROM claims;
DELETE FROM runs;
COMMIT`;

function refuseTaken(file: string): void {
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

function absent(path: string): ImgtoolError {
  const fix = 'name the index with {{index}}; imgtool process makes one';
  return unusable(`${path}: there is no index yet, so nothing can be saved`, fix);
}

/** An error while pages are copied counts as a write error, unless a page of the index cannot be read. */
function copyError(error: unknown, file: string): unknown {
  const code = systemCode(error) ?? '';
  if (code === 'SQLITE_FULL') {
    const fix = 'free some space or name another file';
    return new ImgtoolError('no_space', `${file}: no space left to write it`, { fix, cause: error });
  }
  if (!/^SQLITE_(IOERR_(WRITE|FSYNC|TRUNCATE)|CANTOPEN)/.test(code)) return error;
  return new ImgtoolError('io', `${file}: could not be written (${code})`, { cause: error });
}
