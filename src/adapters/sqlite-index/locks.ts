import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { systemCode } from '../../errors.ts';
import type { Sqlite } from './binding.ts';
import { keep } from './kept.ts';
import { indexError } from './trouble.ts';

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
  /** Whether a run of another process, or of another connection here, is alive. */
  othersHold(): boolean;
}

export function locksOf(Sqlite: Sqlite, index: string): Locks {
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
    const file = fileOf(run);
    // No file: the run ended in order, or its folder was removed, or the index was copied without it.
    if (!isThere(file)) return false;
    try {
      const free = tryLock(file, true);
      free?.close();
      return free === undefined;
    } catch (error) {
      // One that may not be opened, be it for want of permission or of descriptors, tells nothing; to take a live run
      // for dead would be the worse mistake.
      if (systemCode(error)?.startsWith('SQLITE_CANTOPEN')) return isThere(file);
      throw error;
    }
  };
  const held = () =>
    lockFiles(folder)
      .map((file) => file.slice(0, -'.lock'.length))
      .filter(isHeld);

  return {
    hold(run) {
      try {
        mkdirSync(folder, { recursive: true });
        const db = tryLock(fileOf(run), false);
        if (db === undefined) throw new Error(`run ${run} is held already`);
        mine.set(run, db);
      } catch (error) {
        throw indexError(error, index);
      }
    },
    release(run) {
      mine.get(run)?.close();
      mine.delete(run);
      try {
        rmSync(fileOf(run), { force: true });
      } catch {
        // Nobody holds it: it only lies there.
      }
    },
    isHeld,
    letGo() {
      for (const db of mine.values()) db.close();
      mine.clear();
    },
    held,
    othersHold: () => held().some((run) => !mine.has(run)),
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

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
