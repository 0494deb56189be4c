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

/** Milliseconds for which others may be asking whether a lock is held just when it is taken. */
const PROBED = 1_000;

export function locksOf(Sqlite: Sqlite, index: string): Locks {
  const folder = `${index}.runs`;
  const fileOf = (run: string) => join(folder, `${run}.lock`);
  const mine = new Map<string, Database>();

  const lock = (file: string): Database => {
    const db = keep(new Sqlite(file, { timeout: PROBED }));
    try {
      // Nothing is ever written, so no journal need lie beside it.
      db.exec('PRAGMA journal_mode = MEMORY');
      db.exec('BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };

  /** By reading, which only its holder stands in the way of: those who ask do not take each other for it. */
  const isLocked = (file: string): boolean => {
    const db = keep(new Sqlite(file, { timeout: 0, fileMustExist: true, readonly: true }));
    try {
      keep(db.prepare('SELECT count(*) FROM sqlite_schema')).get();
      return false;
    } catch (error) {
      if (systemCode(error)?.startsWith('SQLITE_BUSY')) return true;
      throw error;
    } finally {
      db.close();
    }
  };

  const isHeld = (run: string): boolean => {
    if (mine.has(run)) return true;
    const file = fileOf(run);
    // No file: the run ended in order, or its folder was removed, or the index was copied without it.
    if (!isThere(file)) return false;
    try {
      return isLocked(file);
    } catch {
      // One that may not be opened, be it for want of permission or of descriptors, tells nothing; to take a live run
      // for dead would be the worse mistake.
      return isThere(file);
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
        mine.set(run, lock(fileOf(run)));
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
