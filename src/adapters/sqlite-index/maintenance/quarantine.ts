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
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../../errors.ts';
import { printOf } from '../identity.ts';

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
  const quarantined = giveName(path, `${path}.broken-${stamp}`);
  // The other file beside it is made anew from this one.
  if (sizeOf(`${path}-wal`) > 0) placeAt(`${path}-wal`, `${quarantined}-wal`);
  // Before the new file comes, to which they would be taken to belong.
  removeBeside(path);
  renameSync(fresh, path);
  // Made meanwhile by somebody who had opened the old file: whoever opens the new one waits for the repair to end.
  removeBeside(path);
  flush(dirname(path));
  return quarantined;
}

/** Second names of an index that whoever was killed while replacing it left. Where there are no hard links, none. */
export function quarantinedOf(path: string): string[] {
  const own = printOf(path);
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.broken-`) && !name.endsWith('-wal'))
    .map((name) => join(dirname(path), name))
    .filter((quarantined) => printOf(quarantined) === own);
}

/** Undoes what was done of a replacement: without its log, which may lie under another name alone, rows are lost. */
export function takeBack(path: string, paths: readonly string[]): void {
  const ownLog = `${path}-wal`;
  for (const quarantined of paths) {
    const log = `${quarantined}-wal`;
    if (sizeOf(log) > 0 && printOf(log) !== printOf(ownLog)) {
      // Who has written into the database since, or begun another log, made that one worthless.
      if (sizeOf(ownLog) > 0 || statSync(path).mtimeMs > statSync(log).ctimeMs) continue;
      removeBeside(path);
      placeAt(log, ownLog);
    }
    rmSync(log, { force: true });
    rmSync(quarantined);
  }
}

function removeBeside(path: string): void {
  for (const end of BESIDE) rmSync(path + end, { force: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
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
