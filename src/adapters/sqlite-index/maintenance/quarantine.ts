import { chmodSync, chownSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { orUndefined, systemCode } from '../../../errors.ts';
import { placeAt } from '../../sqlite/copy.ts';
import { BESIDE, flush, printOf, sizeOf } from '../../sqlite/file.ts';

/**
 * Puts a complete new database under the name of an index. The old file gets a free name, which is returned. The index
 * is there at every moment.
 */
export function replaceIndex(path: string, fresh: string, now: number): string {
  makeAlike(fresh, path);
  flush(fresh);
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const quarantined = giveName(path, `${path}.broken-${stamp}`);
  // Beside the WAL there is a file `-shm`: SQLite makes it again from the WAL.
  if (sizeOf(`${path}-wal`) > 0) placeAt(`${path}-wal`, `${quarantined}-wal`);
  // Remove both files before the new index comes: SQLite would read them as a part of it.
  removeBeside(path);
  renameSync(fresh, path);
  // A process that opened the old file may have made them again. Processes that open the new file wait until the repair
  // ends.
  removeBeside(path);
  flush(dirname(path));
  return quarantined;
}

/** Second names that a killed repair left. There are none where the disk has no hard links. */
export function quarantinedOf(path: string): string[] {
  const own = printOf(path);
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.broken-`) && !name.endsWith('-wal'))
    .map((name) => join(dirname(path), name))
    .filter((quarantined) => printOf(quarantined) === own);
}

/** Undoes an unfinished replacement: rows would be lost if the log existed only under its second name. */
export function takeBack(path: string, paths: readonly string[]): void {
  const ownLog = `${path}-wal`;
  for (const quarantined of paths) {
    const log = `${quarantined}-wal`;
    if (sizeOf(log) > 0 && printOf(log) !== printOf(ownLog)) {
      // A later write to the database, or a new log, makes this log worthless.
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

/** Gives the new file the mode and the owner of the old one. */
function makeAlike(fresh: string, path: string): void {
  const { mode, uid, gid } = statSync(path);
  chmodSync(fresh, mode & 0o777);
  if (uid === statSync(fresh).uid && gid === statSync(fresh).gid) return;
  // Without that right, the file belongs to the user who repairs.
  orUndefined(() => chownSync(fresh, uid, gid), /^EPERM$/);
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
