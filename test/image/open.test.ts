import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../src/image/open.ts';
import { file, scratch, sha256 } from './pictures.ts';

const folder = scratch();

describe('opening a source', () => {
  it('reads it once and digests the bytes in memory', async () => {
    const path = file(folder, 'some bytes');
    const source = await openSource(path);
    expect(source.input.toString()).toBe('some bytes');
    expect(source.head.toString()).toBe('some bytes');
    expect(source.digest).toBe(sha256(Buffer.from('some bytes')));
  });

  it('returns size, times in nanoseconds and inode of the file', async () => {
    const path = file(folder, 'facts');
    const stats = statSync(path, { bigint: true });
    expect((await openSource(path)).facts).toEqual({
      size: 5,
      mtime: `${stats.mtimeNs}`,
      ino: `${stats.ino}`,
      ctime: `${stats.ctimeNs}`,
    });
  });

  it('digests a file that is too large for memory', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abc');
    const source = await openSource(file(folder, bytes), 1000);
    expect(source.input).toBeTypeOf('string');
    expect(source.digest).toBe(sha256(bytes));
    expect(source.head.length).toBe(1024 * 1024);
    await source.close();
  });

  it.each([
    ['held in memory', 1000],
    ['on the disk', 1],
  ])('reads at any position of a source %s, but not beyond its end', async (_, inMemory) => {
    const source = await openSource(file(folder, '0123456789'), inMemory);
    const parts = [source.readAt(0, 3), source.readAt(4, 4), source.readAt(8, 9), source.readAt(11, 4)];
    expect(parts.map(String)).toEqual(['012', '4567', '89', '']);
    await source.close();
  });

  it.skipIf(process.platform !== 'linux')(
    'decodes the opened file even when another file replaces it',
    async () => {
      const path = file(folder, 'the first');
      const source = await openSource(path, 1);
      renameSync(file(folder, 'another'), path);
      await source.assertUnchanged();
      expect(readFileSync(source.input as string, 'utf8')).toBe('the first');
      expect(source.readAt(4, 5).toString()).toBe('first');
      await source.close();
    },
  );

  it('detects a change of a file that is decoded from the disk', async () => {
    const path = file(folder, 'before');
    const source = await openSource(path, 1);
    await source.assertUnchanged();
    appendFileSync(path, 'and after');
    await expect(source.assertUnchanged()).rejects.toMatchObject({ code: 'source_changed', retryable: true });
    await source.close();
  });

  it('ignores changes of a file that is in memory', async () => {
    const path = file(folder, 'before');
    const source = await openSource(path);
    writeFileSync(path, 'after');
    await source.assertUnchanged();
    expect(source.readAt(0, 9).toString()).toBe('before');
  });

  it.skipIf(process.platform !== 'linux')(
    'keeps no file open after close, or for a source in memory',
    async () => {
      const open = (): number => readdirSync('/proc/self/fd').length;
      const path = file(folder, 'some bytes');
      const before = open();
      const large = await openSource(path, 1);
      expect(open()).toBe(before + 1);
      await large.close();
      await large.close();
      await openSource(path);
      expect(open()).toBe(before);
    },
  );

  it('gives up on a file that keeps changing', async () => {
    const path = file(folder, Buffer.alloc(30_000_000));
    let writing = true;
    const write = (): void => {
      appendFileSync(path, 'more');
      if (writing) setImmediate(write);
    };
    write();
    await expect(openSource(path, 1000)).rejects.toMatchObject({ code: 'source_changed' });
    writing = false;
  });

  it('does not wait on a pipe', async () => {
    const path = join(folder, 'pipe.jpg');
    execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
    await expect(openSource(path)).rejects.toMatchObject({
      code: 'source_unreadable',
      message: 'is a pipe (FIFO), not a file',
    });
  });

  it('refuses a folder and a device', async () => {
    await expect(openSource(folder)).rejects.toMatchObject({ message: 'is a folder, not a file' });
    await expect(openSource('/dev/zero')).rejects.toMatchObject({ message: 'is a device, not a file' });
  });

  it.each([
    ['held in memory', 1_000],
    ['on the disk', 1],
  ])('refuses a link when the file must be inside a folder, %s', async (_, inMemory) => {
    const path = file(folder, 'some bytes', `linked-${inMemory}`);
    symlinkSync(path, join(folder, `link-${inMemory}`));
    const bounds = { within: [realpathSync(folder)], follow: false };
    const source = await openSource({ path, bounds }, inMemory);
    expect(source.readAt(0, 4).toString()).toBe('some');
    await source.close();
    const link = openSource({ path: join(folder, `link-${inMemory}`), bounds }, inMemory);
    await expect(link).rejects.toMatchObject({ code: 'source_outside', message: 'is a symbolic link now' });
  });

  it('does not confuse folders with a common prefix', async () => {
    const path = file(folder, 'some bytes', 'beside.bin');
    const bounds = { within: [join(realpathSync(folder), 'besi')], follow: false };
    await expect(openSource({ path, bounds })).rejects.toMatchObject({ code: 'source_outside' });
  });

  it('treats a folder with other capitals as the same only if it is', async () => {
    mkdirSync(join(folder, 'Photos'));
    mkdirSync(join(folder, 'photos'));
    const path = file(join(folder, 'Photos'), 'some bytes', 'a.bin');
    const bounds = { within: [join(realpathSync(folder), 'photos')], follow: false };
    await expect(openSource({ path, bounds })).rejects.toMatchObject({ code: 'source_outside' });
  });

  it('reports a missing file', async () => {
    await expect(openSource(join(folder, 'gone.jpg'))).rejects.toMatchObject({ code: 'source_missing' });
  });
});
