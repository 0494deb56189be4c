import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { openSyncs } from '../syncs.ts';
import type { Connection } from './connection.ts';
import { databaseError, unusable } from './errors.ts';
import { realPlace } from './file.ts';

const flushed = promisify(fdatasync);

/** The steps of a connection, when each of them says whether it waits for the disk. */
export interface DurableConnection extends Pick<Connection, 'read' | 'close'> {
  /** One write transaction that survives a power cut once it resolves. */
  readonly write: Connection['write'];
  /** One write transaction that a power cut can take back until the next durable one has resolved. */
  readonly writeUnsynced: Connection['write'];
}

/**
 * SQLite itself waits for the disk in the thread of the event loop. Here it only writes, and another thread syncs its log,
 * once for all steps that wait. Others see a step before it is durable. Errors of all steps: those of the connection;
 * `index_unusable` once a sync has failed, because the system may have dropped a part of the log. A step whose own sync
 * fails may have been recorded.
 */
export function openDurable(
  { db, path, kind, ...connection }: Connection,
  flush = flushed,
): DurableConnection {
  const file = `${realPlace(path)}-wal`;
  let log: number | undefined;
  let failure: Error | undefined;
  // A longer log means fewer pauses in which SQLite moves it into the database, syncs included.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000');

  const sync = openSyncs(async () => {
    // Its name stays with this file: the connection checks that. SQLite holds no lock on it that a close could release.
    log ??= openSync(file, 'r+');
    await flush(log).catch((cause: unknown) => {
      const fix = 'check the disk, then start imgtool serve again';
      failure ??= unusable(`${path}: could not be written to the disk`, fix, cause);
    });
  });
  const unlessFailed =
    (how: Connection['write']): Connection['write'] =>
    async (step) => {
      if (failure !== undefined) throw failure;
      const value = await how(step);
      if (failure !== undefined) throw failure;
      return value;
    };

  return {
    read: unlessFailed(connection.read),
    writeUnsynced: unlessFailed(connection.write),
    write: unlessFailed(async (step) => {
      const value = await connection.write(step);
      await sync(file).catch((error: unknown) => {
        throw databaseError(error, path, kind);
      });
      return value;
    }),
    close() {
      if (log !== undefined) closeSync(log);
      log = undefined;
      connection.close();
    },
  };
}
