import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Remote and virtual file systems, by statfs(2) magic number. They have no shared memory and report no changes. */
const REMOTE = new Map([
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x786f4256, 'vboxsf'],
]);

/** File systems of the system itself, where no program can keep files, whatever the permissions say. */
const NO_FILES = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x1cd1, 'devpts'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
]);

/**
 * Makes a folder and the missing folders above it, and calls `made` for each. Node’s recursive mkdir never returns
 * where the system denies that an existing parent is there, as in /proc. Errors: those of the system.
 */
export function makeFolders(folder: string, made: (folder: string) => void = () => {}): void {
  if (isFolderAt(folder)) return;
  if (dirname(folder) !== folder) makeFolders(dirname(folder), made);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (isFolderAt(folder)) return;
    throw error;
  }
  made(folder);
}

/** Whether a folder is there. False also if the system refuses to look there. */
export function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The kind of the file system at an existing path, if it can hold no files. */
export function filelessKind(path: string): string | undefined {
  return NO_FILES.get(statfsSync(path).type >>> 0);
}

/** The kind of remote file system at an existing path. Undefined for a local one. */
export function remoteKind(path: string): string | undefined {
  return REMOTE.get(statfsSync(path).type >>> 0);
}
