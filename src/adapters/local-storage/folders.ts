import { closeSync, fsync, openSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { promisify } from 'node:util';
import { ImgtoolError, systemCode, writeError } from '../../errors.ts';
import { makeFolders } from '../file-systems.ts';

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
async function syncFolder(path: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(path);
}

/** Syncs folders. Calls during a sync share one more sync afterwards: the running one may have missed their names. */
export function openFolderSyncs(sync = syncFolder): (folder: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  const begin = (folder: string): Promise<void> => {
    const turn = sync(folder).finally(() => {
      if (running.get(folder) === turn) running.delete(folder);
    });
    running.set(folder, turn);
    waiting.delete(folder);
    return turn;
  };

  return (folder) => {
    const before = running.get(folder);
    if (before === undefined) return begin(folder);
    const next = waiting.get(folder) ?? before.catch(() => {}).then(() => begin(folder));
    waiting.set(folder, next);
    return next;
  };
}

/**
 * Makes a folder and those above it, and waits until all are durable, by a `sync` of the folder above each. Errors name the
 * folder as `named`.
 */
export function createFolderMaker(sync: (folder: string) => Promise<void>) {
  /** New folders that a power cut could still remove. */
  const fresh = new Set<string>();
  return async (folder: string, named = folder): Promise<void> => {
    try {
      makeFolders(folder, (made) => fresh.add(made));
    } catch (error) {
      throw makingError(error, named);
    }
    if (fresh.size === 0) return;
    for (let at = folder; at !== dirname(at); at = dirname(at)) {
      if (!fresh.has(at)) continue;
      await sync(dirname(at));
      fresh.delete(at);
    }
  };
}

function makingError(error: unknown, folder: string): ImgtoolError {
  const known = writeError(error, folder);
  if (known.code !== 'io' || known.fix !== undefined) return known;
  const why = systemCode(error) ?? String(error);
  return new ImgtoolError('io', `${folder}: this folder cannot be made (${why})`, {
    fix: 'look what is in its place, or choose another {{out}}',
    cause: error,
  });
}

/** Removes a folder and those above it, up to `out`, while they are empty, and makes that durable. */
export async function removeEmpty(folder: string, out: string): Promise<void> {
  for (let at = folder; at !== out && at.startsWith(out + sep); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return syncFolder(at);
    }
  }
  await syncFolder(out).catch(() => {});
}
