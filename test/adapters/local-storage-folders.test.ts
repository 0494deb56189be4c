import { existsSync, fstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { makePlace } from '../place.ts';

/** Syncs in progress. The test ends each one. */
const syncs = vi.hoisted(() => [] as { readonly inode: number; end(error: Error | null): void }[]);
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const fsync = (file: number, end: (error: Error | null) => void) => {
    syncs.push({ inode: fstatSync(file).ino, end });
  };
  return { ...real, fsync };
});

const broken = Object.assign(new Error('EIO: asked for'), { code: 'EIO' });

describe('a folder that is being created', () => {
  let staged: string[];
  let failed: string[];
  let out: string;
  let storage: ReturnType<typeof openLocalStorage>;
  beforeEach(() => {
    syncs.length = 0;
    [staged, failed] = [[], []];
    out = join(makePlace(), 'out');
    storage = openLocalStorage('a1');
  });

  const stage = (name: string) =>
    storage.stage(join(out, name)).then(
      () => void staged.push(name),
      () => void failed.push(name),
    );
  const end = async (error: Error | null = null) => {
    await vi.waitFor(() => expect(syncs).not.toEqual([]));
    syncs.shift()!.end(error);
  };

  it('is durable before any writer uses it, not only the writer that created it', async () => {
    const all = ['x', 'y'].map(stage);
    expect(existsSync(out)).toBe(true);
    await end();
    await all[0];
    expect(staged).toEqual(['x']);
    await end();
    await all[1];
    // The storage now knows that the folder is durable.
    await stage('z');
    expect([staged, failed, syncs]).toEqual([['x', 'y', 'z'], [], []]);
  });

  it('is made durable by the next writer if the sync failed', async () => {
    const first = stage('x');
    await end(broken);
    await first;
    const second = stage('y');
    await end(broken);
    await second;
    const third = stage('z');
    await end();
    await third;
    expect([staged, failed]).toEqual([['z'], ['x', 'y']]);
  });

  it('is durable together with all new folders above it', async () => {
    let isStaged = false;
    const all = Promise.all(['deep/er/x', 'deep/y'].map(stage)).then(() => {
      isStaged = true;
    });
    const parents = [dirname(out), out, join(out, 'deep')].map((folder) => statSync(folder).ino);
    const synced = new Set<number>();
    while (!isStaged) {
      for (const { inode, end } of syncs.splice(0)) {
        synced.add(inode);
        end(null);
      }
      await breathe();
    }
    await all;
    expect([staged.sort(), failed]).toEqual([['deep/er/x', 'deep/y'], []]);
    expect([...synced].sort()).toEqual(parents.sort());
  });
});
