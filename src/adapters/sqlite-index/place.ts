import { readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ImgtoolError, systemCode } from '../../errors.ts';
import { makeFolders, remoteKind } from '../file-systems.ts';

/**
 * The path behind links. SQLite keeps its WAL beside the file itself, and so must the locks of runs lie: an index has
 * them in one place, whatever name it was opened by.
 */
export function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return path;
  }
}

/** Makes the folder of an index where it may be. Errors: `index_unusable`, the system's. */
export function makeFolder(path: string): void {
  const folder = dirname(path);
  makeFolders(folder);
  // Its WAL needs memory that all processes share.
  const name = remoteKind(folder);
  if (name === undefined) return;
  throw new ImgtoolError('index_unusable', `${path}: lies on ${name}, where an index gets corrupted`, {
    fix: 'name a place on a local disk with --index',
  });
}
