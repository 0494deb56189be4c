import { existsSync, rmSync } from 'node:fs';
import { assertFree } from './adapters/sqlite/copy.ts';
import { storeBeside } from './adapters/sqlite/file.ts';
import { backUpSqliteIndex, checkSqliteIndex } from './adapters/sqlite-index/maintenance/health.ts';
import { repairSqliteIndex } from './adapters/sqlite-index/maintenance/repair.ts';
import { backUpSqliteStore, checkSqliteStore } from './adapters/store/health.ts';
import { foldName } from './core/batch/names.ts';
import type { Backup, IndexHealth, Repaired, StoreBackup, StoreHealth } from './model/mended.ts';

// Check, backup and repair of what imgtool records: the index, and the store of uploads that a service keeps beside it.

/** Describes the index and its problems. Errors: `index_unusable`, `index_newer`. */
export const checkIndex = (index: string): Promise<IndexHealth> => checkSqliteIndex(index, foldName);

/** Describes the store beside an index. Undefined where there is none. Errors: `index_unusable`, `index_newer`. */
export async function checkStore(index: string): Promise<StoreHealth | undefined> {
  const store = storeBeside(index);
  return existsSync(store) ? checkSqliteStore(store) : undefined;
}

/** Replaces a damaged index with a new one that holds all readable rows. Never changes the store. */
export const repairIndex = (index: string): Promise<Repaired> => repairSqliteIndex(index, foldName);

/**
 * Saves a copy of the index in `file`, and one of the store beside it: both or nothing. Where there is only one of them, it
 * alone is saved. `file` is an absolute path where nothing exists. Errors: those of `copyDatabase`.
 */
export async function backUp(
  index: string,
  file: string,
  signal: AbortSignal,
): Promise<{ readonly backup: Backup | null; readonly store: StoreBackup | null }> {
  const from = storeBeside(index);
  if (!existsSync(from)) return { backup: await backUpSqliteIndex(index, file, signal), store: null };
  const to = storeBeside(file);
  assertFree(to);
  const backup = existsSync(index) ? await backUpSqliteIndex(index, file, signal) : null;
  try {
    return { backup, store: await backUpSqliteStore(from, to, signal) };
  } catch (error) {
    if (backup !== null) rmSync(file, { force: true });
    throw error;
  }
}
