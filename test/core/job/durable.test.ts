import { copyFileSync, fstatSync, type PathLike, renameSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha } from '../../records.ts';
import { jobOf, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';

/** Inodes of files and folders that were synced. */
const synced = vi.hoisted(() => new Set<number>());
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const fsync = (file: number, done: (error: Error | null) => void) => {
    synced.add(fstatSync(file).ino);
    real.fsync(file, done);
  };
  return { ...real, fsync };
});

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
});
afterEach(() => shop.index.close());

const inodeOf = (path: PathLike): number => statSync(path).ino;

/** Another file with the same bytes, for example from a backup. It may not be durable. */
function restore(path: string): void {
  copyFileSync(path, `${path}.new`);
  renameSync(`${path}.new`, path);
}

describe('a recorded output', () => {
  beforeEach(() => shop.put('a.jpg'));

  it('is durable when it was adopted', async () => {
    writeFileSync(shop.at('out/a_small.webp'), pictureOf(sha('a.jpg')));
    const inode = inodeOf(shop.at('out/a_small.webp'));
    synced.clear();
    expect(jobOf(await shop.run(), 'a.jpg')).toMatchObject({ state: 'completed' });
    expect([inodeOf(shop.at('out/a_small.webp')), synced.has(inode)]).toEqual([inode, true]);
    expect(synced.has(inodeOf(shop.at('out')))).toBe(true);
  });

  it('is durable when another program restored it', async () => {
    await shop.run();
    restore(shop.at('out/a_small.webp'));
    synced.clear();
    expect(jobOf(await shop.run(), 'a.jpg')).toMatchObject({ state: 'unchanged' });
    expect(synced.has(inodeOf(shop.at('out/a_small.webp')))).toBe(true);
  });

  it('is not synced again when a copy gets a link to it', async () => {
    await shop.run();
    shop.change('b.jpg', 'a.jpg');
    synced.clear();
    expect(jobOf(await shop.run(), 'b.jpg')).toMatchObject({ state: 'duplicate' });
    const inode = inodeOf(shop.at('out/b_small.webp'));
    expect(inode).toBe(inodeOf(shop.at('out/a_small.webp')));
    expect(synced.has(inode)).toBe(false);
  });

  it('is synced for a copy when another file with the same bytes has replaced it', async () => {
    await shop.run();
    renameSync(shop.at('photos/a.jpg'), shop.at('photos/b.jpg'));
    restore(shop.at('out/a_small.webp'));
    synced.clear();
    expect(jobOf(await shop.run(), 'b.jpg')).toMatchObject({ state: 'completed', reused: true });
    const inode = inodeOf(shop.at('out/b_small.webp'));
    expect([inode, synced.has(inode)]).toEqual([inodeOf(shop.at('out/a_small.webp')), true]);
  });
});
