import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '../../src/model.ts';
import {
  beginNext,
  type Clock,
  completed,
  newImage,
  type OpenStore,
  output,
  refusedImage,
  START,
  type TestedStore,
  takeNext,
  tornEnd,
  trailOf,
  upload,
} from './store-steps.ts';

export function storeOfImagesConformance(name: string, open: OpenStore): void {
  describe(`${name} as a store of images`, () => {
    let clock: Clock;
    let store: TestedStore;
    beforeEach(async () => {
      clock = { now: START };
      store = await open(clock);
    });
    afterEach(() => store.close());

    const stateOf = async (id: string) => (await store.image('all', id))?.state;
    const counts = async (batch: string) => (await store.batchOf('all', batch))?.counts;
    /** Ends the next image as failed. */
    const failNext = async () => store.settle(await takeNext(store), tornEnd);

    it('finds an image by its id and by its job', async () => {
      const { first } = await upload(store);
      const found = await store.image({ owner: 'ann' }, first.id);
      expect(found).toMatchObject({ id: first.id, job: first.job });
      expect(await store.imageOfJob({ owner: 'ann' }, first.job)).toEqual(found);
      expect(await store.image('all', randomUUID())).toBeUndefined();
      expect(await store.imageOfJob('all', first.id)).toBeUndefined();
    });

    it('says of a job what its image says', async () => {
      const { images } = await upload(store, { images: [newImage(), refusedImage()] });
      for (const { id, job } of images) {
        const image = await store.image('all', id);
        const found = await store.jobOf({ owner: 'ann' }, job);
        expect(found).toMatchObject({ id, job, state: image?.state, error: image?.error });
        expect(image).toMatchObject({ ...found });
      }
      expect(await store.jobOf('all', randomUUID())).toBeUndefined();
    });

    it('finds those images of a list that exist, each once', async () => {
      const one = await upload(store);
      await store.settle(await takeNext(store), completed(one.first.id));
      const other = await upload(store);
      const ids = [one.first.id, randomUUID(), other.first.id, one.first.id, randomUUID()];
      const found = await store.images('all', ids);
      expect(found.map(({ id }) => id).sort()).toEqual([one.first.id, other.first.id].sort());
      expect(found.find(({ id }) => id === one.first.id)?.outputs).toEqual([output(one.first.id)]);
      expect(await store.images('all', [])).toEqual([]);
    });

    it('shows nothing of an owner to another one', async () => {
      const { id, first } = await upload(store);
      const bob = { owner: 'bob' };
      expect(await store.image(bob, first.id)).toBeUndefined();
      expect(await store.imageOfJob(bob, first.job)).toBeUndefined();
      expect(await store.jobOf(bob, first.job)).toBeUndefined();
      expect(await store.images(bob, [first.id])).toEqual([]);
      expect(await store.batchOf(bob, id)).toBeUndefined();
      expect(await store.imagesOf(bob, id, null, 9)).toEqual([]);
      for (const what of [{ batch: id }, { job: first.job }]) {
        expect(await store.cancel(bob, what)).toBeUndefined();
        expect(await store.retry(bob, what)).toBeUndefined();
      }
      expect(await store.remove(bob, first.id)).toBeUndefined();
      expect(await stateOf(first.id)).toBe('pending');
    });

    it('lists a batch page by page, in the order of the upload', async () => {
      const { id, images } = await upload(store, { images: Array.from({ length: 7 }, () => newImage()) });
      await upload(store);
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const page: Image[] = (await store.imagesOf('all', id, after, 3)) ?? [];
        seen.push(...page.map((image) => image.id));
        if (page.length < 3) break;
        after = page.at(-1)?.id ?? null;
      }
      expect(seen).toEqual(images.map((image) => image.id));
      expect(await store.imagesOf('all', randomUUID(), null, 9)).toEqual([]);
    });

    it('goes on after an image that was deleted meanwhile', async () => {
      const { id, images } = await upload(store, { images: [newImage(), newImage(), newImage()] });
      await store.remove('all', images[1]?.id ?? '');
      const page = await store.imagesOf('all', id, images[1]?.id ?? '', 9);
      expect(page?.map((image) => image.id)).toEqual([images[2]?.id]);
    });

    it('has no page after an image that is not of the batch, or is gone', async () => {
      const { id, images } = await upload(store, { images: [newImage(), newImage()] });
      const other = await upload(store);
      await store.remove('all', images[0]?.id ?? '');
      await store.dropRows(images[0]?.id ?? '');
      for (const after of [randomUUID(), other.first.id, images[0]?.id ?? '']) {
        expect(await store.imagesOf('all', id, after, 9)).toBeUndefined();
      }
    });

    describe('a cancellation', () => {
      it('ends what has not ended, and the batch', async () => {
        const { id, images } = await upload(store, { images: [newImage(), newImage(), newImage()] });
        await failNext();
        await takeNext(store);
        clock.now = START + 5;
        const cancelled = images.slice(1).map((image) => ({
          ...{ id: image.id, job: image.job, batch: id, owner: 'ann', bucket: 'shop' },
        }));
        expect(await store.cancel({ owner: 'ann' }, { batch: id })).toEqual(cancelled);
        expect(await store.cancel({ owner: 'ann' }, { batch: id })).toEqual([]);
        expect(await counts(id)).toMatchObject({ failed: 1, cancelled: 2, processing: 0, pending: 0 });
        expect(await store.batchOf('all', id)).toMatchObject({ completedAt: START + 5 });
        expect(await trailOf(store, images[1]?.id ?? '')).toEqual([
          'upload_initiated',
          'processing_started',
          'cancelled',
        ]);
        expect(await store.take('worker', 9)).toEqual([]);
      });

      it('of one job leaves the others of its batch', async () => {
        const { id, images } = await upload(store, { images: [newImage(), newImage()] });
        const cancelled = await store.cancel('all', { job: images[1]?.job ?? '' });
        expect(cancelled).toMatchObject([{ id: images[1]?.id }]);
        expect(await counts(id)).toMatchObject({ pending: 1, cancelled: 1 });
        expect(await store.batchOf('all', id)).toMatchObject({ completedAt: null });
      });

      it('of an unknown batch or job is told from one without open images', async () => {
        expect(await store.cancel('all', { batch: randomUUID() })).toBeUndefined();
        expect(await store.cancel('all', { job: randomUUID() })).toBeUndefined();
        expect(await store.retry('all', { batch: randomUUID() })).toBeUndefined();
        expect(await store.retry('all', { job: randomUUID() })).toBeUndefined();
      });
    });

    describe('a retry', () => {
      it('makes failed and cancelled images wait again with no attempts, and opens their batch', async () => {
        const { id, images } = await upload(store, { images: [newImage(), newImage(), newImage()] });
        await store.settle(await takeNext(store), completed(images[0]?.id ?? ''));
        await failNext();
        await store.cancel('all', { batch: id });
        expect(await store.retry({ owner: 'ann' }, { batch: id })).toBe(2);
        expect(await store.retry({ owner: 'ann' }, { batch: id })).toBe(0);
        expect(await counts(id)).toMatchObject({ completed: 1, pending: 2, failed: 0, cancelled: 0 });
        expect(await store.batchOf('all', id)).toMatchObject({ completedAt: null });
        expect(await store.image('all', images[1]?.id ?? '')).toMatchObject({
          ...{ state: 'pending', attempts: 0, error: null, ms: null, startedAt: null, completedAt: null },
        });
        expect(await takeNext(store)).toMatchObject({
          id: images[1]?.id,
          attempt: 1,
          staged: images[1]?.staged,
        });
        expect(await trailOf(store, images[2]?.id ?? '')).toEqual([
          'upload_initiated',
          'cancelled',
          'retried',
        ]);
      });

      it('of one job leaves the others of its batch', async () => {
        const { id, images } = await upload(store, { images: [newImage(), newImage()] });
        await failNext();
        await failNext();
        expect(await store.retry('all', { job: images[1]?.job ?? '' })).toBe(1);
        expect(await counts(id)).toMatchObject({ failed: 1, pending: 1 });
      });

      it('fails an image whose staged bytes are gone', async () => {
        const { id, first } = await upload(store);
        await failNext();
        await store.sweep(START + 1, 0);
        expect(await store.retry('all', { batch: id })).toBe(0);
        expect(await store.image('all', first.id)).toMatchObject({
          ...{ state: 'failed', error: { code: 'source_missing' } },
        });
        expect((await store.trail(first.id)).at(-1)).toMatchObject({
          type: 'failed',
          data: { code: 'source_missing' },
        });
      });

      it('fails a cancelled image whose staged bytes are gone', async () => {
        const { id, first } = await upload(store);
        await store.cancel('all', { batch: id });
        await store.sweep(START + 1, 0);
        expect(await store.retry('all', { job: first.job })).toBe(0);
        expect(await stateOf(first.id)).toBe('failed');
        expect(await store.batchOf('all', id)).toMatchObject({ completedAt: START });
      });

      it('leaves a refused file its error', async () => {
        const { id, first } = await upload(store, { images: [refusedImage()] });
        expect(await store.retry('all', { batch: id })).toBe(0);
        expect(await store.image('all', first.id)).toMatchObject({ error: { code: 'corrupt' } });
      });

      it('gives a crashed image three attempts again', async () => {
        const { id } = await upload(store);
        for (let n = 0; n < 3; n++) {
          await beginNext(store);
          await store.recover();
        }
        expect(await store.take('worker', 1)).toEqual([]);
        expect(await store.retry('all', { batch: id })).toBe(1);
        expect(await beginNext(store)).toMatchObject({ attempt: 1 });
        expect(await store.recover()).toEqual({ waiting: 1, crashed: [] });
      });
    });

    describe('a deleted image', () => {
      it('is hidden at once from all requests, and names the keys of its objects', async () => {
        const { id, first } = await upload(store, { images: [newImage(), newImage()] });
        await store.settle(await takeNext(store), completed(first.id));
        expect(await store.remove({ owner: 'ann' }, first.id)).toEqual({
          ...{ id: first.id, job: first.job, batch: id, owner: 'ann', bucket: 'shop' },
          ...{ keys: [output(first.id).key], hadEnded: true },
        });
        expect(await store.remove({ owner: 'ann' }, first.id)).toBeUndefined();
        expect(await store.image('all', first.id)).toBeUndefined();
        expect(await store.imageOfJob('all', first.job)).toBeUndefined();
        expect(await store.jobOf('all', first.job)).toBeUndefined();
        expect(await store.images('all', [first.id])).toEqual([]);
        expect(await store.imagesOf('all', id, null, 9)).toHaveLength(1);
        expect(await counts(id)).toMatchObject({ completed: 0, pending: 1 });
        expect(await store.cancel('all', { job: first.job })).toBeUndefined();
        expect(await store.retry('all', { job: first.job })).toBeUndefined();
        expect(await store.failed(9)).toEqual([]);
      });

      it('is taken from its worker, and its batch ends', async () => {
        const { id, first } = await upload(store);
        const claim = await takeNext(store);
        const removed = await store.remove('all', first.id);
        expect(removed).toMatchObject({ keys: [first.staged], hadEnded: false });
        expect(await store.lost([claim])).toEqual([claim]);
        expect(await store.batchOf('all', id)).toMatchObject({ completedAt: START });
        expect(await store.recover()).toEqual({ waiting: 0, crashed: [] });
      });

      it('loses its rows once its objects are gone, and keeps its audit trail', async () => {
        const { id, images } = await upload(store, { images: [newImage(), newImage()] });
        const [one, other] = images.map((image) => image.id) as [string, string];
        await store.settle(await takeNext(store), completed(one));
        await store.remove('all', one);
        expect(await store.referred([output(one).key])).toEqual([output(one).key]);
        await store.dropRows(one);
        await store.dropRows(one);
        expect(await store.referred([output(one).key])).toEqual([]);
        expect(await trailOf(store, one)).toEqual([
          ...['upload_initiated', 'processing_started', 'completed', 'deleted'],
        ]);
        await store.remove('all', other);
        await store.dropRows(other);
        expect(await store.batchOf('all', id)).toBeUndefined();
      });

      it('keeps its rows until it was deleted', async () => {
        const { first } = await upload(store);
        await store.dropRows(first.id);
        expect(await stateOf(first.id)).toBe('pending');
      });
    });
  });
}
