import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../src/image/open.ts';
import { file, scratch, sha256 } from './pictures.ts';

const folder = scratch();

describe('opening a source', () => {
  it('reads it once and digests the very bytes it holds', async () => {
    const path = file(folder, 'some bytes');
    const source = await openSource(path);
    expect(source.input.toString()).toBe('some bytes');
    expect(source.head.toString()).toBe('some bytes');
    expect(source.digest).toBe(sha256(Buffer.from('some bytes')));
  });

  it('tells size, times in nanoseconds and inode of the file it read', async () => {
    const path = file(folder, 'facts');
    const stats = statSync(path, { bigint: true });
    expect((await openSource(path)).facts).toEqual({
      size: 5,
      mtime: `${stats.mtimeNs}`,
      ino: `${stats.ino}`,
      ctime: `${stats.ctimeNs}`,
    });
  });

  it('digests a file too large for memory without holding it', async () => {
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
  ])('reads at any position of a source %s, and no further than its end', async (_, inMemory) => {
    const source = await openSource(file(folder, '0123456789'), inMemory);
    const parts = [source.readAt(0, 3), source.readAt(4, 4), source.readAt(8, 9), source.readAt(11, 4)];
    expect(parts.map(String)).toEqual(['012', '4567', '89', '']);
    await source.close();
  });

  it.skipIf(process.platform !== 'linux')(
    'decodes the file it opened, whatever takes its name since',
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

  it('notices that a file that is decoded from the disk has changed', async () => {
    const path = file(folder, 'before');
    const source = await openSource(path, 1);
    await source.assertUnchanged();
    appendFileSync(path, 'and after');
    await expect(source.assertUnchanged()).rejects.toMatchObject({ code: 'source_changed', retryable: true });
    await source.close();
  });

  it('does not mind what becomes of a file that it holds in memory', async () => {
    const path = file(folder, 'before');
    const source = await openSource(path);
    writeFileSync(path, 'after');
    await source.assertUnchanged();
    expect(source.readAt(0, 9).toString()).toBe('before');
  });

  it.skipIf(process.platform !== 'linux')('keeps no file open that is closed or held in memory', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const path = file(folder, 'some bytes');
    const before = open();
    const large = await openSource(path, 1);
    expect(open()).toBe(before + 1);
    await large.close();
    await large.close();
    await openSource(path);
    expect(open()).toBe(before);
  });

  it('gives up a file that keeps changing', async () => {
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

  it('names a file that is not there', async () => {
    await expect(openSource(join(folder, 'gone.jpg'))).rejects.toMatchObject({ code: 'source_missing' });
  });
});
