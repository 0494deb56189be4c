import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../errors.ts';

/** What SQLite keeps beside a database. */
const BESIDE = ['-wal', '-shm'];

/**
 * Puts a whole new database under an index's name; the old one keeps its bytes under another, which is returned and
 * was nobody's. At no moment is there none.
 */
export function replaceIndex(path: string, fresh: string, now: number): string {
  makeAlike(fresh, path);
  flush(fresh);
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const aside = giveName(path, `${path}.broken-${stamp}`);
  // The other file beside it is made anew from this one.
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    placeAt(`${path}-wal`, `${aside}-wal`);
  }
  // Before the new file comes, to which they would be taken to belong.
  for (const end of BESIDE) rmSync(path + end, { force: true });
  renameSync(fresh, path);
  flush(dirname(path));
  return aside;
}

/** Who could use the old file can use the new one, whoever repairs it. */
function makeAlike(fresh: string, path: string): void {
  const { mode, uid, gid } = statSync(path);
  chmodSync(fresh, mode & 0o777);
  if (uid === statSync(fresh).uid && gid === statSync(fresh).gid) return;
  try {
    chownSync(fresh, uid, gid);
  } catch (error) {
    // It is the file of whoever repairs it then.
    if (systemCode(error) !== 'EPERM') throw error;
  }
}

/** Removes a database that was being made. */
export function dropDatabase(path: string): void {
  for (const end of ['', '-journal', ...BESIDE]) rmSync(path + end, { force: true });
}

function giveName(path: string, name: string): string {
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name}-${n}`;
    try {
      if (BESIDE.some((end) => existsSync(free + end))) continue;
      placeAt(path, free);
      return free;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** The same bytes under a second name that must be free. Errors: `EEXIST` and others of the system's. */
export function placeAt(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') throw error;
    // Where there are no hard links.
    copyFileSync(path, name, constants.COPYFILE_EXCL);
    flush(name);
  }
}

/** Makes a file, or the names in a folder, outlast a power cut. */
export function flush(path: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    // Windows opens no folders.
    if (systemCode(error) === 'EISDIR' || systemCode(error) === 'EPERM') return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'EPERM') throw error;
  } finally {
    closeSync(descriptor);
  }
}
