import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha } from '../records.ts';
import { storeOfImagesConformance } from './store-images.ts';
import { storeOfQueueConformance } from './store-queue.ts';
import {
  type Clock,
  HOUR,
  newImage,
  newUpload,
  type OpenStore,
  refusedImage,
  START,
  type TestedStore,
  TORN,
  trailOf,
  upload,
} from './store-steps.ts';
import { storeOfUpkeepConformance } from './store-upkeep.ts';

/** The contract of every store. */
export function storeConformance(name: string, open: OpenStore): void {
  storeOfQueueConformance(name, open);
  storeOfImagesConformance(name, open);
  storeOfUpkeepConformance(name, open);

  describe(`${name} as a store of uploads`, () => {
    let clock: Clock;
    let store: TestedStore;
    beforeEach(async () => {
      clock = { now: START };
      store = await open(clock);
    });
    afterEach(() => store.close());

    const RULE = { uploads: 3, window: HOUR };
    const images = (count: number) => Array.from({ length: count }, () => newImage());
    const accepted = async (count: number, owner = 'ann') => {
      const { type } = await store.accept(newUpload({ owner, images: images(count), quota: RULE }));
      return type === 'accepted';
    };

    it('records a batch with its images in the order of their upload', async () => {
      const given = newUpload({
        images: [
          newImage({ name: 'a.jpg', metadata: '{"n":1}' }),
          newImage({ name: 'b.jpg' }),
          refusedImage(),
        ],
      });
      expect(await store.accept(given)).toEqual({ type: 'accepted', quota: null });
      const { id, owner, bucket, preset } = given;
      expect(await store.batchOf({ owner }, id)).toEqual({
        ...{ id, owner, bucket, preset, createdAt: START, completedAt: null },
        counts: {
          pending: 2,
          processing: 0,
          retrying: 0,
          completed: 0,
          duplicate: 0,
          failed: 1,
          cancelled: 0,
        },
      });
      const [first, second, third] = (await store.imagesOf('all', id, null, 9)) ?? [];
      const [{ id: image, job, name, metadata, uploaded }] = given.images as [
        (typeof given.images)[0] & object,
      ];
      expect(first).toEqual({
        ...{
          id: image,
          job,
          name,
          metadata,
          uploaded,
          batch: id,
          owner,
          bucket,
          state: 'pending',
          attempts: 0,
        },
        ...{ picture: null, dominantColor: null, degraded: false, duplicateOf: null, ms: null, error: null },
        ...{ createdAt: START, startedAt: null, completedAt: null, outputs: [] },
      });
      expect(second).toMatchObject({ name: 'b.jpg', state: 'pending' });
      expect(third).toMatchObject({ state: 'failed', error: TORN, uploaded: null, completedAt: START });
    });

    it('ends a batch of which every file was refused', async () => {
      const { id } = await upload(store, { images: [refusedImage(), refusedImage()] });
      expect(await store.batchOf('all', id)).toMatchObject({ completedAt: START, counts: { failed: 2 } });
      expect(await store.take('worker', 9)).toEqual([]);
    });

    it('notes accepted and refused files in their audit trails', async () => {
      const given = await upload(store, { images: [newImage(), refusedImage()] });
      const [good, bad] = given.images;
      expect(await store.trail(good?.id ?? '')).toEqual([
        {
          ...{ at: START, type: 'upload_initiated', image: good?.id, job: good?.job, batch: given.id },
          ...{ owner: 'ann', data: { bytes: 1_000 } },
        },
      ]);
      expect(await trailOf(store, bad?.id ?? '')).toEqual(['upload_initiated', 'failed']);
      expect((await store.trail(bad?.id ?? ''))[1]).toMatchObject({ data: { code: 'corrupt' } });
    });

    it('changes nothing if one image of an upload cannot be recorded', async () => {
      const { first } = await upload(store);
      const given = newUpload({ images: [newImage(), newImage({ id: first.id })], quota: RULE });
      await expect(store.accept(given)).rejects.toMatchObject({ code: 'internal' });
      expect(await store.batchOf('all', given.id)).toBeUndefined();
      expect(await store.image('all', given.images[0]?.id ?? '')).toBeUndefined();
      expect(await store.quota('ann', RULE)).toMatchObject({ remaining: 3 });
    });

    describe('a quota', () => {
      it('is counted by images, and refuses a whole upload that is over it', async () => {
        expect(await store.accept(newUpload({ images: images(2), quota: RULE }))).toEqual({
          type: 'accepted',
          quota: { limit: 3, remaining: 1, resetAt: START + HOUR },
        });
        const over = newUpload({ images: images(2), quota: RULE });
        expect(await store.accept(over)).toEqual({
          type: 'over_quota',
          quota: { limit: 3, remaining: 1, resetAt: START + HOUR },
        });
        expect(await store.batchOf('all', over.id)).toBeUndefined();
        expect(await accepted(1)).toBe(true);
        expect(await accepted(1)).toBe(false);
      });

      it('is of each owner', async () => {
        expect(await accepted(3)).toBe(true);
        expect(await accepted(1)).toBe(false);
        expect(await accepted(3, 'bob')).toBe(true);
      });

      it('is never exceeded by parallel uploads', async () => {
        for (let round = 0; round < 20; round++) {
          const owner = `owner ${round}`;
          const answers = await Promise.all(Array.from({ length: 8 }, () => accepted(1, owner)));
          expect(answers.filter(Boolean)).toHaveLength(3);
        }
      });

      it('begins anew with the next window, which begins at a multiple of its length', async () => {
        clock.now = START + 10 * 60_000;
        expect(await accepted(3)).toBe(true);
        clock.now = START + HOUR - 1;
        expect(await accepted(1)).toBe(false);
        clock.now = START + HOUR;
        expect(await store.quota('ann', RULE)).toEqual({ limit: 3, remaining: 3, resetAt: START + 2 * HOUR });
        expect(await accepted(3)).toBe(true);
        expect(await accepted(1)).toBe(false);
      });

      it('neither begins anew nor lasts longer than its window when the clock is set back', async () => {
        clock.now = START + HOUR / 2;
        expect(await accepted(3)).toBe(true);
        const back = START - 5 * HOUR - 60_000;
        clock.now = back;
        expect(await accepted(1)).toBe(false);
        clock.now = back + HOUR / 2;
        expect(await store.quota('ann', RULE)).toEqual({ limit: 3, remaining: 0, resetAt: back + HOUR });
        clock.now = back + HOUR - 1;
        expect(await accepted(1)).toBe(false);
        clock.now = back + HOUR;
        expect(await accepted(1)).toBe(true);
      });

      it('that is only asked for after the clock was set back also ends after its window', async () => {
        expect(await accepted(3)).toBe(true);
        clock.now = START - 9 * HOUR;
        expect(await store.quota('ann', RULE)).toMatchObject({ remaining: 0, resetAt: START - 8 * HOUR });
        clock.now = START - 8 * HOUR;
        expect(await store.quota('ann', RULE)).toMatchObject({ remaining: 3 });
      });

      it('ends after the present length of a window once this is shorter, and keeps its uploads', async () => {
        expect(await accepted(3)).toBe(true);
        const rule = { uploads: 5, window: 60_000 };
        const resetAt = clock.now + 60_000;
        expect(await store.quota('ann', rule)).toEqual({ limit: 5, remaining: 2, resetAt });
        clock.now += 30_000;
        expect(await store.quota('ann', rule)).toEqual({ limit: 5, remaining: 2, resetAt });
        clock.now += 30_000;
        expect(await store.quota('ann', rule)).toMatchObject({ remaining: 5 });
      });

      it('counts refused uploads, at most up to the limit', async () => {
        expect(await store.countRefused('ann', 2, RULE)).toMatchObject({ remaining: 1 });
        expect(await store.countRefused('ann', 5, RULE)).toMatchObject({ remaining: 0 });
        expect(await store.quota('ann', { ...RULE, uploads: 4 })).toMatchObject({ limit: 4, remaining: 1 });
      });

      it('that was lowered leaves nothing, and never less', async () => {
        expect(await accepted(3)).toBe(true);
        const lower = { uploads: 1, window: HOUR };
        expect(await store.quota('ann', lower)).toMatchObject({ limit: 1, remaining: 0 });
        expect(await store.countRefused('ann', 1, lower)).toMatchObject({ remaining: 0 });
        expect(await store.quota('ann', RULE)).toMatchObject({ remaining: 0 });
      });

      it('can be reset, also twice', async () => {
        expect(await accepted(3)).toBe(true);
        await store.resetQuota('ann');
        await store.resetQuota('ann');
        expect(await store.quota('ann', RULE)).toMatchObject({ remaining: 3 });
      });
    });

    describe('the key of a request', () => {
      const key = { route: '/upload', key: 'k1', fingerprint: sha('body'), body: '{"batch_id":"1"}' };

      it('gives a repeated request the first answer, and records and counts nothing', async () => {
        await store.accept(newUpload({ key, quota: RULE }));
        const again = newUpload({ key: { ...key, body: '{"batch_id":"2"}' }, quota: RULE });
        expect(await store.accept(again)).toEqual({
          type: 'replayed',
          body: key.body,
          quota: { limit: 3, remaining: 2, resetAt: START + HOUR },
        });
        expect(await store.batchOf('all', again.id)).toBeUndefined();
        expect(await store.replay('ann', key)).toEqual({ fingerprint: key.fingerprint, body: key.body });
      });

      it('gives the first answer also when the quota is used up', async () => {
        await store.accept(newUpload({ key, images: images(3), quota: RULE }));
        expect(await store.accept(newUpload({ key, quota: RULE }))).toMatchObject({ type: 'replayed' });
      });

      it('is refused for another request', async () => {
        await store.accept(newUpload({ key }));
        const other = newUpload({ key: { ...key, fingerprint: sha('other') } });
        expect(await store.accept(other)).toEqual({ type: 'key_reused' });
        expect(await store.batchOf('all', other.id)).toBeUndefined();
      });

      it('is of one owner and one route', async () => {
        await store.accept(newUpload({ key }));
        expect(await store.replay('bob', key)).toBeUndefined();
        expect(await store.replay('ann', { ...key, route: '/batch' })).toBeUndefined();
        expect(await store.accept(newUpload({ key, owner: 'bob' }))).toMatchObject({ type: 'accepted' });
      });

      it('records one of two requests at once, in 20 rounds', async () => {
        for (let round = 0; round < 20; round++) {
          const given = [1, 2].map((n) => newUpload({ key: { ...key, key: `k${round}`, body: String(n) } }));
          const [one, other] = await Promise.all(given.map((each) => store.accept(each)));
          expect([one, other]).toEqual([
            { type: 'accepted', quota: null },
            { type: 'replayed', body: '1', quota: null },
          ]);
        }
      });

      it('is not kept for an upload that was over its quota', async () => {
        await store.accept(newUpload({ key, images: images(4), quota: RULE }));
        expect(await store.replay('ann', key)).toBeUndefined();
      });

      it('is forgotten after 24 hours, with or without a sweep', async () => {
        await store.accept(newUpload({ key }));
        clock.now = START + 24 * HOUR - 1;
        expect(await store.replay('ann', key)).toBeDefined();
        clock.now = START + 24 * HOUR;
        expect(await store.replay('ann', key)).toBeUndefined();
        expect(await store.accept(newUpload({ key: { ...key, body: 'new' } }))).toMatchObject({
          type: 'accepted',
        });
        expect(await store.replay('ann', key)).toMatchObject({ body: 'new' });
        clock.now += 25 * HOUR;
        await store.sweep(0, 0);
        expect(await store.replay('ann', key)).toBeUndefined();
      });
    });
  });
}
