import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { outputExists, systemCode } from '../../errors.ts';
import type { Staged } from '../../ports.ts';

/** Errors that prevent a hard link but not a copy. */
const NO_LINKS = new Set(['EPERM', 'EMLINK', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/** A staged file, its final name, and whether to replace the file that is already there. */
type FinalName = Pick<Staged, 'path' | 'final'> & { readonly replace: boolean };

/**
 * Gives a staged file its final name. Without `replace` it makes a hard link, which never overwrites, even in a race.
 * Where there are no hard links, a moment remains between the check and the rename. Returns true when the staged name
 * is certainly gone.
 */
export async function show({ path, final, replace }: FinalName): Promise<boolean> {
  if (!replace) {
    try {
      linkSync(path, final);
      unlinkSync(path);
      return true;
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EEXIST' || (await lstat(final).catch(() => null)) !== null)
        throw outputExists(final, error);
      if (code === undefined || !NO_LINKS.has(code)) throw error;
    }
  }
  await renamePatiently(path, final);
  // If both names belong to one file, rename does nothing.
  return false;
}

/** Gives a file a second name. Returns false where a file cannot get a second name. */
export function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (NO_LINKS.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** Bytes of the longest name that common disks allow. */
const LONGEST = 255;

/**
 * Bytes of the longest name in a folder. Some disks allow fewer than 255: eCryptfs allows 143. Node does not report the
 * limit, so this function looks for files with long names and sees when the system refuses.
 */
export function longestNameIn(folder: string): number {
  const fits = (bytes: number) => {
    try {
      lstatSync(join(folder, 'x'.repeat(bytes)), { throwIfNoEntry: false });
      return true;
    } catch (error) {
      return systemCode(error) !== 'ENAMETOOLONG';
    }
  };
  if (fits(LONGEST)) return LONGEST;
  let [fitting, tooLong] = [1, LONGEST];
  while (tooLong - fitting > 1) {
    const middle = Math.floor((fitting + tooLong) / 2);
    if (fits(middle)) fitting = middle;
    else tooLong = middle;
  }
  return fitting;
}

/** On Windows a virus scanner may hold a file for a moment. */
async function renamePatiently(from: string, to: string): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return renameSync(from, to);
    } catch (error) {
      const busy = systemCode(error) === 'EPERM' || systemCode(error) === 'EBUSY';
      if (process.platform !== 'win32' || !busy || wait > 1_000) throw error;
      await sleep(wait);
    }
  }
}
