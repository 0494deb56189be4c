import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, systemCode } from '../../errors.ts';
import { remoteKind } from '../file-systems.ts';
import { keep } from './kept.ts';
import { type Locks, locksOf } from './locks.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** How long a step may meet a busy index before it fails, in milliseconds. */
const PATIENCE = 30_000;

/** A connection whose steps wait for other processes without blocking the event loop. */
export interface Connection {
  readonly db: Database;
  /** A statement of this connection, kept as long as the process. */
  readonly prepare: Database['prepare'];
  readonly path: string;
  readonly locks: Locks;
  /** One write step: all of it or nothing. */
  write<T>(step: () => T): Promise<T>;
  /** One read step: it sees a single moment. */
  read<T>(step: () => T): Promise<T>;
  close(): void;
}

/** Opens or makes the index at an absolute path. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function connect(
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Connection> {
  const { default: Sqlite } = await import('better-sqlite3').catch((cause: unknown) => {
    throw new ImgtoolError('index_unusable', 'the SQLite binding is missing or made for another Node', {
      fix: 'npm rebuild better-sqlite3 --allow-scripts=better-sqlite3',
      cause,
    });
  });
  const locks = locksOf(Sqlite, path);
  let db: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    refuseRemote(path);
    // A busy wait inside SQLite blocks the event loop, so it gives up at once and `patiently` waits instead.
    db = keep(new Sqlite(path, { timeout: 5 }));
    const opened = db;
    await patiently(path, () => {
      opened.exec('PRAGMA journal_mode = WAL');
      opened.exec('PRAGMA synchronous = NORMAL');
      opened.exec('PRAGMA foreign_keys = ON');
      migrate(opened, path, locks, migrations);
    });
    return connection(opened, path, locks);
  } catch (error) {
    db?.close();
    throw indexError(error, path);
  }
}

function connection(db: Database, path: string, locks: Locks): Connection {
  const inTransaction = db.transaction((step: () => unknown) => step());
  return {
    db,
    prepare: ((sql: string) => keep(db.prepare(sql))) as Database['prepare'],
    path,
    locks,
    write: <T>(step: () => T) => patiently(path, () => inTransaction.immediate(step) as T),
    read: <T>(step: () => T) => patiently(path, () => inTransaction.deferred(step) as T),
    close: () => {
      locks.letGo();
      if (db.open) db.close();
    },
  };
}

async function patiently<T>(path: string, step: () => T): Promise<T> {
  const giveUp = Date.now() + PATIENCE;
  for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
    try {
      return step();
    } catch (error) {
      if (!systemCode(error)?.startsWith('SQLITE_BUSY') || Date.now() > giveUp) throw indexError(error, path);
      await sleep(wait * (0.5 + Math.random()));
    }
  }
}

function migrate(db: Database, path: string, locks: Locks, migrations: readonly Migration[]): void {
  const version = keep(db.prepare<[], number>('PRAGMA user_version').pluck());
  const versionNow = () => version.get() ?? 0;
  const wanted = migrations.length;
  if (versionNow() === wanted) return;
  db.transaction(() => {
    const found = versionNow();
    // Another process was quicker.
    if (found === wanted) return;
    if (found > wanted) {
      throw new ImgtoolError(
        'index_newer',
        `${path}: was made by a newer imgtool (version ${found}, this one knows ${wanted})`,
        { fix: 'update imgtool, or name another index with --index' },
      );
    }
    if (found > 0 && locks.held().length > 0) {
      throw new ImgtoolError(
        'index_unusable',
        `${path}: cannot be updated while another imgtool works with it`,
        {
          fix: 'wait until it has ended, then run the same command again',
        },
      );
    }
    if (found > 0) saveCopy(db, path, found);
    for (const step of migrations.slice(found)) step(db);
    db.exec(`PRAGMA user_version = ${wanted}`);
  }).immediate();
}

function saveCopy(db: Database, path: string, version: number): void {
  const name = `${path}.v${version}`;
  // The write lock is held, so the serialized pages are one moment of the old index.
  writeOnce(name, db.serialize());
}

function writeOnce(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function refuseRemote(path: string): void {
  // Its WAL needs memory that all processes share.
  const name = remoteKind(dirname(path));
  if (name === undefined) return;
  throw new ImgtoolError('index_unusable', `${path}: lies on ${name}, where an index gets corrupted`, {
    fix: 'name a place on a local disk with --index',
  });
}

/** A failed step as an error that names the index and what to do. */
export function indexError(error: unknown, path: string): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? '';
  const what = error instanceof Error ? error.message : String(error);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return new ImgtoolError('no_space', `${path}: no space left for the index`, {
      fix: 'free some space or name another place with --index',
      cause: error,
    });
  }
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR' || code.startsWith('SQLITE_CORRUPT')) {
    return new ImgtoolError('index_unusable', `${path}: is no index or is damaged (${what})`, {
      fix: 'name another with --index; or, if it is the index, move it aside: a new one adopts the outputs there are',
      cause: error,
    });
  }
  return new ImgtoolError('index_unusable', `${path}: cannot be used (${what})`, {
    fix: 'check the path and its permissions, or name another place with --index',
    cause: error,
  });
}
