import { execFileSync } from 'node:child_process';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertUnchanged, openSource } from '../../src/image/open.ts';
import { file, scratch, sha256 } from './pictures.ts';

const folder = scratch();

describe('opening a source', () => {
  it('reads it once and digests the very bytes it holds', async () => {
    const path = file(folder, 'some bytes');
    const source = await openSource(path);
    expect(source.bytes?.toString()).toBe('some bytes');
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
    expect(source.bytes).toBeNull();
    expect(source.digest).toBe(sha256(bytes));
    expect(source.head.length).toBe(1024 * 1024);
  });

  it('notices that a file decoded by path has changed', async () => {
    const path = file(folder, 'before');
    const source = await openSource(path, 1);
    await assertUnchanged(source);
    appendFileSync(path, 'and after');
    await expect(assertUnchanged(source)).rejects.toMatchObject({ code: 'source_changed', retryable: true });
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
