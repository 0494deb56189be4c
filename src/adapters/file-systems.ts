import { statfsSync } from 'node:fs';

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

/** What kind of remote file system holds this path, which must be there; undefined for a local one. */
export function remoteKind(path: string): string | undefined {
  return REMOTE.get(statfsSync(path).type >>> 0);
}
