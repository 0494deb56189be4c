import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, orUndefined, systemCode } from '../../errors.ts';
import { keep, loadSqlite, type Sqlite } from './binding.ts';
import { checkIfSmall, migrate, versionOf } from './check.ts';
import { databaseError, inRepair, isBusy, unusable } from './errors.ts';
import { makeFolder, realPlace, sizeOf, watchIdentity } from './file.ts';
import type { DatabaseKind } from './kind.ts';
import { type Locks, locksOf, REPAIR } from './locks.ts';

/** Milliseconds that a step waits for a busy database before it fails. */
const BUSY_TIMEOUT = 30_000;
/** Milliseconds that one try of a step may block the event loop. */
const ONE_TRY = 5;

/** PRAGMAs of every connection. A cache of 2 MB, not the compiled-in 16 MB: the system caches the same pages. */
const SET_UP = 'PRAGMA journal_mode = WAL; PRAGMA cache_size = -2000; PRAGMA foreign_keys = ON';

/** A connection to a database. Its steps wait for other processes without blocking the event loop. */
export interface Connection {
  readonly db: Database;
  /** Prepares a statement and keeps it as long as the process. */
  readonly prepare: Database['prepare'];
  readonly path: string;
  readonly kind: DatabaseKind;
  readonly locks: Locks;
  /** One write transaction, all of it or nothing. Its result is recorded in the file that is at `path`. */
  write<T>(step: () => T): Promise<T>;
  /** One read transaction: it sees a single moment. */
  read<T>(step: () => T): Promise<T>;
  close(): void;
}

/** Which database is to be opened. */
type WantedDatabase = Pick<Connection, 'path' | 'kind'>;

/** To `work` means to write. To `look` is possible also where nothing can be written, and makes no new file. */
export type Purpose = 'work' | 'look';

/** Opens a database and makes what a caller needs of it. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function openWith<T extends object>(
  kind: DatabaseKind,
  path: string,
  purpose: Purpose,
  make: (connection: Connection) => T,
): Promise<T & { close(): Promise<void> }> {
  const connection = await connect(kind, path, purpose);
  try {
    return { ...make(connection), close: async () => connection.close() };
  } catch (error) {
    connection.close();
    throw databaseError(error, path, kind);
  }
}

/** Opens or makes the database at an absolute path. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function connect(
  kind: DatabaseKind,
  path: string,
  purpose: Purpose = 'work',
  busyTimeout = BUSY_TIMEOUT,
) {
  const Sqlite = loadSqlite();
  const asked = { path, kind };
  let db: Database | undefined;
  try {
    if (purpose === 'work') makeFolder(path, kind);
    const real = realPlace(path);
    const locks = locksOf(Sqlite, real, kind);
    refuseIfLeftBehind(asked, real, locks);
    if (purpose === 'look' && sizeOf(real) === 0) return inMemory(Sqlite, asked, busyTimeout, ':memory:');
    // A process that opens the damaged file just before it is replaced would leave a log beside the new one.
    if (locks.isHeld(REPAIR)) throw inRepair(path);
    // SQLite blocks the event loop while it waits, so it gives up at once and `whileBusy` waits instead.
    db = keep(new Sqlite(path, { timeout: ONE_TRY }));
    const opened = db;
    const checkFile = watchIdentity(real, kind, () => leaveBehind(opened, locks));
    if (purpose === 'work') refuseIfWriteProtected(real);
    await whileBusy(asked, busyTimeout, () => {
      // Check before anything is written: the database may belong to another program.
      const version = versionOf(opened, path, kind);
      opened.exec(`${SET_UP}; PRAGMA synchronous = ${kind.isDurable ? 'FULL' : 'NORMAL'}`);
      if (version !== kind.migrations.length) migrate(opened, path, locks, kind);
    });
    if (purpose === 'work') await whileBusy(asked, busyTimeout, () => checkIfSmall(opened, path, kind));
    // A repair may have begun meanwhile without noticing this connection.
    if (locks.isHeld(REPAIR)) throw inRepair(path);
    checkFile();
    return connectionTo({ db, path, kind, locks }, busyTimeout, checkFile);
  } catch (error) {
    db?.close();
    if (purpose === 'look' && isWriteProtected(error)) return lookAt(Sqlite, asked, busyTimeout);
    throw databaseError(error, path, kind);
  }
}

/**
 * Refuses to make a database where one was deleted while a run works with it: SQLite would share the log of the deleted
 * one. The second check is for one that another process has just made.
 */
function refuseIfLeftBehind({ path, kind }: WantedDatabase, real: string, locks: Locks): void {
  if (sizeOf(real) > 0 || locks.held().length === 0 || sizeOf(real) > 0) return;
  throw unusable(`${path}: was deleted while another process works with it`, kind.fixLeftBehind);
}

/** Whether a database could not be opened because something there is write-protected. */
function isWriteProtected(error: unknown): boolean {
  const code = systemCode(error instanceof ImgtoolError ? error.cause : error) ?? '';
  return /^(EACCES|EPERM|EROFS|SQLITE_(CANTOPEN|READONLY|IOERR_(SHM|LOCK|DELETE)).*)$/.test(code);
}

/**
 * Opens a copy of the database in memory. Readers of a database with a WAL write files beside it too. Where they cannot, a
 * copy is the only way to read it. Nobody works with such a database, unless there is something in its WAL.
 */
function lookAt(Sqlite: Sqlite, asked: WantedDatabase, busyTimeout: number): Connection {
  const { path, kind } = asked;
  try {
    const real = realPlace(path);
    if (sizeOf(`${real}-wal`) > 0) {
      const fix = 'run the command as someone who may write there';
      throw unusable(`${real}: may only be read, and its end lies in a log beside it`, fix);
    }
    const bytes = readFileSync(real);
    // Bytes 18 and 19 say how a database is written and read. 1 means without a WAL.
    bytes.fill(1, 18, 20);
    return inMemory(Sqlite, asked, busyTimeout, bytes);
  } catch (error) {
    throw databaseError(error, path, kind);
  }
}

/** A database in memory: the copy of a file, or an empty one where there is no file. */
function inMemory(Sqlite: Sqlite, asked: WantedDatabase, busyTimeout: number, content: Buffer | ':memory:') {
  const { path, kind } = asked;
  const db = keep(new Sqlite(content));
  for (const step of kind.migrations.slice(versionOf(db, path, kind))) db.exec(step);
  const locks = locksOf(Sqlite, realPlace(path), kind);
  return connectionTo({ ...asked, db, locks }, busyTimeout, () => {});
}

function connectionTo(
  { db, path, kind, locks }: WantedDatabase & Pick<Connection, 'db' | 'locks'>,
  busyTimeout: number,
  checkFile: () => void,
): Connection {
  const inTransaction = db.transaction((step: () => unknown) => step());
  /** Checks the file after each step: a step on a file that others do not see is worth nothing. */
  const onTheSameFile = <T>(step: () => T) =>
    whileBusy({ path, kind }, busyTimeout, () => {
      try {
        return step();
      } finally {
        // If the step failed as well, this error is the cause.
        checkFile();
      }
    });
  return {
    db,
    prepare: ((sql: string) => keep(db.prepare(sql))) as Database['prepare'],
    path,
    kind,
    locks,
    write: <T>(step: () => T) =>
      onTheSameFile(() => {
        // Check before the step too, outside the transaction: inside, the file cannot be checkpointed.
        checkFile();
        return inTransaction.immediate(step) as T;
      }),
    read: <T>(step: () => T) => onTheSameFile(() => inTransaction.deferred(step) as T),
    close(): void {
      locks.letGo();
      if (db.open) db.close();
    },
  };
}

/** Rows page by page, each page in a step of its own. `next` reads the rows after an id, in the order of their ids. */
export async function* pagesFrom<Id, Row extends { readonly id: Id }>(
  read: Connection['read'],
  first: Id,
  next: (after: Id) => Row[],
): AsyncGenerator<Row[]> {
  for (let after = first; ; ) {
    const rows = await read(() => next(after));
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.id;
  }
}

async function whileBusy<T>({ path, kind }: WantedDatabase, busyTimeout: number, step: () => T): Promise<T> {
  // Count the pauses, not the clock: a process that was stopped for an hour has not waited.
  for (let waited = 0, wait = 2; ; wait = Math.min(wait * 2, 100)) {
    try {
      return step();
    } catch (error) {
      if (!isBusy(error) || waited > busyTimeout) throw databaseError(error, path, kind);
      const pause = wait * (0.5 + Math.random());
      waited += pause + ONE_TRY;
      await sleep(pause);
    }
  }
}

/** SQLite opens a file that can only be read, and fails at the first write. */
function refuseIfWriteProtected(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK);
  accessSync(dirname(path), constants.W_OK | constants.X_OK);
}

/** Writes the WAL of a moved or deleted file into that file, and empties the WAL: a new file may use its name by now. */
function leaveBehind(db: Database, locks: Locks): void {
  // Another process may have opened the new file with this WAL. After an error the file stays as it is.
  orUndefined(() => locks.othersHold() || db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
}
