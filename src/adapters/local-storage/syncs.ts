import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const flushed = promisify(fsync);

/** Makes a file's bytes durable. */
export async function syncFile(path: string): Promise<void> {
  // Reading suffices to sync, and works on a read-only file; not so on Windows.
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await flushed(file);
  } finally {
    closeSync(file);
  }
}

/** Makes what was done to the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(path);
}

/**
 * Syncs folders for many at once. What is asked for while a sync of the same folder is under way is served, all of it,
 * by one more after that: the one under way may not know of the names given since it began.
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
