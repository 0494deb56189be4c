import { readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ImgtoolError, systemCode } from '../../errors.ts';
import { makeFolders, remoteKind } from '../file-systems.ts';

/**
 * The path behind links. SQLite puts its WAL beside the real file, and the locks of runs must be there too, so that an
 * index has one set of them under all its names.
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

/** Makes the folder of an index. Errors: `index_unusable` on a remote disk; those of the system. */
export function makeFolder(path: string): void {
  const folder = dirname(path);
  makeFolders(folder);
  // A WAL needs memory that all processes share.
  const name = remoteKind(folder);
  if (name === undefined) return;
  throw new ImgtoolError('index_unusable', `${path}: lies on ${name}, where an index gets corrupted`, {
    fix: 'name a place on a local disk with {{index}}',
  });
}
