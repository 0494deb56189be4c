import { accessSync, constants, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Statement } from 'better-sqlite3';
import { ImgtoolError, systemCode } from '../../errors.ts';
import { makeFolders } from '../file-systems.ts';
import { keep, type Sqlite } from './binding.ts';
import { indexError, isBusy } from './errors.ts';
import { printOf } from './identity.ts';

/**
 * Whether a run is alive: as long as its process holds the lock on a small file beside the index. The system frees
 * it with the process, however that ends, and keeps it while the process is merely stopped: no pid, no clock.
 */
export interface Locks {
  hold(run: string): void;
  /** Removes the file of a run that has ended, was recovered, or was left behind. */
  release(run: string): void;
  isHeld(run: string): boolean;
  /** Drops all locks held here, leaving their runs to be found dead. */
  letGo(): void;
  /** Runs that are alive now, in any process. */
  held(): string[];
  /** Whether a run of another process, or of another connection here, is alive. */
  othersHold(): boolean;
  /** Errors: `index_unusable` when the file of a run that is alive here was removed: others take it for dead. */
  check(run: string): void;
  /**
   * Runs that are not `known` and whose process is gone, but not their file. Their locks are held from here on, until
   * they are released, so that none of them can be one that is just being made.
   */
  leftBehind(known: ReadonlySet<string>): string[];
}

/** The name under which a repair holds its lock among those of the runs. */
export const REPAIR = 'repair';
/** Milliseconds for which others may be asking whether a lock is held just when it is taken. */
const PROBED = 1_000;
/** How often a file may be taken for one that was left behind, and removed, while its lock is taken. */
const MOST_TRIES = 5;

interface Held {
  readonly db: Database;
  readonly print: string;
}

interface Probe extends Held {
  /** Made once the lock is free: as long as it is held SQLite cannot read what it needs for it. */
  read?: Statement;
}

/** Holds the lock of a run while it is opened, and from then on. Without one it would count as dead. */
export async function holding<T>(locks: Locks, run: string, open: () => Promise<T>): Promise<T> {
  locks.hold(run);
  try {
    return await open();
  } catch (error) {
    locks.release(run);
    throw error;
  }
}

export function locksOf(Sqlite: Sqlite, index: string): Locks {
  const folder = `${index}.runs`;
  const fileOf = (run: string) => join(folder, `${run}.lock`);
  const mine = new Map<string, Held>();
  const behind = new Map<string, Held>();
  const probes = new Map<string, Probe>();

  /** By reading, which only its holder stands in the way of: those who ask do not take each other for it. */
  const isLocked = (run: string, print: string): boolean => {
    const probe = probeOf(run, print);
    try {
      probe.read ??= keep(probe.db.prepare('SELECT count(*) FROM sqlite_schema'));
      probe.read.get();
      return false;
    } catch (error) {
      if (isBusy(error)) return true;
      dropProbe(run);
      throw error;
    }
  };

  /** One for each file, as it is asked again and again whether somebody has ended. */
  const probeOf = (run: string, print: string): Probe => {
    const open = probes.get(run);
    if (open?.print === print) return open;
    dropProbe(run);
    const db = keep(new Sqlite(fileOf(run), { timeout: 0, fileMustExist: true, readonly: true }));
    const probe = { db, print };
    probes.set(run, probe);
    return probe;
  };

  const dropProbe = (run: string) => {
    probes.get(run)?.db.close();
    probes.delete(run);
  };

  const isHeld = (run: string): boolean => {
    if (mine.has(run)) return true;
    const file = fileOf(run);
    try {
      const print = printOf(file);
      // No file: the run ended in order, or its folder was removed, or the index was copied without it.
      if (print !== undefined) return isLocked(run, print);
      dropProbe(run);
      return false;
    } catch {
      // One that may not be opened, be it for want of permission or of descriptors, tells nothing; to take a live run
      // for dead would be the worse mistake.
      return isThere(file);
    }
  };
  const held = () => runsIn(folder).filter(isHeld);

  return {
    hold(run) {
      try {
        makeFolders(folder);
        mine.set(run, lock(Sqlite, fileOf(run)));
      } catch (error) {
        throw indexError(deniedBy(folder, error), folder);
      }
    },
    release(run) {
      // First, lest somebody gets the lock of a file that is about to go.
      const isRemoved = remove(fileOf(run));
      for (const held of [mine, behind]) {
        held.get(run)?.db.close();
        held.delete(run);
      }
      dropProbe(run);
      // Windows removes no open file. Else nobody holds it: it only lies there.
      if (!isRemoved) remove(fileOf(run));
    },
    isHeld,
    letGo() {
      for (const { db } of [...mine.values(), ...behind.values(), ...probes.values()]) db.close();
      for (const all of [mine, behind, probes]) all.clear();
    },
    held,
    othersHold: () => held().some((run) => !mine.has(run)),
    check(run) {
      const own = mine.get(run);
      if (own === undefined || printOf(fileOf(run)) === own.print) return;
      throw new ImgtoolError(
        'index_unusable',
        `${index}: is in use, and its lock was removed (${fileOf(run)})`,
        {
          fix: 'leave that folder alone while imgtool works, and run the same command again',
        },
      );
    },
    leftBehind(known) {
      const found = runsIn(folder).filter(
        (run) => /^[0-9a-f]+$/.test(run) && !known.has(run) && !mine.has(run),
      );
      return found.filter((run) => {
        if (behind.has(run)) return true;
        if (isHeld(run)) return false;
        const taken = takeIfFree(Sqlite, fileOf(run));
        if (taken !== undefined) behind.set(run, taken);
        return taken !== undefined;
      });
    },
  };
}

/** Takes the lock of a new run. Errors: those of SQLite. */
function lock(Sqlite: Sqlite, file: string): Held {
  for (let tries = 1; ; tries++) {
    const held = tryLock(Sqlite, file, { timeout: PROBED });
    if (held !== undefined) return held;
    if (tries === MOST_TRIES) throw new Error('its lock is removed again and again');
  }
}

function takeIfFree(Sqlite: Sqlite, file: string): Held | undefined {
  try {
    return tryLock(Sqlite, file, { timeout: 0, fileMustExist: true });
  } catch {
    // It is somebody's, gone, or not to be opened by us.
    return undefined;
  }
}

/** Nothing when the file was removed, or another one made, before its lock was got. */
function tryLock(
  Sqlite: Sqlite,
  file: string,
  options: { timeout: number; fileMustExist?: boolean },
): Held | undefined {
  const db = keep(new Sqlite(file, options));
  const print = printOf(file);
  const isOurs = () => print !== undefined && printOf(file) === print;
  try {
    // Nothing is ever written, so no journal need lie beside it.
    db.exec('PRAGMA journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    if (print !== undefined && isOurs()) return { db, print };
  } catch (error) {
    db.close();
    if (isOurs()) throw error;
    return undefined;
  }
  db.close();
  return undefined;
}

/** SQLite does not say why it could not open a file. */
function deniedBy(folder: string, error: unknown): unknown {
  if (!systemCode(error)?.startsWith('SQLITE_CANTOPEN')) return error;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return error;
  } catch (denied) {
    return denied;
  }
}

function runsIn(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith('.lock'));
    return files.map((file) => file.slice(0, -'.lock'.length));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function remove(file: string): boolean {
  try {
    rmSync(file, { force: true });
    return true;
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
