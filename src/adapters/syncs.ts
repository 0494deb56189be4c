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
 * Syncs files or folders. Calls during a sync share one more sync afterwards: the running one may have missed what they
 * wrote.
 */
export function openSyncs(sync: (path: string) => Promise<void>): (path: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  const begin = (path: string): Promise<void> => {
    const turn = sync(path).finally(() => {
      if (running.get(path) === turn) running.delete(path);
    });
    running.set(path, turn);
    waiting.delete(path);
    return turn;
  };

  return (path) => {
    const before = running.get(path);
    if (before === undefined) return begin(path);
    const next = waiting.get(path) ?? before.catch(() => {}).then(() => begin(path));
    waiting.set(path, next);
    return next;
  };
}
