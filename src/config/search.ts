import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ImgtoolError, systemCode } from '../errors.ts';

/** Names of the file that is searched from the working folder upwards. */
const NAMES = ['.imgtoolrc', '.imgtoolrc.json', '.imgtoolrc.yaml', '.imgtoolrc.yml'];
const USER_NAMES = ['config.yaml', 'config.yml', 'config.json'];

/** The nearest `.imgtoolrc` at or above the folder. Errors: `config` where a folder has two. */
export function findUpwards(folder: string): string | undefined {
  const found = oneOf(folder, NAMES);
  if (found !== undefined) return found;
  const parent = dirname(folder);
  return parent === folder ? undefined : findUpwards(parent);
}

/** The user's own file in this folder. Errors: `config` where there are two. */
export function findUserFile(folder: string): string | undefined {
  return oneOf(folder, USER_NAMES);
}

function oneOf(folder: string, names: readonly string[]): string | undefined {
  const [first, second] = names.map((name) => join(folder, name)).filter(isThere);
  if (first !== undefined && second !== undefined) {
    throw new ImgtoolError('config', `${second}: stands beside ${first}, expected one of them`, {
      fix: 'move all settings into one file and remove the other',
    });
  }
  return first;
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A folder above the working folder may be unreadable.
    if (['EACCES', 'EPERM', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
