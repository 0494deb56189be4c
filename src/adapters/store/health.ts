import type { Database } from 'better-sqlite3';
import type { KeptUploads, StoreBackup, StoreHealth } from '../../model/mended.ts';
import { valuesIn } from '../sqlite/binding.ts';
import { damageOf, STRAY } from '../sqlite/check.ts';
import { connect } from '../sqlite/connection.ts';
import { copyDatabase } from '../sqlite/copy.ts';
import { databaseError } from '../sqlite/errors.ts';
import { sizeOf } from '../sqlite/file.ts';
import { isHeldIn } from './hold.ts';
import { ACTIVE, STORE } from './schema.ts';

/**
 * Reads the whole store of uploads, also while a service holds it, and reports what is wrong with it. Errors:
 * `index_unusable`, `index_newer`.
 */
export async function checkSqliteStore(path: string): Promise<StoreHealth> {
  const connection = await connect(STORE, path, 'look');
  const { db, read } = connection;
  try {
    return await read(() => ({
      path,
      version: Number(valuesIn(db, 'PRAGMA user_version')[0]),
      bytes: sizeOf(path) + sizeOf(`${path}-wal`),
      isServed: isHeldIn(connection),
      ...countRows(db),
      storage: valuesIn<string>(db, 'SELECT folder FROM storage')[0] ?? null,
      problems: problemsOf(db),
    }));
  } catch (error) {
    throw databaseError(error, path, STORE);
  } finally {
    connection.close();
  }
}

/**
 * Saves a copy of a store under a free name, all of it or nothing, also while a service holds it. A service that starts with
 * the copy goes on with the images that were in work. Errors: those of `copyDatabase`.
 */
export async function backUpSqliteStore(
  path: string,
  file: string,
  signal: AbortSignal,
): Promise<StoreBackup> {
  const copied = { kind: STORE, tidy: '', problems: problemsOf, count: countRows };
  return { store: path, ...(await copyDatabase(path, file, copied, signal)) };
}

function problemsOf(db: Database): string[] {
  const damage = damageOf(db, 'integrity_check');
  return damage.length > 0 ? damage : valuesIn<string>(db, STRAY);
}

function countRows(db: Database): KeptUploads {
  const count = (rows: string) => Number(valuesIn(db, `SELECT count(*) FROM ${rows}`)[0]);
  return {
    images: count('images WHERE deleted_at IS NULL'),
    waiting: count(`images WHERE deleted_at IS NULL AND state IN ${ACTIVE.sql}`),
    outputs: count('outputs'),
  };
}
