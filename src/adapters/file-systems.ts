import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** File systems of other machines or programs, by statfs(2) magic number: no shared memory, no word of changes. */
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

/**
 * Makes a folder with all above it that are not there, and tells of each new one. Where the system answers to the making
 * of a folder that the one above it is not there, though it is, as in /proc, Node's own way goes round for ever. Errors:
 * the system's.
 */
export function makeFolders(folder: string, made: (folder: string) => void = () => {}): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolders(dirname(folder), made);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else may have made it since.
    if (isFolder(folder)) return;
    throw error;
  }
  made(folder);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // Whether it can be made is the better question.
    return false;
  }
}

/** What kind of remote file system holds this path, which must be there; undefined for a local one. */
export function remoteKind(path: string): string | undefined {
  return REMOTE.get(statfsSync(path).type >>> 0);
}
