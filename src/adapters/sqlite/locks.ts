import { accessSync, constants, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { orUndefined } from '../../errors.ts';
import { makeFolders } from '../file-systems.ts';
import { keep, type Sqlite } from './binding.ts';
import { databaseError, isBusy, unusable } from './errors.ts';
import { printOf } from './file.ts';
import type { DatabaseKind } from './kind.ts';

/** A repair holds a lock with this name among those of the runs. */
export const REPAIR = 'repair';
/** Milliseconds to wait for others that probe the lock while it is taken. */
const PROBED = 1_000;
/** How often another process may remove the file, as if left behind, while its lock is taken. */
const MOST_TRIES = 5;

/** A lock file that is open. When another file takes its path, the `print` of the path is another one. */
interface LockFile {
  readonly db: Database;
  readonly print: string;
}

/** Holds the lock of a run before it is opened: without a lock the run would count as dead. */
export async function holding<T>(locks: Locks, run: string, open: () => Promise<T>): Promise<T> {
  locks.hold(run);
  try {
    return await open();
  } catch (error) {
    locks.release(run);
    throw error;
  }
}

export type Locks = ReturnType<typeof locksOf>;

/**
 * A run is alive as long as its process holds the lock on a small file beside the database. The system frees the lock when
 * the process ends, however it ends, and keeps it while the process is stopped. Neither process ids nor clocks are
 * needed.
 */
export function locksOf(Sqlite: Sqlite, path: string, kind: DatabaseKind) {
  const folder = `${path}.runs`;
  const fileOf = (run: string) => join(folder, `${run}.lock`);
  const mine = new Map<string, LockFile>();
  const behind = new Map<string, LockFile>();
  /** Connections that test whether a lock is held. They stay open, because the same lock is tested again and again. */
  const probes = new Map<string, LockFile>();

  const openProbe = (run: string, print: string): LockFile => {
    // Runs that have ended meanwhile are not asked about again.
    for (const [other, { print }] of probes) if (printOf(fileOf(other)) !== print) close(probes, other);
    const options = { timeout: 0, fileMustExist: true, readonly: true };
    const probe = { db: keep(new Sqlite(fileOf(run), options)), print };
    probes.set(run, probe);
    return probe;
  };

  const isLocked = (run: string): boolean => {
    const print = printOf(fileOf(run));
    if (probes.get(run)?.print !== print) close(probes, run);
    // Without a file the run has ended, its folder was removed, or the database was copied without it.
    if (print === undefined) return false;
    const probe = probes.get(run) ?? openProbe(run, print);
    try {
      // Reading fails only while the lock is held: two processes that ask do not disturb each other.
      probe.db.exec('SELECT count(*) FROM sqlite_schema');
      return false;
    } catch (error) {
      if (isBusy(error)) return true;
      close(probes, run);
      throw error;
    }
  };

  const isHeld = (run: string): boolean => {
    if (mine.has(run)) return true;
    // A file that cannot be opened, for lack of permission or descriptors, proves nothing. To take a live run for dead
    // would be worse.
    const isGone = () => printOf(fileOf(run)) === undefined;
    return orUndefined(() => isLocked(run)) ?? orUndefined(isGone) !== true;
  };
  /** All runs that are alive, in any process. */
  const held = (): string[] => runsIn(folder).filter(isHeld);

  return {
    hold(run: string): void {
      try {
        makeFolders(folder);
        // SQLite does not say why it cannot open a file.
        accessSync(folder, constants.W_OK | constants.X_OK);
        mine.set(run, lock(Sqlite, fileOf(run)));
      } catch (error) {
        throw databaseError(error, folder, kind);
      }
    },
    /** Removes the file of a run that has ended, was recovered or was left behind. */
    release(run: string): void {
      // Remove the file first, so that nobody can lock a file that is about to go.
      const isRemoved = remove(fileOf(run));
      for (const files of [mine, behind, probes]) close(files, run);
      // Windows removes no open file. On other systems an old file that stays does no harm.
      if (!isRemoved) remove(fileOf(run));
    },
    isHeld,
    /** Drops all locks of this connection; their runs then count as dead. */
    letGo(): void {
      for (const files of [mine, behind, probes]) for (const run of files.keys()) close(files, run);
    },
    held,
    /** Whether a run is alive that another process or another connection holds. */
    othersHold: (): boolean => held().some((run) => !mine.has(run)),
    /** Errors: `index_unusable` when the lock file of a live run was removed: other processes take the run for dead. */
    check(run: string): void {
      const own = mine.get(run);
      if (own === undefined || printOf(fileOf(run)) === own.print) return;
      const fix = 'leave that folder alone while imgtool works, and run the same command again';
      throw unusable(`${path}: is in use, and its lock was removed (${fileOf(run)})`, fix);
    },
    /**
     * Runs that are not `known`, whose process is gone and whose file is still there. Their locks are held until they
     * are released, so that none of them is a run that begins just now.
     */
    leftBehind(known: ReadonlySet<string>): string[] {
      return runsIn(folder).filter((run) => {
        if (!/^[0-9a-f]+$/.test(run) || known.has(run) || mine.has(run)) return false;
        if (behind.has(run)) return true;
        if (isHeld(run)) return false;
        // Another process may hold the lock, or its file is gone or cannot be opened.
        const taken = orUndefined(() => tryLock(Sqlite, fileOf(run), { timeout: 0, fileMustExist: true }));
        if (taken !== undefined) behind.set(run, taken);
        return taken !== undefined;
      });
    },
  };
}

function close(files: Map<string, LockFile>, run: string): void {
  files.get(run)?.db.close();
  files.delete(run);
}

/** Takes the lock of a new run. Errors: those of SQLite. */
function lock(Sqlite: Sqlite, file: string): LockFile {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const held = tryLock(Sqlite, file, { timeout: PROBED });
    if (held !== undefined) return held;
  }
  throw new Error('its lock is removed again and again');
}

/** Undefined when the file was removed or replaced before the lock was taken. */
function tryLock(Sqlite: Sqlite, file: string, options: { timeout: number; fileMustExist?: boolean }) {
  const db = keep(new Sqlite(file, options));
  const print = printOf(file);
  const isOurs = () => print !== undefined && printOf(file) === print;
  try {
    // Nothing is ever written, so no journal is needed beside the file.
    db.exec('PRAGMA journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    if (print !== undefined && isOurs()) return { db, print };
    db.close();
  } catch (error) {
    db.close();
    if (isOurs()) throw error;
  }
  return undefined;
}

function runsIn(folder: string): string[] {
  const files = orUndefined(() => readdirSync(folder), /^ENOENT$/) ?? [];
  return files.filter((file) => file.endsWith('.lock')).map((file) => file.slice(0, -'.lock'.length));
}

function remove(file: string): boolean {
  try {
    rmSync(file, { force: true });
    return true;
  } catch {
    return false;
  }
}
