import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { keep, loadSqlite, type Sqlite } from './binding.ts';
import { checkIfSmall, isUpToDate, refuseStrangers } from './check.ts';
import { indexError, inRepair, isBusy, stillInUse } from './errors.ts';
import { type Identity, watchIdentity } from './identity.ts';
import { type Locks, locksOf, REPAIR } from './locks.ts';
import type { Migration } from './migrations.ts';
import { makeFolder, realPlace } from './place.ts';

/** Milliseconds a step waits for a busy index before it fails. */
const BUSY_TIMEOUT = 30_000;
/** Milliseconds one try may block the event loop. */
const ONE_TRY = 5;

/** A connection to the index. Its steps wait for other processes without blocking the event loop. */
export interface Connection {
  readonly db: Database;
  /** Prepares a statement and keeps it as long as the process. */
  readonly prepare: Database['prepare'];
  readonly path: string;
  readonly locks: Locks;
  /** One write transaction, all of it or nothing. Its result is recorded in the file that is at `path`. */
  write<T>(step: () => T): Promise<T>;
  /** One read transaction: it sees a single moment. */
  read<T>(step: () => T): Promise<T>;
  close(): void;
}

/** To `work` means to write. To `look` is possible also where nothing can be written. */
export type Purpose = 'work' | 'look';

interface Opening {
  readonly purpose?: Purpose;
  readonly migrations?: readonly Migration[];
  /** Milliseconds a step waits for other processes. */
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
    // SQLite blocks the event loop while it waits, so it gives up at once and `whileBusy` waits instead.
    db = keep(new Sqlite(path, { timeout: ONE_TRY }));
    const opened = db;
    const identity = watchIdentity(real, () => leaveBehind(opened, locks));
    if (purpose === 'work') mustBeWritable(real);
    const isReady =
      migrations === undefined && (await whileBusy(path, busyTimeout, () => isUpToDate(opened)));
    if (isReady) await whileBusy(path, busyTimeout, () => setUp(opened));
    else await bringUpToDate(Sqlite, opened, path, locks, busyTimeout, migrations);
    if (purpose === 'work') await whileBusy(path, busyTimeout, () => checkIfSmall(opened, path));
    // A repair may have begun meanwhile without noticing this connection.
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
 * Refuses to make an index where one was deleted while a run works with it: SQLite would share the log of the deleted
 * one. The second check is for an index that another process has just made.
 */
function refuseIfLeftBehind(path: string, real: string, locks: Locks): void {
  if (isEmpty(real) && locks.held().length > 0 && isEmpty(real)) throw stillInUse(path);
}

/** A process that opens the damaged file just before it is replaced would leave a log beside the new one. */
function refuseIfInRepair(path: string, locks: Locks): void {
  if (locks.isHeld(REPAIR)) throw inRepair(path);
}

function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Makes an index of an empty file, or updates an older index. Refuses anything else. */
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
    // Check before anything is written: the database may belong to another program.
    refuseStrangers(Sqlite, db, path, migrations);
    setUp(db);
    migrate(db, path, locks, migrations);
  });
}

function setUp(db: Database): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = NORMAL');
  // 2 MB instead of the compiled-in 16 MB: the system caches the same pages.
  db.exec('PRAGMA cache_size = -2000');
  db.exec('PRAGMA foreign_keys = ON');
}

/** A copy of the index in memory, where nothing can be written, not even the files that readers need. */
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
  /** Checks the file after each step: a step on a file that others do not see is worth nothing. */
  const onTheSameFile = <T>(step: () => T) =>
    whileBusy(path, busyTimeout, () => {
      try {
        return step();
      } finally {
        // If the step failed as well, this error is the cause.
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
        // Check before the step too, outside the transaction: inside, the file cannot be checkpointed.
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
  // Count the pauses, not the clock: a process that was stopped for an hour has not waited.
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

/** SQLite opens a file that can only be read, and fails at the first write. */
function mustBeWritable(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK);
  accessSync(dirname(path), constants.W_OK | constants.X_OK);
}

/**
 * Completes a file that was moved or deleted while it was open: writes its WAL into it and empties the WAL, whose name
 * a new file may use by now.
 */
function leaveBehind(db: Database, locks: Locks): void {
  try {
    // Another process may have opened the new file with this WAL.
    if (!locks.othersHold()) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // The file stays as it is.
  }
}
