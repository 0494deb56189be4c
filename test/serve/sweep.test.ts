import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ImgtoolError } from '../../src/errors.ts';
import { startSweeper, sweep } from '../../src/serve/sweep.ts';
import { makeClock } from '../core/made-up-clock.ts';
import { openServing, photo, type Serving, unserved } from './serving.ts';

const DAY = 86_400_000;
const KEEP = { failed: 7 * DAY, orphans: DAY };
const never = new AbortController().signal;

/** Stores an object that no row refers to, as old as this. */
async function putOrphan({ objects, root }: Serving, key: string, age: number): Promise<void> {
  const one = await objects.stage(key);
  writeFileSync(one.path, 'left behind');
  await objects.commit([one]);
  const then = (Date.now() - age) / 1000;
  utimesSync(join(root, key), then, then);
}

describe('a sweep', () => {
  it('removes old staged bytes that no image refers to, and keeps all others', async () => {
    const serving = await openServing();
    const [waiting = ''] = await serving.upload([photo('wine.jpg')]);
    const then = (Date.now() - 2 * DAY) / 1000;
    utimesSync(join(serving.root, `staging/${waiting}`), then, then);
    await putOrphan(serving, 'staging/old', 2 * DAY);
    await putOrphan(serving, 'staging/new', DAY / 2);
    await putOrphan(serving, 'photos/processed/x/other.webp', 2 * DAY);
    await sweep(unserved(serving), KEEP, never);
    expect(serving.events).toContainEqual({ type: 'swept', staged: 0, images: 0, orphans: 1 });
    const kept = ['photos/processed/x/other.webp', `staging/${waiting}`, 'staging/new'];
    expect(serving.files()).toEqual(kept.sort());
  });

  it('removes the staged bytes of failed images once they are old enough, so that no retry finds them', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([Buffer.from('no picture')]);
    serving.start();
    await serving.ended(id);
    await sweep(unserved(serving), KEEP, never);
    expect(serving.files()).toEqual([`staging/${id}`]);
    await sweep(unserved(serving), { ...KEEP, failed: -1_000 }, never);
    expect([serving.files(), serving.events.at(-1)]).toEqual([
      [],
      { type: 'swept', staged: 1, images: 0, orphans: 0 },
    ]);
    const { job } = await serving.image(id);
    await serving.store.retry('all', { job });
    expect(await serving.image(id)).toMatchObject({ state: 'failed', error: { code: 'source_missing' } });
  });

  it('removes the staged bytes of an image that was processed by a process that died right then', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    await serving.ended(id);
    await putOrphan(serving, `staging/${id}`, 0);
    await sweep(unserved(serving), KEEP, never);
    expect(serving.events.at(-1)).toMatchObject({ type: 'swept', orphans: 1 });
    expect(serving.files()).toHaveLength(3);
  });

  it('finishes a deletion that a process has begun', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    await serving.ended(id);
    expect((await serving.store.remove('all', id))?.keys).toHaveLength(3);
    expect(serving.files()).toHaveLength(3);
    await sweep(unserved(serving), KEEP, never);
    expect([serving.files(), serving.events.at(-1)]).toEqual([
      [],
      { type: 'swept', staged: 0, images: 1, orphans: 0 },
    ]);
    await sweep(unserved(serving), KEEP, never);
    expect(serving.events.at(-1)).toEqual({ type: 'swept', staged: 0, images: 0, orphans: 0 });
  });

  it('removes no bytes of an image that is retried at that moment', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([Buffer.from('no picture')]);
    const worker = serving.start();
    await serving.ended(id);
    await worker.stop(0);
    const { job } = await serving.image(id);
    const { remove } = serving.objects;
    vi.spyOn(serving.objects, 'remove').mockImplementationOnce(async (keys) => {
      expect(await serving.store.retry('all', { job })).toBe(0);
      await remove(keys);
    });
    await sweep(unserved(serving), { ...KEEP, failed: -1_000 }, never);
    expect(await serving.image(id)).toMatchObject({ state: 'failed', error: { code: 'source_missing' } });
  });

  it('goes on after what cannot be removed, and reports it', async () => {
    const serving = await openServing();
    const [bad = '', good = ''] = await serving.upload([photo('wine.jpg'), photo('life.jpg')]);
    for (const id of [bad, good]) await serving.store.remove('all', id);
    await putOrphan(serving, 'staging/old', 2 * DAY);
    const { remove } = serving.objects;
    vi.spyOn(serving.objects, 'remove').mockImplementation(async (keys) => {
      if (keys.includes(`staging/${bad}`)) throw new ImgtoolError('io', 'as asked');
      await remove(keys);
    });
    await sweep(unserved(serving), KEEP, never);
    expect(serving.events).toEqual([
      { type: 'warning', message: `the deleted image ${bad} could not be removed: as asked` },
      { type: 'swept', staged: 0, images: 1, orphans: 1 },
    ]);
    expect(serving.files()).toEqual([`staging/${bad}`]);
  });

  it('goes on when nothing can be removed of what one step covers', async () => {
    const serving = await openServing();
    const ids = await serving.upload([photo('wine.jpg'), photo('life.jpg'), photo('umang.jpg')]);
    for (const id of ids) await serving.store.remove('all', id);
    const covered = serving.store.sweep;
    vi.spyOn(serving.store, 'sweep').mockImplementation(async (before, passed) => {
      const swept = await covered(before, passed);
      return { ...swept, removed: swept.removed.slice(0, 1) };
    });
    const { remove } = serving.objects;
    const bad = ids.slice(0, 2).map((id) => `staging/${id}`);
    vi.spyOn(serving.objects, 'remove').mockImplementation(async (keys) => {
      if (keys.some((key) => bad.includes(key))) throw new ImgtoolError('io', 'as asked');
      await remove(keys);
    });
    await sweep(unserved(serving), KEEP, never);
    expect(serving.events.at(-1)).toEqual({ type: 'swept', staged: 0, images: 1, orphans: 0 });
    expect(serving.files()).toEqual(bad.sort());
  });

  it('ends at once when all of the storage is gone', async () => {
    const serving = await openServing();
    const ids = await serving.upload([photo('wine.jpg'), photo('life.jpg')]);
    for (const id of ids) await serving.store.remove('all', id);
    const gone = new ImgtoolError('storage_unusable', 'as asked');
    const remove = vi.spyOn(serving.objects, 'remove').mockRejectedValue(gone);
    await expect(sweep(unserved(serving), KEEP, never)).rejects.toBe(gone);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('drops all old rows, also those that one step does not cover', async () => {
    const serving = await openServing();
    const { store } = serving;
    const answers = [{ isMore: true }, { isMore: true }, { isMore: false }];
    const asked = vi.spyOn(store, 'sweep');
    for (const answer of answers) asked.mockResolvedValueOnce({ staged: [], removed: [], ...answer });
    await sweep(unserved(serving), KEEP, never);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it('handles more orphans than one question to the store can have', async () => {
    const serving = await openServing();
    await putOrphan(serving, 'staging/0', 0);
    for (let i = 1; i < 501; i++) writeFileSync(join(serving.root, 'staging', `${i}`), '');
    await sweep(unserved(serving), { ...KEEP, orphans: -60_000 }, never);
    expect(serving.events.at(-1)).toMatchObject({ type: 'swept', orphans: 501 });
  });
});

describe('the sweeper', () => {
  it('sweeps at the start and about every ten minutes, also after a sweep that failed', async () => {
    const serving = await openServing();
    const clock = makeClock();
    let fails = false;
    let sweeps = 0;
    const store = {
      ...serving.store,
      sweep: async (before: number, passed: number) => {
        sweeps++;
        if (fails) throw new Error('as asked');
        return serving.store.sweep(before, passed);
      },
    };
    const sweeper = startSweeper({ ...unserved(serving), store }, KEEP, clock);
    await serving.event('swept');
    expect(sweeps).toBe(1);
    fails = true;
    await clock.advance(750_000);
    const warning = await serving.event('warning');
    expect(warning.message).toMatch(/as asked/);
    expect(sweeps).toBe(2);
    fails = false;
    await clock.advance(750_000);
    await sweeper.stop();
    expect(sweeps).toBe(3);
    expect(clock.waiting).toBe(0);
  });
});
