import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { keep, loadSqlite, type Sqlite } from './binding.ts';
import { checkIfSmall, isUpToDate, refuseStrangers } from './check.ts';
import { indexError, inRepair, isBusy, stillInUse } from './errors.ts';
import { type Identity, identityOf } from './identity.ts';
import { type Locks, locksOf, REPAIR } from './locks.ts';
import type { Migration } from './migrations.ts';
import { makeFolder, realPlace } from './place.ts';

/** How long a step may meet a busy index before it fails, in milliseconds. */
const BUSY_TIMEOUT = 30_000;
/** How long one try may block the event loop, in milliseconds. */
const ONE_TRY = 5;

/** A connection whose steps wait for other processes without blocking the event loop. */
export interface Connection {
  readonly db: Database;
  /** A statement of this connection, kept as long as the process. */
  readonly prepare: Database['prepare'];
  readonly path: string;
  readonly locks: Locks;
  /** One write step: all of it or nothing. What it returns is recorded in the file that lies at `path`. */
  write<T>(step: () => T): Promise<T>;
  /** One read step: it sees a single moment. */
  read<T>(step: () => T): Promise<T>;
  close(): void;
}

/** To `work` with an index is to write into it; to `look` at it is possible where nothing may be written. */
export type Purpose = 'work' | 'look';

interface Opening {
  readonly purpose?: Purpose;
  readonly migrations?: readonly Migration[];
  /** Milliseconds a step waits for others. */
  readonly busyTimeout?: number;
}

/** Opens or makes the index at an absolute path. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function connect(
  path: string,
  { purpose = 'work', migrations, busyTimeout = BUSY_TIMEOUT }: Opening = {},
): Promise<Connection> {
  const Sqlite = await loadSqlite();
  let db: Database | undefined;
  try {
    makeFolder(path);
    const real = realPlace(path);
    const locks = locksOf(Sqlite, real);
    refuseIfLeftBehind(path, real, locks);
    refuseIfInRepair(path, locks);
    // A busy wait inside SQLite blocks the event loop, so it gives up at once and `whileBusy` waits instead.
    db = keep(new Sqlite(path, { timeout: ONE_TRY }));
    const opened = db;
    const identity = identityOf(real, () => leaveBehind(opened, locks));
    if (purpose === 'work') mustBeWritable(real);
    const isReady =
      migrations === undefined && (await whileBusy(path, busyTimeout, () => isUpToDate(opened)));
    if (isReady) await whileBusy(path, busyTimeout, () => setUp(opened));
    else await bringUpToDate(Sqlite, opened, path, locks, busyTimeout, migrations);
    if (purpose === 'work') await whileBusy(path, busyTimeout, () => checkIfSmall(opened, path));
    // It may have begun since, and have seen nobody.
    refuseIfInRepair(path, locks);
    identity.check();
    return connection(opened, path, locks, busyTimeout, identity);
  } catch (error) {
    db?.close();
    if (purpose === 'look') {
      const { mayBeLookedAt } = await import('./maintenance/snapshot.ts');
      if (mayBeLookedAt(error)) return lookAt(Sqlite, path, busyTimeout, migrations);
    }
    throw indexError(error, path);
  }
}

/**
 * Refuses to make an index where one was deleted that a run still works with: SQLite would share that one's log. The
 * second look is for one that another process has just made.
 */
function refuseIfLeftBehind(path: string, real: string, locks: Locks): void {
  if (isEmpty(real) && locks.held().length > 0 && isEmpty(real)) throw stillInUse(path);
}

/** Whoever opened the damaged file just before it goes would leave a log beside the new one. */
function refuseIfInRepair(path: string, locks: Locks): void {
  if (locks.isHeld(REPAIR)) throw inRepair(path);
}

function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Makes an index of an empty file, or the newest version of an older index; refuses what is neither. */
async function bringUpToDate(
  Sqlite: Sqlite,
  db: Database,
  path: string,
  locks: Locks,
  busyTimeout: number,
  given: readonly Migration[] | undefined,
): Promise<void> {
  const { migrate, MIGRATIONS } = await import('./migrate.ts');
  const migrations = given ?? MIGRATIONS;
  await whileBusy(path, busyTimeout, () => {
    // Before anything is written: it may be another program's.
    refuseStrangers(Sqlite, db, path, migrations);
    setUp(db);
    migrate(db, path, locks, migrations);
  });
}

function setUp(db: Database): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = NORMAL');
  // 2 MB, not the 16 that are compiled in and filled as the index grows: the system holds the same pages.
  db.exec('PRAGMA cache_size = -2000');
  db.exec('PRAGMA foreign_keys = ON');
}

/** The index as it is, where nothing may be written, not even the files beside it that readers need. */
async function lookAt(
  Sqlite: Sqlite,
  path: string,
  busyTimeout: number,
  given: readonly Migration[] | undefined,
): Promise<Connection> {
  const [{ MIGRATIONS }, { openSnapshot }] = await Promise.all([
    import('./migrate.ts'),
    import('./maintenance/snapshot.ts'),
  ]);
  const migrations = given ?? MIGRATIONS;
  try {
    const real = realPlace(path);
    const locks = locksOf(Sqlite, real);
    const db = openSnapshot(Sqlite, real);
    refuseStrangers(Sqlite, db, path, migrations);
    for (const step of migrations.slice(Number(keep(db.prepare('PRAGMA user_version').pluck()).get())))
      step(db);
    return connection(db, path, locks, busyTimeout, { check: () => {} });
  } catch (error) {
    throw indexError(error, path);
  }
}

function connection(
  db: Database,
  path: string,
  locks: Locks,
  busyTimeout: number,
  identity: Identity,
): Connection {
  const inTransaction = db.transaction((step: () => unknown) => step());
  /** Looks afterwards, so that nothing counts as read or recorded that is not in the file others see. */
  const onTheSameFile = <T>(step: () => T) =>
    whileBusy(path, busyTimeout, () => {
      try {
        return step();
      } finally {
        // An error of its own is but what follows from this one.
        identity.check();
      }
    });
  return {
    db,
    prepare: ((sql: string) => keep(db.prepare(sql))) as Database['prepare'],
    path,
    locks,
    write: <T>(step: () => T) =>
      onTheSameFile(() => {
        // Nothing is begun in vain; not within the transaction, in which a file cannot be made whole.
        identity.check();
        return inTransaction.immediate(step) as T;
      }),
    read: <T>(step: () => T) => onTheSameFile(() => inTransaction.deferred(step) as T),
    close: () => {
      locks.letGo();
      if (db.open) db.close();
    },
  };
}

async function whileBusy<T>(path: string, busyTimeout: number, step: () => T): Promise<T> {
  // Not by the clock: who was stopped for an hour has not waited for one.
  for (let waited = 0, wait = 2; ; wait = Math.min(wait * 2, 100)) {
    try {
      return step();
    } catch (error) {
      if (!isBusy(error) || waited > busyTimeout) throw indexError(error, path);
      const pause = wait * (0.5 + Math.random());
      waited += pause + ONE_TRY;
      await sleep(pause);
    }
  }
}

/** SQLite would open what may only be read, and fail at the first step that writes. */
function mustBeWritable(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK);
  accessSync(dirname(path), constants.W_OK | constants.X_OK);
}

/**
 * Makes a file whole that was moved or deleted while it was open: what its WAL holds is written into it, and the WAL,
 * whose name another file may have by now, is emptied, lest it is taken for that file's.
 */
function leaveBehind(db: Database, locks: Locks): void {
  try {
    // Others may have opened the new file with this very WAL.
    if (!locks.othersHold()) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // It stays as it is.
  }
}
