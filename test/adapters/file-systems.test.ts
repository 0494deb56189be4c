import { statfsSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { remoteKind } from '../../src/adapters/file-systems.ts';
import { makePlace } from '../place.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, statfsSync: vi.fn(fs.statfsSync) };
});
const statfs = vi.mocked(statfsSync);
beforeEach(() => {
  statfs.mockClear();
});

describe('the kind of a file system', () => {
  it('is not remote for this machine’s temporary folder', () => {
    expect(remoteKind(makePlace())).toBeUndefined();
  });

  it.each([
    [0x6969, 'nfs'],
    [0xff534d42, 'cifs'],
    [0xfe534d42, 'smb2'],
    [0x517b, 'smb'],
    [0x65735546, 'fuse'],
    [0x01021997, '9p'],
    [0xef53, undefined],
    [0x01021994, undefined],
    [0x794c7630, undefined],
  ])('with magic number %i is %s, even if the system returns it as a signed number', (type, kind) => {
    for (const returned of [type, type | 0]) {
      statfs.mockReturnValueOnce({ type: returned } as ReturnType<typeof statfsSync>);
      expect(remoteKind('/photos')).toBe(kind);
    }
    expect(statfs).toHaveBeenCalledWith('/photos');
  });

  it('is unknown for a missing path', () => {
    expect(() => remoteKind('/nowhere/at/all')).toThrow('ENOENT');
  });
});
