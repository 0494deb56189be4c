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
  it('is not remote where this machine keeps its temporary files', () => {
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
  ])('of magic number %i is %s, also where the system gives that with a sign', (type, kind) => {
    for (const told of [type, type | 0]) {
      statfs.mockReturnValueOnce({ type: told } as ReturnType<typeof statfsSync>);
      expect(remoteKind('/photos')).toBe(kind);
    }
    expect(statfs).toHaveBeenCalledWith('/photos');
  });

  it('is not told of what is not there', () => {
    expect(() => remoteKind('/nowhere/at/all')).toThrow('ENOENT');
  });
});
