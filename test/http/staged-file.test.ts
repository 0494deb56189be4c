import { expect, it } from 'vitest';
import { writeAll } from '../../src/http/staged-file.ts';

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
