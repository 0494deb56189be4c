import { rmdir } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { ImgtoolError, systemCode, writeError } from '../../errors.ts';
import { makeFolders } from '../file-systems.ts';
import { syncFolder } from '../syncs.ts';

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

/** Removes a folder and those above it, up to `out`, while they are empty, and makes that durable by `sync`. */
export async function removeEmpty(folder: string, out: string, sync = syncFolder): Promise<void> {
  for (let at = folder; at !== out && at.startsWith(out + sep); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return sync(at);
    }
  }
  await sync(out).catch(() => {});
}
