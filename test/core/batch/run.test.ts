import { copyFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../../src/model.ts';
import type { Index, Renderer, Storage } from '../../../src/ports.ts';
import { failure, finishedOf, jobOf, type OnRender, openWorkshop, type Workshop } from '../made-up.ts';

let shop: Workshop;
let onRender: OnRender;
beforeEach(async () => {
  onRender = () => {};
  shop = await openWorkshop((source, orders) => onRender(source, orders));
});
afterEach(() => shop.index.close());

describe('a batch', () => {
  it('tries a picture again after a crash of its process, and works on the others in the meantime', async () => {
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

  it('begins the next picture while outputs of the one before are made visible', async () => {
    shop.put('a.jpg', 'b.jpg', 'c.jpg');
    const rendered: string[] = [];
    const nextBegan = new Promise<void>((resolve) => {
      onRender = (source) => {
        rendered.push(basename(source));
        if (rendered.length === 2) resolve();
      };
    });
    const { ports } = await shop.prepare('process');
    const storage: Storage = {
      ...ports.storage,
      async commit(staged) {
        // With one slot, this waits for ever if the first picture still holds the slot.
        await nextBegan;
        return ports.storage.commit(staged);
      },
    };
    const events = await shop.run({ jobs: 1 }, { storage });
    expect(finishedOf(events)).toMatchObject({ counts: { completed: 3 } });
    expect(rendered).toEqual(['a.jpg', 'b.jpg', 'c.jpg']);
  });

  it('opens no picture outside of its slots when another source has taken the names of one', async () => {
    shop.put('a.jpg', 'b.jpg');
    const { ports } = await shop.prepare('process');
    let opened = 0;
    const most: number[] = [];
    let bOpened = () => {};
    const bIsOpen = new Promise<void>((resolve) => {
      bOpened = resolve;
    });
    const renderer: Renderer = {
      ...ports.renderer,
      async open(source, ...limits) {
        most.push(++opened);
        if (source.path.endsWith('b.jpg')) bOpened();
        const picture = await ports.renderer.open(source, ...limits);
        return {
          ...picture,
          async render(orders) {
            // Long enough for the other picture to begin again.
            if (source.path.endsWith('b.jpg')) for (let turn = 0; turn < 100; turn++) await breathe();
            return picture.render(orders);
          },
          close() {
            opened--;
          },
        };
      },
    };
    let isTaken = true;
    const storage: Storage = {
      ...ports.storage,
      async commit(staged) {
        if (isTaken && staged.some(({ final }) => final.includes('a_small'))) {
          await bIsOpen;
          isTaken = false;
          throw failure('output_exists');
        }
        return ports.storage.commit(staged);
      },
    };
    const events = await shop.run({ jobs: 1 }, { storage, renderer });
    expect([finishedOf(events).counts.completed, isTaken, opened]).toEqual([2, false, 0]);
    expect(most).toEqual([1, 1, 1]);
  });

  it('limits the pictures in work while no output can be made visible', async () => {
    shop.put(...Array.from({ length: 40 }, (_, n) => `${n}.jpg`));
    let begun = 0;
    onRender = () => {
      begun++;
    };
    const { ports } = await shop.prepare('process');
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let waiting = 0;
    const storage: Storage = {
      ...ports.storage,
      async commit(staged) {
        waiting++;
        await gate;
        return ports.storage.commit(staged);
      },
    };
    const running = shop.run({ jobs: 2 }, { storage });
    await vi.waitFor(() => expect(waiting).toBeGreaterThan(2));
    // By now all pictures have begun that may begin.
    for (let turn = 0; turn < 100; turn++) await breathe();
    expect([begun, waiting]).toEqual([waiting, waiting]);
    // Four for each slot.
    expect(waiting).toBeLessThanOrEqual(8);
    open();
    expect(finishedOf(await running).counts.completed).toBe(40);
  });

  it('gives up a picture after three crashes of its process', async () => {
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
    expect([finishedOf(events).counts.failed, shop.outputs()]).toEqual([1, ['b_small.webp']]);
  });

  it('stops after a fatal error, keeps waiting jobs, and is completed by the next run', async () => {
    shop.put('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg');
    onRender = (source, orders) => {
      for (const { path } of orders) writeFileSync(path, 'half');
      if (source.endsWith('b.jpg')) throw failure('no_space');
    };
    const events = await shop.run({ jobs: 1 });
    expect(finishedOf(events)).toMatchObject({
      state: 'interrupted',

      counts: { failed: 0, processing: 0 },
    });
    expect(finishedOf(events).counts.pending).toBeGreaterThan(0);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: 'no_space, as asked' }),
    );
    expect(shop.outputs()).toEqual(['a_small.webp']);
    onRender = () => {};
    expect(finishedOf(await shop.run())).toMatchObject({ counts: { completed: 5, unchanged: 1 } });
  });

  it('leaves no staged files of a failed picture', async () => {
    shop.put('a.jpg');
    onRender = (_, orders) => {
      for (const { path } of orders) writeFileSync(path, 'half');
      throw failure('corrupt');
    };
    expect(finishedOf(await shop.run())).toMatchObject({ counts: { failed: 1 } });
    expect(shop.outputs()).toEqual([]);
  });

  it('reports no job as completed that the index could not record', async () => {
    shop.put('a.jpg', 'b.jpg');
    const broken: Index = { ...shop.index, settle: () => Promise.reject(failure('index_unusable')) };
    const events = await shop.run({}, { index: broken });
    expect(finishedOf(events)).toMatchObject({
      state: 'interrupted',

      counts: { completed: 0, processing: 0 },
    });
    expect(events.filter(({ type }) => type === 'job')).toEqual([]);
    const again = await shop.run();
    expect(finishedOf(again)).toMatchObject({ counts: { completed: 2 } });
  });

  it('renders a copy after its original has failed', async () => {
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

  it('starts nothing when it is stopped before its start', async () => {
    shop.put('a.jpg');
    const events = await shop.run({}, {}, AbortSignal.abort());
    expect(finishedOf(events)).toMatchObject({ state: 'cancelled', stopped: 'signal' });
    expect(shop.outputs()).toEqual([]);
  });

  it('finishes pictures in work and cancels the rest when it is stopped', async () => {
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
