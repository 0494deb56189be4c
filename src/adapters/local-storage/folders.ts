import { rmdir } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { ImgtoolError, systemCode, writeError } from '../../errors.ts';
import { makeFolders } from '../file-systems.ts';
import { syncFolder } from './syncs.ts';

/**
 * Makes a folder and all folders above it. A caller waits until its new folders are durable, by a `sync` of the folder
 * above each.
 */
export function createFolderMaker(
  sync: (folder: string) => Promise<void>,
): (folder: string) => Promise<void> {
  /** New folders that a power cut could still remove. */
  const fresh = new Set<string>();
  return async (folder) => {
    makeNew(folder, (made) => fresh.add(made));
    if (fresh.size === 0) return;
    for (let at = folder; at !== dirname(at); at = dirname(at)) {
      if (!fresh.has(at)) continue;
      await sync(dirname(at));
      fresh.delete(at);
    }
  };
}

function makeNew(folder: string, made: (folder: string) => void): void {
  try {
    makeFolders(folder, made);
  } catch (error) {
    const known = writeError(error, folder);
    if (known.code !== 'io') throw known;
    const why = systemCode(error) ?? String(error);
    throw new ImgtoolError('io', `${folder}: this folder cannot be made (${why})`, {
      fix: 'look what is in its place, or choose another {{out}}',
      cause: error,
    });
  }
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
