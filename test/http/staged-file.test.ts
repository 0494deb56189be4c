import type { NoParamCallback } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { writeAll } from '../../src/http/staged-file.ts';
import { PHOTO, startService } from './service.ts';

/** What the system says when a file is closed. */
const atClose = vi.hoisted(() => ({ error: null as NodeJS.ErrnoException | null }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const close = (file: number, end: NoParamCallback) =>
    real.close(file, (error) => end(error ?? atClose.error));
  return { ...real, close };
});

const pieces = ['ab', '', 'cde', 'f'].map((text) => Buffer.from(text));

it.each([
  ['all bytes at once', 6, ['abcdef']],
  ['a part of a piece', 3, ['abc', 'def']],
  ['one byte at a time', 1, ['a', 'b', 'c', 'd', 'e', 'f']],
])('all bytes of an upload are written in order if the system writes %s', async (_, most, expected) => {
  const written: string[] = [];
  await writeAll(1, pieces, async (_file, buffers) => {
    const part = Buffer.concat(buffers).subarray(0, most);
    written.push(part.toString());
    return { bytesWritten: part.length };
  });
  expect(written).toEqual(expected);
});

it('nothing is written of an upload without bytes', async () => {
  await writeAll(1, [], () => expect.unreachable());
});

it('an upload for which the disk has no room, as it says only when the file is closed, is no fault of the client', async () => {
  const service = await startService();
  atClose.error = Object.assign(new Error('as asked'), { code: 'EDQUOT' });
  const { status, body } = await service.upload(PHOTO);
  expect([status, body.code]).toEqual([503, 'no_space']);
  expect(service.events).toContainEqual({
    type: 'warning',
    message: 'no_space: the upload: no space left to write it: as asked',
  });
  // The client's own fault comes first.
  expect((await service.upload(Buffer.from('no picture'))).body.code).toBe('not_an_image');
  expect(service.left()).toEqual([]);
});
