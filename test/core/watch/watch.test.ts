import { renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha } from '../../records.ts';
import { failure, type OnRender, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';
import { SETTLE, type Watching, type WatchingOptions, watchOf } from '../made-up-watch.ts';

let shop: Workshop;
let onRender: OnRender;
let watching: Watching | undefined;
beforeEach(async () => {
  onRender = () => {};
  shop = await openWorkshop((source, orders) => onRender(source, orders));
  watching = undefined;
});
afterEach(async () => {
  await watching?.stop();
  await shop.index.close();
});

async function watch(options: WatchingOptions = {}): Promise<Watching> {
  watching = await watchOf(shop, options);
  await watching.idle();
  return watching;
}

const remove = (name: string) => rmSync(shop.at(`photos/${name}`));

describe('a watch', () => {
  it('makes what is there once it rests, then what lands, and ends well when it is stopped', async () => {
    shop.put('a.jpg');
    const it = await watch();
    await it.pass(SETTLE - 1);
    expect(shop.outputs()).toEqual([]);
    await it.pass(1);
    await it.job('a.jpg', 'completed');
    await it.land('b.jpg');
    await it.pass(SETTLE - 1);
    expect(shop.outputs()).toEqual(['a_small.webp']);
    await it.pass(1);
    await it.job('b.jpg', 'completed');
    expect(await it.told('watching')).toMatchObject({ folders: 1, by: 'events' });
    expect(await it.stop()).toMatchObject({
      state: 'finished',
      stopped: 'signal',
      counts: { completed: 2, failed: 0, cancelled: 0 },
    });
    expect(shop.outputs()).toEqual(['a_small.webp', 'b_small.webp']);
  });

  it('tells what is in order at once, and does nothing about it', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    const it = await watch();
    expect(await it.job('b.jpg', 'unchanged')).toMatchObject({ attempts: 0 });
    it.changed('a.jpg', 'b.jpg', 'none.jpg');
    await it.pass(5 * SETTLE);
    expect(await it.stop()).toMatchObject({ state: 'finished', counts: { unchanged: 2, completed: 0 } });
    expect(it.events.filter(({ type }) => type === 'job')).toHaveLength(2);
  });

  it('counts a source that was in order once, also when it changes', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    const it = await watch();
    await it.land('a.jpg', 'changed');
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    expect(await it.stop()).toMatchObject({ counts: { completed: 1, unchanged: 1 } });
  });

  it('counts a source that was in order once, also when it went and came back', async () => {
    shop.put('b.jpg');
    await shop.run();
    const it = await watch();
    renameSync(shop.at('photos/b.jpg'), shop.at('away'));
    it.changed('b.jpg');
    await it.idle();
    renameSync(shop.at('away'), shop.at('photos/b.jpg'));
    it.changed('b.jpg');
    await it.pass(2 * SETTLE);
    expect(await it.stop()).toMatchObject({ counts: { completed: 0, unchanged: 1 } });
  });

  it('makes a source anew each time it changes, and counts it once', async () => {
    shop.put('a.jpg');
    const it = await watch();
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    for (const text of ['second', 'third one']) {
      await it.land('a.jpg', text);
      await it.pass(SETTLE);
      while ((await it.job('a.jpg', 'completed')).digest !== sha(text)) await it.idle();
      expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha(text)));
    }
    expect(await it.stop()).toMatchObject({ counts: { completed: 1 } });
  });

  it('finds by itself what no word came of when its time to look has come, and says so', async () => {
    shop.put('a.jpg');
    const it = await watch({ scanInterval: 60_000 });
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    shop.put('b.jpg');
    await it.pass(75_000);
    expect(await it.told('scanned')).toMatchObject({ sources: 2, changed: 1 });
    await it.pass(SETTLE);
    await it.job('b.jpg', 'completed');
  });

  it('looks at everything soon when it may have missed something', async () => {
    const it = await watch();
    shop.put('a.jpg');
    it.hint({ type: 'lost' });
    await it.told('scanned');
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
  });

  it('looks at everything once more when it may have missed something while it did so', async () => {
    let isFirst = true;
    const it = await watch({
      onWalk(at) {
        if (at !== undefined || !isFirst) return;
        isFirst = false;
        watching?.hint({ type: 'lost' });
      },
    });
    const before = it.walks.length;
    it.hint({ type: 'lost' });
    isFirst = true;
    await it.told('scanned');
    await it.pass(5_000);
    expect(it.walks.length - before).toBe(2);
  });

  it('looks at everything when so much was told at once that some may have been dropped', async () => {
    const it = await watch();
    shop.put('a.jpg');
    it.changed(...Array.from({ length: 5_000 }, (_, i) => `none${i}.jpg`));
    expect(await it.told('scanned')).toMatchObject({ sources: 1, changed: 1 });
  });

  it('passes on what its sources warn of', async () => {
    const it = await watch();
    it.hint({ type: 'warning', message: 'full', fix: 'empty it' });
    expect(await it.told('warning')).toEqual({ type: 'warning', message: 'full', fix: 'empty it' });
  });

  it('tells once of a file that does not come to rest, and takes it when it does', async () => {
    const it = await watch();
    for (let i = 0; i < 12; i++) {
      await it.land('a.jpg', 'x'.repeat(i + 1));
      await it.pass(SETTLE - 100);
    }
    expect(it.events.filter(({ type }) => type === 'still_written')).toEqual([
      expect.objectContaining({ source: 'photos/a.jpg' }),
    ]);
    expect(shop.outputs()).toEqual([]);
    await it.pass(SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ digest: sha('x'.repeat(12)) });
  });

  it('never makes a job of a file that is gone before it rests', async () => {
    const it = await watch();
    await it.land('a.jpg');
    remove('a.jpg');
    it.changed('a.jpg');
    await it.pass(5 * SETTLE);
    const { counts } = await it.stop();
    expect(Object.values(counts)).toEqual(Object.values(counts).map(() => 0));
  });
});

describe('a watch that is not to take what is there', () => {
  it('leaves it, and takes what lands or changes', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watch({ existing: false });
    await it.pass(5 * SETTLE);
    it.hint({ type: 'lost' });
    await it.told('scanned');
    await it.pass(5 * SETTLE);
    expect(shop.outputs()).toEqual([]);
    await it.land('b.jpg', 'changed');
    await it.land('c.jpg');
    await it.pass(SETTLE);
    await it.job('b.jpg', 'completed');
    await it.job('c.jpg', 'completed');
    expect(await it.stop()).toMatchObject({ counts: { completed: 2 } });
  });

  it('takes what the last watch of the same folders had not come to', async () => {
    shop.put('old.jpg');
    const first = await watch({ existing: false, batch: { jobs: 1 } });
    onRender = () => void first.stop();
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg']) await first.land(name);
    await first.pass(SETTLE);
    const left = (await first.finished).counts.cancelled;
    expect(left).toBeGreaterThan(0);
    onRender = () => {};
    const second = await watch({ existing: false });
    await second.pass(SETTLE);
    await second.job('e.jpg', 'completed');
    await second.pass(SETTLE);
    expect(await second.stop()).toMatchObject({ counts: { completed: left } });
    expect(shop.outputs()).not.toContain('old_small.webp');
  });
});

describe('a watch that is stopped', () => {
  it('calls itself cancelled when pictures wait, and finishes those in work', async () => {
    const it = await watch({ batch: { jobs: 1 } });
    onRender = () => void it.stop();
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg']) await it.land(name);
    await it.pass(SETTLE);
    const finished = await it.finished;
    expect(finished).toMatchObject({
      state: 'cancelled',
      stopped: 'signal',
      counts: { completed: 1, pending: 0 },
    });
    expect(finished.counts.cancelled).toBe(5);
    expect(shop.outputs()).toHaveLength(1);
  });

  it('calls itself cancelled when a picture waits for another attempt', async () => {
    onRender = () => {
      throw failure('corrupt');
    };
    const it = await watch();
    await it.land('a.jpg');
    await it.pass(SETTLE);
    await it.told('job.retrying');
    expect(await it.stop()).toMatchObject({ state: 'cancelled', counts: { cancelled: 1, retrying: 0 } });
  });

  it('ends well when files only wait to come to rest, and leaves no call of the clock behind', async () => {
    const it = await watch();
    await it.land('a.jpg');
    expect(await it.stop()).toMatchObject({ state: 'finished', stopped: 'signal' });
    expect([it.clock.waiting, shop.outputs()]).toEqual([0, []]);
  });

  it('ends in the middle of its first walk', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watchOf(shop, { onWalk: () => void it.stop() });
    watching = it;
    expect(await it.finished).toMatchObject({ stopped: 'signal', counts: { completed: 0 } });
    expect(it.clock.waiting).toBe(0);
  });

  it('is interrupted when its folders cannot be walked at all', async () => {
    const it = await watchOf(shop, {
      onWalk() {
        throw new Error('walked into a wall');
      },
    });
    watching = it;
    expect(await it.finished).toMatchObject({ state: 'interrupted' });
    expect(it.events).toContainEqual({ type: 'warning', code: 'internal', message: 'walked into a wall' });
  });
});
