import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { makePlace } from '../place.ts';

/** Syncs in progress, and the maximum at the same time. */
const syncs = vi.hoisted(() => ({ ends: [] as ((error: null) => void)[], most: 0 }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const fsync = (_: number, end: (error: null) => void) => {
    syncs.most = Math.max(syncs.most, syncs.ends.push(end));
  };
  return { ...real, fsync };
});

it('simultaneous commits of many outputs leave threads and descriptors for other work', async () => {
  const storage = openLocalStorage('a1');
  const place = makePlace();
  const committing = Array.from({ length: 5 }, async (_, job) => {
    const names = Array.from({ length: 6 }, (_, variant) => join(place, `${job}-${variant}.webp`));
    const staged = await Promise.all(names.map((name) => storage.stage(name)));
    for (const { path } of staged) writeFileSync(path, 'picture');
    return storage.commit(staged);
  });
  let isDone = false;
  const all = Promise.all(committing).then((facts) => {
    isDone = true;
    return facts.flat();
  });
  while (!isDone) {
    await breathe();
    syncs.ends.shift()?.(null);
  }
  expect(await all).toHaveLength(30);
  expect(syncs.most).toBeLessThan(5);
});
