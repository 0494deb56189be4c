import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageEnd } from '../../src/ports.ts';
import { sha } from '../records.ts';
import {
  type Clock,
  completed,
  HOUR,
  MS,
  newImage,
  type OpenStore,
  output,
  START,
  type TestedStore,
  takeNext,
  tornEnd,
  trailOf,
  upload,
} from './store-steps.ts';

const DAY = 24 * HOUR;
/** What a sweep returns that has found nothing. */
const NOTHING = { staged: [], removed: [], isMore: false };

export function storeOfUpkeepConformance(name: string, open: OpenStore): void {
  describe(`${name} as a store to look after`, () => {
    let clock: Clock;
    let store: TestedStore;
    beforeEach(async () => {
      clock = { now: START };
      store = await open(clock);
    });
    afterEach(() => store.close());

    const digest = sha('the bytes');
    const uploaded = { digest, bytes: 9 };
    /** Uploads an image with these bytes and ends it. */
    const upEnd = async (owner: string, end: (id: string) => ImageEnd) => {
      const given = await upload(store, { owner, images: [newImage({ uploaded })] });
      await store.settle(await takeNext(store), end(given.first.id));
      await store.endBatch(given.id);
      return given.first;
    };

    it('finds what was made of the same bytes for the same owner with the same settings', async () => {
      const outputs = (id: string) => [
        output(id),
        output(id, { variant: 'big', settings: 'bb', key: `big/${id}` }),
      ];
      const first = await upEnd('ann', (id) => completed(id, { outputs: outputs(id), degraded: true }));
      expect(await store.made('ann', digest, ['bb', 'cc'])).toEqual({
        ...{ id: first.id, dominantColor: '#102030', degraded: true },
        ...{ picture: { format: 'jpeg', width: 400, height: 300 }, outputs: outputs(first.id).slice(1) },
      });
      expect((await store.made('ann', digest, ['aa', 'bb']))?.outputs).toEqual(outputs(first.id));
      expect(await store.made('ann', digest, ['cc'])).toBeUndefined();
      expect(await store.made('ann', digest, [])).toBeUndefined();
      expect(await store.made('ann', sha('other bytes'), ['aa'])).toBeUndefined();
      expect(await store.made('bob', digest, ['aa'])).toBeUndefined();
    });

    it('prefers the image of which most outputs fit', async () => {
      const both = await upEnd('ann', (id) =>
        completed(id, { outputs: [output(id), output(id, { settings: 'bb', key: `big/${id}` })] }),
      );
      await upEnd('ann', (id) => completed(id));
      expect(await store.made('ann', digest, ['aa', 'bb'])).toMatchObject({ id: both.id });
    });

    it('does not find what was made for a deleted image', async () => {
      const one = await upEnd('ann', (id) => completed(id));
      const other = await upEnd('ann', (id) => completed(id));
      await store.remove('all', other.id);
      expect(await store.made('ann', digest, ['aa'])).toMatchObject({ id: one.id });
      await store.remove('all', one.id);
      expect(await store.made('ann', digest, ['aa'])).toBeUndefined();
    });

    it('counts images by state, and those that were completed within a day with their times', async () => {
      await upEnd('ann', (id) => completed(id, { ms: { ...MS, total: 1_000 } }));
      clock.now = START + DAY;
      const first = await upEnd('ann', (id) => completed(id, { ms: { ...MS, total: 10 } }));
      await upEnd('bob', (id) => {
        return { ...completed(id, { ms: { ...MS, total: 30 } }), state: 'duplicate', duplicateOf: first.id };
      });
      await upEnd('ann', () => tornEnd);
      await upload(store);
      expect(await store.stats()).toEqual({
        states: {
          pending: 1,
          processing: 0,
          retrying: 0,
          completed: 2,
          duplicate: 1,
          failed: 1,
          cancelled: 0,
        },
        ...{ completedLately: 2, meanMs: 20, images: 3, jobs: 5 },
      });
      await store.remove('all', first.id);
      expect(await store.stats()).toMatchObject({ completedLately: 1, meanMs: 30, images: 2, jobs: 4 });
    });

    it('has no mean time before the first image is completed', async () => {
      expect(await store.stats()).toMatchObject({ completedLately: 0, meanMs: null, images: 0, jobs: 0 });
    });

    it('lists the images that failed last, newest first', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 3; n++) {
        clock.now = START + n;
        ids.unshift((await upEnd('ann', () => tornEnd)).id);
      }
      await upEnd('ann', (id) => completed(id));
      expect((await store.failed(2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect((await store.failed(9)).map(({ id }) => id)).toEqual(ids);
    });

    it('knows the keys that a row refers to', async () => {
      const done = await upEnd('ann', (id) => completed(id));
      const { first } = await upload(store);
      const keys = [output(done.id).key, first.staged ?? '', 'staging/orphan'];
      expect((await store.referred([...keys, done.staged ?? ''])).sort()).toEqual(keys.slice(0, 2).sort());
      expect(await store.referred([])).toEqual([]);
      const many = Array.from({ length: 3_000 }, (_, n) => `staging/${n}`);
      expect(await store.referred([...many, first.staged ?? ''])).toEqual([first.staged]);
    });

    it('gives up the staged bytes of images that failed or were cancelled before a time', async () => {
      const old = await upEnd('ann', () => tornEnd);
      const { id, first } = await upload(store);
      await store.cancel('all', { batch: id });
      clock.now = START + 10;
      await upEnd('ann', () => tornEnd);
      await upload(store);
      const { staged } = await store.sweep(START + 10, 0);
      expect([...staged].sort()).toEqual([old.staged, first.staged].sort());
      expect(await store.sweep(START + 10, 0)).toEqual(NOTHING);
      expect(await store.image('all', old.id)).toMatchObject({ state: 'failed' });
      // Nobody waits for bytes that are being removed.
      expect(await store.retry('all', { job: old.job })).toBe(0);
    });

    it('names deleted images with their keys until their rows are removed', async () => {
      const done = await upEnd('ann', (id) => completed(id));
      await store.remove('all', done.id);
      const { first } = await upload(store);
      await store.remove('all', first.id);
      const { removed, staged } = await store.sweep(START + 1, 0);
      expect(staged).toEqual([]);
      expect(removed).toMatchObject([
        { id: done.id, bucket: 'shop', keys: [output(done.id).key] },
        { id: first.id, bucket: 'shop', keys: [first.staged] },
      ]);
      expect((await store.sweep(START + 1, 1)).removed).toEqual(removed.slice(1));
      expect(await store.sweep(START + 1, 2)).toEqual(NOTHING);
      await store.dropRows(done.id);
      await store.dropRows(first.id);
      expect(await store.sweep(START, 0)).toEqual(NOTHING);
    });

    it('keeps the audit trail for 90 days', async () => {
      const { first } = await upload(store);
      clock.now = START + 90 * DAY - 1;
      await store.sweep(0, 0);
      expect(await trailOf(store, first.id)).toHaveLength(1);
      clock.now = START + 90 * DAY;
      await store.sweep(0, 0);
      expect(await trailOf(store, first.id)).toEqual([]);
      expect(await store.image('all', first.id)).toBeDefined();
    });

    it('drops old rows step by step, and says whether more may be left', async () => {
      const { first } = await upload(store, { images: Array.from({ length: 1_001 }, () => newImage()) });
      clock.now = START + 90 * DAY;
      expect(await store.sweep(0, 0)).toEqual({ ...NOTHING, isMore: true });
      expect(await store.sweep(0, 0)).toEqual(NOTHING);
      expect(await trailOf(store, first.id)).toEqual([]);
    });

    it('counts the images that wait', async () => {
      expect(await store.waiting()).toBe(0);
      await upload(store, { images: [newImage(), newImage(), newImage(), newImage()] });
      const retrying = { state: 'retrying', error: { code: 'io', message: 'x' }, delay: 9 } as const;
      await store.settle(await takeNext(store), retrying);
      await store.settle(await takeNext(store), tornEnd);
      await takeNext(store);
      expect(await store.waiting()).toBe(2);
    });

    it('keeps the quota of the present window', async () => {
      const rule = { uploads: 5, window: HOUR };
      await store.countRefused('ann', 2, rule);
      await store.sweep(0, 0);
      expect(await store.quota('ann', rule)).toMatchObject({ remaining: 3 });
    });

    it('answers nothing once it is closed, and may be closed twice', async () => {
      await store.close();
      await store.close();
      await expect(store.stats()).rejects.toMatchObject({ code: 'index_unusable' });
      await expect(store.recover()).rejects.toMatchObject({ code: 'index_unusable' });
    });
  });
}
