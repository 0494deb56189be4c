import { copyFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model.ts';
import type { Index } from '../../src/ports.ts';
import { failure, finishedOf, jobOf, type OnRender, openWorkshop, type Workshop } from './made-up.ts';

let shop: Workshop;
let onRender: OnRender;
beforeEach(async () => {
  onRender = () => {};
  shop = await openWorkshop((source, orders) => onRender(source, orders));
});
afterEach(() => shop.index.close());

describe('a batch', () => {
  it('tries a picture again whose process crashed, and goes on with the others meanwhile', async () => {
    shop.put('a.jpg', 'b.jpg');
    let crashes = 1;
    onRender = (source) => {
      if (source.endsWith('a.jpg') && crashes-- > 0) throw failure('worker_crashed');
    };
    const events = await shop.run();
    expect(kinds(events)).toEqual(['job.retrying', 'job', 'job']);
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'completed', attempts: 2 });
    expect(jobOf(events, 'b.jpg')).toMatchObject({ state: 'completed', attempts: 1 });
    expect(shop.outputs()).toEqual(['a_small.webp', 'b_small.webp']);
  });

  it('gives up a picture whose process crashed three times', async () => {
    shop.put('a.jpg', 'b.jpg');
    onRender = (source) => {
      if (source.endsWith('a.jpg')) throw failure('worker_crashed');
    };
    const events = await shop.run();
    expect(kinds(events)).toEqual(['job.retrying', 'job', 'job.retrying', 'job']);
    expect(jobOf(events, 'a.jpg')).toMatchObject({
      state: 'failed',
      attempts: 3,
      error: { code: 'worker_crashed' },
    });
    expect([finishedOf(events).exit, shop.outputs()]).toEqual([1, ['b_small.webp']]);
  });

  it('stops where going on is pointless, keeps what waits, and is completed by the next', async () => {
    shop.put('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg');
    onRender = (source, orders) => {
      for (const { path } of orders) writeFileSync(path, 'half');
      if (source.endsWith('b.jpg')) throw failure('no_space');
    };
    const events = await shop.run({ jobs: 1 });
    expect(finishedOf(events)).toMatchObject({
      state: 'interrupted',
      exit: 3,
      counts: { failed: 0, processing: 0 },
    });
    expect(finishedOf(events).counts.pending).toBeGreaterThan(0);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: 'no_space, as asked' }),
    );
    expect(shop.outputs()).toEqual(['a_small.webp']);
    onRender = () => {};
    expect(finishedOf(await shop.run())).toMatchObject({ exit: 0, counts: { completed: 5, unchanged: 1 } });
  });

  it('leaves nothing staged by a picture that failed', async () => {
    shop.put('a.jpg');
    onRender = (_, orders) => {
      for (const { path } of orders) writeFileSync(path, 'half');
      throw failure('corrupt');
    };
    expect(finishedOf(await shop.run())).toMatchObject({ exit: 1, counts: { failed: 1 } });
    expect(shop.outputs()).toEqual([]);
  });

  it('calls no job completed that the index could not be told of', async () => {
    shop.put('a.jpg', 'b.jpg');
    const broken: Index = { ...shop.index, settle: () => Promise.reject(failure('index_unusable')) };
    const events = await shop.run({}, { index: broken });
    expect(finishedOf(events)).toMatchObject({
      state: 'interrupted',
      exit: 3,
      counts: { completed: 0, processing: 0 },
    });
    expect(events.filter(({ type }) => type === 'job')).toEqual([]);
    const again = await shop.run();
    expect(finishedOf(again)).toMatchObject({ exit: 0, counts: { completed: 2 } });
  });

  it('renders a copy when the picture it waited for failed', async () => {
    shop.put('a.jpg');
    copyFileSync(shop.at('photos/a.jpg'), shop.at('photos/b.jpg'));
    let times = 0;
    onRender = () => {
      if (times++ === 0) throw failure('timeout');
    };
    const events = await shop.run();
    expect(finishedOf(events).counts).toMatchObject({ failed: 1, completed: 1, duplicate: 0 });
    expect(times).toBe(2);
  });

  it('starts nothing when it is stopped before it began', async () => {
    shop.put('a.jpg');
    const events = await shop.run({}, {}, AbortSignal.abort());
    expect(finishedOf(events)).toMatchObject({ state: 'cancelled', exit: 130 });
    expect(shop.outputs()).toEqual([]);
  });

  it('finishes what is in work and cancels the rest when it is stopped', async () => {
    shop.put(...Array.from({ length: 20 }, (_, n) => `${n}.jpg`));
    const stop = new AbortController();
    onRender = () => stop.abort();
    const events = await shop.run({ jobs: 2 }, {}, stop.signal);
    const { completed, cancelled } = finishedOf(events).counts;
    expect([completed, cancelled]).toEqual([shop.outputs().length, 20 - completed]);
    expect(completed).toBeGreaterThanOrEqual(1);
    expect(completed).toBeLessThanOrEqual(2);
    expect(events).toContainEqual(expect.objectContaining({ type: 'stopping' }));
  });
});

function kinds(events: readonly Event[]): string[] {
  return events.map(({ type }) => type).filter((type) => type === 'job' || type === 'job.retrying');
}
