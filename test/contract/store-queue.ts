import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim } from '../../src/ports.ts';
import {
  beginNext,
  type Clock,
  completed,
  MS,
  newImage,
  type OpenStore,
  output,
  PRESET,
  START,
  type TestedStore,
  TORN,
  takeNext,
  tornEnd,
  trailOf,
  upload,
} from './store-steps.ts';

export function storeOfQueueConformance(name: string, open: OpenStore): void {
  describe(`${name} as a queue of images`, () => {
    let clock: Clock;
    let store: TestedStore;
    beforeEach(async () => {
      clock = { now: START };
      store = await open(clock);
    });
    afterEach(() => store.close());

    const stateOf = async (id: string) => (await store.image('all', id))?.state;
    const settle = (claim: Claim) => store.settle(claim, completed(claim.id));

    it('gives an image with all that a worker needs', async () => {
      const { id: batch, first } = await upload(store);
      clock.now = START + 50;
      const { id, job, uploaded, staged } = first;
      expect(await store.take('worker', 5)).toEqual([
        {
          ...{ id, job, batch, owner: 'ann', bucket: 'shop', name: 'photo.jpg', attempt: 1, taken: 1 },
          ...{ preset: PRESET, staged, uploaded },
        },
      ]);
      expect(await store.image('all', id)).toMatchObject({
        state: 'processing',
        attempts: 0,
        startedAt: START + 50,
      });
      expect(await store.take('worker', 5)).toEqual([]);
    });

    it('counts an attempt once it begins or ends, and only once', async () => {
      const { first } = await upload(store);
      const attempts = async () => (await store.image('all', first.id))?.attempts;
      const claim = await takeNext(store);
      expect([await store.begin(claim), await store.begin(claim), await attempts()]).toEqual([true, true, 1]);
      const again = { state: 'retrying', error: TORN, delay: 0 } as const;
      await store.settle(claim, again);
      expect(await attempts()).toBe(1);
      const next = await takeNext(store);
      expect([next.attempt, await attempts()]).toEqual([2, 1]);
      await store.settle(next, again);
      expect(await attempts()).toBe(2);
    });

    it('lets no attempt begin at an image that is not in the hands of the claim', async () => {
      const { first } = await upload(store);
      const old = await takeNext(store);
      await store.giveBack([old]);
      expect(await store.begin(old)).toBe(false);
      const present = await takeNext(store);
      expect(await store.begin(old)).toBe(false);
      expect(await store.image('all', first.id)).toMatchObject({ attempts: 0 });
      await store.cancel('all', { job: first.job });
      expect(await store.begin(present)).toBe(false);
      expect(await store.image('all', first.id)).toMatchObject({ attempts: 0 });
    });

    it('gives images of higher priority first, then older ones, even when the clock was set back', async () => {
      const slow = await upload(store, { priority: 0, images: [newImage(), newImage()] });
      clock.now = START - 1_000;
      const fast = await upload(store, { images: [newImage(), newImage()] });
      const order = [...fast.images, ...slow.images].map(({ id }) => id);
      expect((await store.take('worker', 3)).map(({ id }) => id)).toEqual(order.slice(0, 3));
      expect((await store.take('worker', 3)).map(({ id }) => id)).toEqual(order.slice(3));
    });

    it('gives each image to one of several callers', async () => {
      await upload(store, { images: Array.from({ length: 12 }, () => newImage()) });
      const taken = await Promise.all(['a', 'b', 'c', 'd'].map((worker) => store.take(worker, 5)));
      const ids = taken.flat().map(({ id }) => id);
      expect([ids.length, new Set(ids).size]).toEqual([12, 12]);
    });

    it('records what was made of an image', async () => {
      const { first } = await upload(store);
      const claim = await takeNext(store);
      clock.now = START + 900;
      const outputs = [
        output(first.id),
        output(first.id, { variant: 'big', key: `shop/processed/big/${first.id}` }),
      ];
      expect(await store.settle(claim, completed(first.id, { outputs, degraded: true }))).toBe('settled');
      expect(await store.image('all', first.id)).toMatchObject({
        ...{ state: 'completed', attempts: 1, dominantColor: '#102030', degraded: true, duplicateOf: null },
        ...{
          picture: { format: 'jpeg', width: 400, height: 300 },
          ms: MS,
          completedAt: START + 900,
          outputs,
        },
      });
      expect(await trailOf(store, first.id)).toEqual(['upload_initiated', 'processing_started', 'completed']);
    });

    it('records a duplicate with its first image', async () => {
      const one = await upload(store);
      await settle(await takeNext(store));
      const other = await upload(store);
      const end = { ...completed(other.first.id), state: 'duplicate', duplicateOf: one.first.id } as const;
      expect(await store.settle(await takeNext(store), end)).toBe('settled');
      expect(await store.image('all', other.first.id)).toMatchObject({
        state: 'duplicate',
        duplicateOf: one.first.id,
      });
    });

    it('records why an image failed', async () => {
      const { first } = await upload(store);
      expect(await store.settle(await takeNext(store), tornEnd)).toBe('settled');
      expect(await store.image('all', first.id)).toMatchObject({
        state: 'failed',
        error: TORN,
        completedAt: START,
      });
      expect((await store.trail(first.id)).at(-1)).toMatchObject({
        type: 'failed',
        data: { code: 'corrupt' },
      });
    });

    it('makes a retrying image wait for its delay, with its attempts counted on', async () => {
      const { first } = await upload(store);
      const again = { state: 'retrying', error: TORN, delay: 500 } as const;
      expect(await store.settle(await takeNext(store), again)).toBe('settled');
      expect(await store.image('all', first.id)).toMatchObject({
        state: 'retrying',
        error: null,
        attempts: 1,
      });
      clock.now = START + 499;
      expect(await store.take('worker', 1)).toEqual([]);
      clock.now = START + 500;
      expect(await takeNext(store)).toMatchObject({ id: first.id, attempt: 2 });
      expect((await store.trail(first.id))[2]).toMatchObject({ type: 'retrying', data: { code: 'corrupt' } });
    });

    it('does not make a retrying image wait for longer because the clock was set back', async () => {
      const { first } = await upload(store);
      await store.settle(await takeNext(store), { state: 'retrying', error: TORN, delay: 500 });
      clock.now = START - 3_600_000;
      expect(await takeNext(store)).toMatchObject({ id: first.id, attempt: 2 });
    });

    it('says "taken" to an attempt that is not the present one, and changes nothing', async () => {
      const { first } = await upload(store);
      const old = await takeNext(store);
      expect(await store.recover()).toEqual({ waiting: 1, crashed: [] });
      expect(await store.settle(old, tornEnd)).toBe('taken');
      const present = await takeNext(store);
      expect(await store.settle(old, tornEnd)).toBe('taken');
      expect(await store.lost([old, present])).toEqual([old]);
      expect(await settle(present)).toBe('settled');
      expect(await store.settle(present, tornEnd)).toBe('taken');
      expect(await stateOf(first.id)).toBe('completed');
    });

    it('says "taken" to an attempt from before a retry, though attempts are counted anew', async () => {
      const { id, first } = await upload(store);
      const old = await takeNext(store);
      await store.cancel('all', { batch: id });
      await store.retry('all', { batch: id });
      const present = await takeNext(store);
      expect(present).toMatchObject({ id: first.id, attempt: 1 });
      expect(await store.settle(old, tornEnd)).toBe('taken');
      await store.giveBack([old]);
      expect(await store.lost([old, present])).toEqual([old]);
      expect(await stateOf(first.id)).toBe('processing');
    });

    it('says "gone" to the attempt at a cancelled or deleted image', async () => {
      const { id, images } = await upload(store, { images: [newImage(), newImage()] });
      const claims = await store.take('worker', 2);
      await store.remove('all', images[0]?.id ?? '');
      await store.cancel('all', { batch: id });
      expect(await store.lost(claims)).toEqual(claims);
      for (const claim of claims) expect(await settle(claim)).toBe('gone');
      await store.dropRows(images[0]?.id ?? '');
      expect(await settle(claims[0] as Claim)).toBe('gone');
      expect(await stateOf(images[1]?.id ?? '')).toBe('cancelled');
    });

    it('makes an image that was given back wait again, and does not count the attempt', async () => {
      const { first } = await upload(store);
      const claim = await beginNext(store);
      await store.giveBack([claim]);
      await store.giveBack([claim]);
      expect(await store.image('all', first.id)).toMatchObject({ state: 'pending', attempts: 0 });
      await store.giveBack([await takeNext(store)]);
      expect(await store.image('all', first.id)).toMatchObject({ state: 'pending', attempts: 0 });
      expect(await takeNext(store)).toMatchObject({ attempt: 1, taken: 3 });
      expect(await trailOf(store, first.id)).toEqual([
        'upload_initiated',
        'processing_started',
        'given_back',
        'processing_started',
        'given_back',
        'processing_started',
      ]);
    });

    it('fails an image as crashed at which three attempts began without an end, and ends its batch', async () => {
      const { id, first } = await upload(store);
      for (const attempt of [1, 2]) {
        expect(await beginNext(store)).toMatchObject({ attempt });
        expect(await store.recover()).toEqual({ waiting: 1, crashed: [] });
      }
      await beginNext(store);
      const { waiting, crashed } = await store.recover();
      const failed = await store.image('all', first.id);
      expect([waiting, crashed]).toEqual([0, [failed]]);
      expect(failed).toMatchObject({ state: 'failed', attempts: 3, error: { code: 'worker_crashed' } });
      expect(await store.batchOf('all', id)).toMatchObject({ completedAt: START });
      expect((await trailOf(store, first.id)).slice(-2)).toEqual(['given_back', 'failed']);
    });

    it('does not blame an image that only waited in the hands of workers that died', async () => {
      const { first } = await upload(store);
      for (let n = 0; n < 5; n++) {
        await takeNext(store);
        expect(await store.recover()).toEqual({ waiting: 1, crashed: [] });
      }
      expect(await store.unended()).toEqual([]);
      expect(await takeNext(store)).toMatchObject({ id: first.id, attempt: 1 });
    });

    it('names images whose attempts came to no end, until nobody will process them', async () => {
      const { id: batch, images } = await upload(store, {
        images: Array.from({ length: 4 }, () => newImage()),
      });
      const [left, cancelled, given, done] = images.map(({ id, job }) => ({
        ...{ id, job, batch, owner: 'ann', bucket: 'shop' },
      }));
      const claims = await store.take('worker', 4);
      for (const claim of claims) await store.begin(claim);
      await store.cancel('all', { job: cancelled?.job ?? '' });
      await store.giveBack(claims.filter(({ id }) => id === given?.id));
      await settle(claims.find(({ id }) => id === done?.id) as Claim);
      expect(await store.unended()).toEqual(expect.arrayContaining([left, cancelled]));
      expect(await store.unended()).toHaveLength(2);
      await store.recover();
      expect(await store.unended()).toEqual([left]);
      await store.cancel('all', { batch });
      await store.retry('all', { batch });
      expect(await store.unended()).toEqual([left]);
    });

    it('does not count attempts that ended as crashed ones', async () => {
      const { first } = await upload(store);
      for (let n = 0; n < 4; n++) {
        await store.settle(await takeNext(store), { state: 'retrying', error: TORN, delay: 0 });
      }
      for (let n = 0; n < 4; n++) await store.giveBack([await beginNext(store)]);
      await beginNext(store);
      await store.recover();
      expect(await takeNext(store)).toMatchObject({ id: first.id, attempt: 6 });
    });

    it('lets one call end a batch, once nothing of it is open', async () => {
      const { id } = await upload(store, { images: [newImage(), newImage()] });
      const claims = await store.take('worker', 2);
      await settle(claims[0] as Claim);
      expect(await store.endBatch(id)).toBe(false);
      expect(await store.batchOf('all', id)).toMatchObject({ completedAt: null });
      clock.now = START + 7;
      await settle(claims[1] as Claim);
      expect((await Promise.all([store.endBatch(id), store.endBatch(id)])).sort()).toEqual([false, true]);
      expect(await store.batchOf('all', id)).toMatchObject({
        completedAt: START + 7,
        counts: { completed: 2 },
      });
      expect(await store.endBatch('unknown')).toBe(false);
    });

    it('recovers images whose worker is gone, and ends batches that a worker left unended', async () => {
      const done = await upload(store);
      await settle(await takeNext(store));
      const { first } = await upload(store);
      await beginNext(store);
      expect(await store.recover()).toEqual({ waiting: 1, crashed: [] });
      expect(await store.recover()).toEqual({ waiting: 0, crashed: [] });
      expect(await store.batchOf('all', done.id)).toMatchObject({ completedAt: START });
      expect(await store.image('all', first.id)).toMatchObject({ state: 'pending', attempts: 1 });
      expect((await store.trail(first.id)).at(-1)).toMatchObject({
        ...{ type: 'given_back', data: { reason: 'worker_gone' } },
      });
    });
  });
}
