import { fdatasync } from 'node:fs';
import { promisify } from 'node:util';
import { openSyncs, syncFile } from '../syncs.ts';
import type { Connection } from './connection.ts';
import { unusable } from './errors.ts';
import { realPlace } from './file.ts';

const flushed = promisify(fdatasync);

/**
 * Write steps that resolve once they survive a power cut. SQLite itself would wait for the disk in the thread of the event
 * loop: here it only writes, and the log is synced on another thread, once for all steps that wait. Closing the log
 * releases no lock of SQLite, because none is on that file. Errors: those of `write`; `index_unusable` for every step after
 * a failed sync, because the system may have dropped a part of the log.
 */
export function openDurableWrite({ db, path, write }: Connection, flush = flushed): Connection['write'] {
  const log = `${realPlace(path)}-wal`;
  const sync = openSyncs((file) => syncFile(file, flush));
  let failure: Error | undefined;
  // A longer log means fewer pauses in which SQLite moves it into the database, syncs included.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000');
  return async (step) => {
    if (failure !== undefined) throw failure;
    const value = await write(step);
    await sync(log).catch((cause: unknown) => {
      failure ??= unusable(
        `${path}: could not be written to the disk`,
        'check the disk, then start imgtool serve again',
        cause,
      );
    });
    if (failure !== undefined) throw failure;
    return value;
  };
}
