import { renameSync, rmSync, symlinkSync } from 'node:fs';
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
  it('processes existing files after they have settled, then arriving files, and finishes when it is stopped', async () => {
    shop.put('a.jpg');
    const it = await watch();
    await it.pass(SETTLE - 1);
    expect(shop.outputs()).toEqual([]);
    await it.pass(1);
    await it.job('a.jpg', 'completed');
    await it.write('b.jpg');
    await it.pass(SETTLE - 1);
    expect(shop.outputs()).toEqual(['a_small.webp']);
    await it.pass(1);
    await it.job('b.jpg', 'completed');
    expect(await it.waitFor('watching')).toMatchObject({ folders: 1, by: 'events' });
    expect(await it.stop()).toMatchObject({
      state: 'finished',
      stopped: 'signal',
      counts: { completed: 2, failed: 0, cancelled: 0 },
    });
    expect(shop.outputs()).toEqual(['a_small.webp', 'b_small.webp']);
  });

  it('reports a file that it passes over once, and again only after a scan without the file', async () => {
    symlinkSync('a.jpg', shop.at('photos/link.jpg'));
    const it = await watch();
    const scan = async (times: number) => {
      it.hint({ type: 'lost' });
      while (it.events.filter(({ type }) => type === 'scanned').length < times) await it.pass(SETTLE);
      return it.events.filter(({ type }) => type === 'passed_over').length;
    };
    expect(await scan(1)).toBe(1);
    expect(await scan(2)).toBe(1);
    remove('link.jpg');
    expect(await scan(3)).toBe(1);
    symlinkSync('a.jpg', shop.at('photos/link.jpg'));
    expect(await scan(4)).toBe(2);
  });

  it('reports unchanged sources at once, and adds no jobs for them', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    const it = await watch();
    expect(await it.job('b.jpg', 'unchanged')).toMatchObject({ attempts: 0 });
    it.changed('a.jpg', 'b.jpg', 'none.jpg');
    await it.pass(5 * SETTLE);
    expect(await it.stop()).toMatchObject({ state: 'finished', counts: { unchanged: 2, completed: 0 } });
    expect(it.events.filter(({ type }) => type === 'job')).toHaveLength(2);
  });

  it('counts an unchanged source once, even when it changes later', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    const it = await watch();
    await it.write('a.jpg', 'changed');
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    expect(await it.stop()).toMatchObject({ counts: { completed: 1, unchanged: 1 } });
  });

  it('counts an unchanged source once, even when it is removed and returns', async () => {
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

  it('processes a source again after each change, and counts it once', async () => {
    shop.put('a.jpg');
    const it = await watch();
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    for (const text of ['second', 'third one']) {
      await it.write('a.jpg', text);
      await it.pass(SETTLE);
      while ((await it.job('a.jpg', 'completed')).digest !== sha(text)) await it.idle();
      expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha(text)));
    }
    expect(await it.stop()).toMatchObject({ counts: { completed: 1 } });
  });

  it('finds an unreported file with its next walk, and reports the walk', async () => {
    shop.put('a.jpg');
    const it = await watch({ scanInterval: 60_000 });
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
    shop.put('b.jpg');
    await it.pass(75_000);
    expect(await it.waitFor('scanned')).toMatchObject({ sources: 2, changed: 1 });
    await it.pass(SETTLE);
    await it.job('b.jpg', 'completed');
  });

  it('walks through everything soon when it may have missed a change', async () => {
    const it = await watch();
    shop.put('a.jpg');
    it.hint({ type: 'lost' });
    await it.waitFor('scanned');
    await it.pass(SETTLE);
    await it.job('a.jpg', 'completed');
  });

  it('walks through everything once more when it may have missed a change during a walk', async () => {
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
    await it.waitFor('scanned');
    await it.pass(5_000);
    expect(it.walks.length - before).toBe(2);
  });

  it('walks through everything after so many changes that the system may have dropped some', async () => {
    const it = await watch();
    shop.put('a.jpg');
    it.changed(...Array.from({ length: 5_000 }, (_, i) => `none${i}.jpg`));
    expect(await it.waitFor('scanned')).toMatchObject({ sources: 1, changed: 1 });
  });

  it('passes on the warnings of its sources', async () => {
    const it = await watch();
    it.hint({ type: 'warning', message: 'full', fix: 'empty it' });
    expect(await it.waitFor('warning')).toMatchObject({ type: 'warning', message: 'full', fix: 'empty it' });
  });

  it('reports a file that does not settle once, and takes it after it has settled', async () => {
    const it = await watch();
    for (let i = 0; i < 12; i++) {
      await it.write('a.jpg', 'x'.repeat(i + 1));
      await it.pass(SETTLE - 100);
    }
    expect(it.events.filter(({ type }) => type === 'still_written')).toEqual([
      expect.objectContaining({ source: 'photos/a.jpg' }),
    ]);
    expect(shop.outputs()).toEqual([]);
    await it.pass(SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ digest: sha('x'.repeat(12)) });
  });

  it('adds no job for a file that is gone before it has settled', async () => {
    const it = await watch();
    await it.write('a.jpg');
    remove('a.jpg');
    it.changed('a.jpg');
    await it.pass(5 * SETTLE);
    const { counts } = await it.stop();
    expect(Object.values(counts)).toEqual(Object.values(counts).map(() => 0));
  });
});

describe('a watch without existing files', () => {
  it('leaves existing files, and takes files that arrive or change', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watch({ existing: false });
    await it.pass(5 * SETTLE);
    it.hint({ type: 'lost' });
    await it.waitFor('scanned');
    await it.pass(5 * SETTLE);
    expect(shop.outputs()).toEqual([]);
    await it.write('b.jpg', 'changed');
    await it.write('c.jpg');
    await it.pass(SETTLE);
    await it.job('b.jpg', 'completed');
    await it.job('c.jpg', 'completed');
    expect(await it.stop()).toMatchObject({ counts: { completed: 2 } });
  });

  it('takes the files that the last watch of the same folders left behind', async () => {
    shop.put('old.jpg');
    const first = await watch({ existing: false, batch: { jobs: 1 } });
    onRender = () => void first.stop();
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg']) await first.write(name);
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

describe('a stopped watch', () => {
  it('is cancelled when pictures wait, and finishes those in work', async () => {
    const it = await watch({ batch: { jobs: 1 } });
    onRender = () => void it.stop();
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg']) await it.write(name);
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

  it('is cancelled when a picture waits for another attempt', async () => {
    onRender = () => {
      throw failure('corrupt');
    };
    const it = await watch();
    await it.write('a.jpg');
    await it.pass(SETTLE);
    await it.waitFor('job.retrying');
    expect(await it.stop()).toMatchObject({ state: 'cancelled', counts: { cancelled: 1, retrying: 0 } });
  });

  it('is finished when files are only settling, and leaves no timer', async () => {
    const it = await watch();
    await it.write('a.jpg');
    expect(await it.stop()).toMatchObject({ state: 'finished', stopped: 'signal' });
    expect([it.clock.waiting, shop.outputs()]).toEqual([0, []]);
  });

  it('ends during its first walk', async () => {
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
    expect(it.events).toContainEqual({
      ...{ type: 'warning', batch: expect.any(String) },
      ...{ code: 'internal', message: 'walked into a wall' },
    });
  });
});
