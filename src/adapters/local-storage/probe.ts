import { lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export const FILE_PROBE = {
  isThere: (source: string) => !isNothing(source),
  // A mount point without its disk is an empty folder.
  isGone: (source: string) => isNothing(source) && lackOf(folderAbove(source)) === undefined,
  kindOf,
  lackOf,
};

function isNothing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
  }
}

/** The nearest folder above that is there. */
function folderAbove(path: string): string {
  const above = dirname(path);
  if (above === path) return path;
  return statSync(above, { throwIfNoEntry: false })?.isDirectory() ? above : folderAbove(above);
}

function kindOf(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return 'a folder';
  if (found?.isSymbolicLink()) return 'a link';
  if (found?.isFIFO()) return 'a pipe';
  return found?.isSocket() ? 'a socket' : 'a device';
}

function lackOf(folder: string): string | undefined {
  if (isNothing(folder)) return 'is not there';
  try {
    return readdirSync(folder).length === 0 ? 'is empty' : undefined;
  } catch {
    return undefined;
  }
}
