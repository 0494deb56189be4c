import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type SqliteConstructor from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { systemCode } from '../../errors.ts';
import { keep } from './kept.ts';

/**
 * Whether a run is alive: as long as its process holds the lock on a small file beside the index. The system frees
 * it with the process, however that ends, and keeps it while the process is merely stopped: no pid, no clock.
 */
export interface Locks {
  hold(run: string): void;
  release(run: string): void;
  isHeld(run: string): boolean;
  /** Drops all locks held here, leaving their runs to be found dead. */
  letGo(): void;
  /** Runs that are alive now, in any process. */
  held(): string[];
}

export function locksOf(Sqlite: typeof SqliteConstructor, index: string): Locks {
  const folder = `${index}.runs`;
  const fileOf = (run: string) => join(folder, `${run}.lock`);
  const mine = new Map<string, Database>();

  const tryLock = (file: string, fileMustExist: boolean): Database | undefined => {
    const db = keep(new Sqlite(file, { timeout: 0, fileMustExist }));
    try {
      // Nothing is ever written, so no journal need lie beside it.
      db.exec('PRAGMA journal_mode = MEMORY');
      db.exec('BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      db.close();
      if (systemCode(error)?.startsWith('SQLITE_BUSY')) return undefined;
      throw error;
    }
  };

  const isHeld = (run: string): boolean => {
    if (mine.has(run)) return true;
    try {
      const free = tryLock(fileOf(run), true);
      free?.close();
      return free === undefined;
    } catch (error) {
      // No file: the run ended in order, or its folder was removed with it.
      if (systemCode(error) === 'SQLITE_CANTOPEN') return false;
      throw error;
    }
  };

  return {
    hold(run) {
      mkdirSync(folder, { recursive: true });
      const db = tryLock(fileOf(run), false);
      if (db === undefined) throw new Error(`run ${run} is held already`);
      mine.set(run, db);
    },
    release(run) {
      mine.get(run)?.close();
      mine.delete(run);
      rmSync(fileOf(run), { force: true });
    },
    isHeld,
    letGo() {
      for (const db of mine.values()) db.close();
      mine.clear();
    },
    held() {
      return lockFiles(folder)
        .map((file) => file.slice(0, -'.lock'.length))
        .filter(isHeld);
    },
  };
}

function lockFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.lock'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
