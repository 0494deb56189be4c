import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const flushed = promisify(fsync);

/** Makes the bytes of a file durable. */
export async function syncFile(path: string): Promise<void> {
  // A file opened for reading can be synced, except on Windows. This works on read-only files too.
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await flushed(file);
  } finally {
    closeSync(file);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(path);
}

/**
 * Syncs folders for many callers. Calls that arrive during a sync of the same folder share one more sync afterwards:
 * the running one may have missed their names.
 */
export function openFolderSyncs(sync = syncFolder): (folder: string) => Promise<void> {
  const underway = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  const begin = (folder: string): Promise<void> => {
    const turn = sync(folder).finally(() => {
      if (underway.get(folder) === turn) underway.delete(folder);
    });
    underway.set(folder, turn);
    return turn;
  };

  return (folder) => {
    const before = underway.get(folder);
    if (before === undefined) return begin(folder);
    const waiting = next.get(folder);
    if (waiting !== undefined) return waiting;
    const turn = before
      .catch(() => {})
      .then(() => {
        next.delete(folder);
        return begin(folder);
      });
    next.set(folder, turn);
    return turn;
  };
}
