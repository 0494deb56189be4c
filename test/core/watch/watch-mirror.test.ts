import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImgtoolError } from '../../../src/errors.ts';
import { sha } from '../../records.ts';
import { type OnRender, openWorkshop, pictureOf, type Workshop } from '../made-up.ts';
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
  watching = await watchOf(shop, { mirror: true, ...options });
  await watching.idle();
  return watching;
}

/** A watch over pictures that a batch has processed before. */
async function watchMade(names: readonly string[], options: WatchingOptions = {}): Promise<Watching> {
  shop.put(...names);
  await shop.run(options.batch);
  return watch(options);
}

const at = (name: string) => shop.at(`photos/${name}`);
const removed = (it: Watching) =>
  it.events.flatMap((event) => (event.type === 'removed' ? [event.source] : []));
const recorded = async () => {
  const sources: string[] = [];
  for await (const path of shop.index.sourcesBelow(shop.at('photos'))) sources.push(path);
  return sources;
};

describe('a watch that mirrors', () => {
  it('removes the outputs of a gone source after two settle times, and forgets the source', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(2 * SETTLE - 1);
    expect([removed(it), shop.outputs()]).toEqual([[], ['a_small.webp', 'b_small.webp']]);
    await it.pass(1);
    expect(await it.waitFor('removed')).toMatchObject({
      source: 'photos/a.jpg',
      paths: ['out/a_small.webp'],
    });
    expect([shop.outputs(), await recorded()]).toEqual([['b_small.webp'], [at('b.jpg')]]);
  });

  it('removes nothing without mirror', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg'], { mirror: false });
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(10 * SETTLE);
    expect([removed(it), shop.outputs()]).toEqual([[], ['a_small.webp', 'b_small.webp']]);
  });

  it('keeps the outputs of a source that returns in time', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    renameSync(at('a.jpg'), shop.at('away'));
    it.changed('a.jpg');
    await it.pass(SETTLE);
    renameSync(shop.at('away'), at('a.jpg'));
    await it.pass(10 * SETTLE);
    expect([removed(it), shop.outputs()]).toEqual([[], ['a_small.webp', 'b_small.webp']]);
  });

  it('lets a renamed source take over its outputs, and renders nothing', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    onRender = () => {
      throw new Error('rendered');
    };
    renameSync(at('a.jpg'), at('c.jpg'));
    it.changed('a.jpg', 'c.jpg');
    await it.pass(SETTLE);
    expect(await it.job('c.jpg', 'completed')).toMatchObject({ reused: true });
    await it.pass(5 * SETTLE);
    expect(shop.text('out/c_small.webp')).toBe(pictureOf(sha('a.jpg')));
    expect(shop.outputs()).toEqual(['b_small.webp', 'c_small.webp']);
    expect(await recorded()).toEqual([at('b.jpg'), at('c.jpg')]);
  });

  it('removes the outputs of a source whose removal was not reported, after a walk through everything', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    rmSync(at('a.jpg'));
    it.hint({ type: 'lost' });
    await it.waitFor('scanned');
    await it.pass(2 * SETTLE);
    await it.waitFor('removed');
    expect(shop.outputs()).toEqual(['b_small.webp']);
  });

  it('removes the outputs of a source that was removed while no watch ran', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    rmSync(at('a.jpg'));
    const it = await watch();
    await it.pass(2 * SETTLE);
    expect(await it.waitFor('removed')).toMatchObject({ source: 'photos/a.jpg' });
    expect(shop.outputs()).toEqual(['b_small.webp']);
  });

  it('removes these outputs even when the remaining sources have to be processed again', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    rmSync(at('a.jpg'));
    shop.change('b.jpg', 'changed');
    const it = await watch();
    await it.pass(SETTLE);
    await it.job('b.jpg', 'completed');
    await it.pass(2 * SETTLE);
    expect(removed(it)).toEqual(['photos/a.jpg']);
    expect(it.events.filter(({ type }) => type === 'warning')).toEqual([]);
  });

  it('removes nothing and warns when all known sources are gone at the start', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    rmSync(at('a.jpg'));
    rmSync(at('b.jpg'));
    const it = await watch();
    expect(await it.waitFor('warning')).toMatchObject({
      message: expect.stringMatching(/^photos: 2 of the 2 pictures known from before are not there/),
    });
    await it.pass(10 * SETTLE);
    expect([removed(it), shop.outputs()]).toEqual([[], ['a_small.webp', 'b_small.webp']]);
  });

  it('removes nothing when another folder has replaced the folder, and follows removals after its return', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    renameSync(shop.at('photos'), shop.at('away'));
    mkdirSync(shop.at('photos'));
    it.hint({ type: 'replaced', folder: shop.at('photos') });
    await it.waitFor('scanned');
    await it.pass(10 * SETTLE);
    expect([removed(it), shop.outputs()]).toEqual([[], ['a_small.webp', 'b_small.webp']]);
    rmSync(shop.at('photos'), { recursive: true });
    renameSync(shop.at('away'), shop.at('photos'));
    it.hint({ type: 'replaced', folder: shop.at('photos') });
    await it.pass(SETTLE);
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(3 * SETTLE);
    await it.waitFor('removed');
    expect(shop.outputs()).toEqual(['b_small.webp']);
  });

  it('removes the outputs of a gone folder, but not of a folder with a similar name', async () => {
    mkdirSync(at('sub'));
    mkdirSync(at('sub-b'));
    const it = await watchMade(['a.jpg', 'sub/b.jpg', 'sub/c.jpg', 'sub-b/d.jpg']);
    rmSync(at('sub'), { recursive: true });
    it.changed('sub');
    await it.pass(0);
    it.hint({ type: 'lost' });
    await it.waitFor('scanned');
    await it.pass(2 * SETTLE);
    await it.pass(SETTLE);
    expect(removed(it).toSorted()).toEqual(['photos/sub/b.jpg', 'photos/sub/c.jpg']);
    expect([existsSync(shop.at('out/sub')), existsSync(shop.at('out/sub-b/d_small.webp'))]).toEqual([
      false,
      true,
    ]);
  });

  it('keeps a changed output, and forgets its owner', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    writeFileSync(shop.at('out/a_small.webp'), 'touched up by hand');
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(5 * SETTLE);
    expect([removed(it), shop.text('out/a_small.webp')]).toEqual([[], 'touched up by hand']);
    expect([await recorded(), await shop.index.ownedBy(at('a.jpg'))]).toEqual([[at('b.jpg')], []]);
  });

  it('gives a skipped copy its own outputs before it removes the shared ones', async () => {
    shop.put('a.jpg');
    shop.change('b.jpg', 'a.jpg');
    await shop.run({ duplicates: 'skip', jobs: 1 });
    expect(shop.outputs()).toEqual(['a_small.webp']);
    const it = await watch({ batch: { duplicates: 'skip' } });
    await it.pass(SETTLE);
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(3 * SETTLE);
    expect(await it.waitFor('removed')).toMatchObject({ source: 'photos/a.jpg' });
    expect([shop.outputs(), shop.text('out/b_small.webp')]).toEqual([
      ['b_small.webp'],
      pictureOf(sha('a.jpg')),
    ]);
  });

  it('removes nothing while a file of the same size is settling, and sleeps until then', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(2 * SETTLE - 100);
    await it.write('c.jpg');
    // The clock throws if the watch sets timers in an endless loop.
    await it.pass(SETTLE - 100);
    expect(removed(it)).toEqual([]);
    await it.pass(100);
    await it.job('c.jpg', 'completed');
    await it.pass(2 * SETTLE);
    await it.waitFor('removed');
    expect(shop.outputs()).toEqual(['b_small.webp', 'c_small.webp']);
  });

  it('waits a minute for an image of the same size that is tried again', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    onRender = () => {
      throw new ImgtoolError('io', 'could not be read');
    };
    await it.write('c.jpg');
    await it.pass(SETTLE);
    await it.waitFor('job.retrying');
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(50 * SETTLE);
    expect(removed(it)).toEqual([]);
    await it.pass(11 * SETTLE);
    await it.waitFor('removed');
  });

  it('does not wait for a file of another size that keeps changing', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.idle();
    for (let i = 0; i < 3; i++) {
      await it.write('c.jpg', 'x'.repeat(10 + i));
      await it.pass(SETTLE - 100);
    }
    await it.waitFor('removed');
    expect(shop.outputs()).toEqual(['b_small.webp']);
  });

  it('does not wait for an image of another size that is tried again', async () => {
    const it = await watchMade(['a.jpg', 'b.jpg']);
    onRender = () => {
      throw new ImgtoolError('io', 'could not be read');
    };
    await it.write('other.jpg');
    await it.pass(SETTLE);
    await it.waitFor('job.retrying');
    rmSync(at('a.jpg'));
    it.changed('a.jpg');
    await it.pass(2 * SETTLE);
    await it.waitFor('removed');
    expect(it.events.filter(({ type }) => type === 'job')).toMatchObject([
      { state: 'unchanged' },
      { state: 'unchanged' },
    ]);
  });

  it('removes nothing in later runs either while most of what it knew from before is missing', async () => {
    shop.put('a.jpg', 'b.jpg', 'c.jpg');
    await shop.run();
    rmSync(at('a.jpg'));
    rmSync(at('b.jpg'));
    const first = await watch();
    expect(await first.waitFor('warning')).toMatchObject({
      message: expect.stringMatching(/^photos: 2 of the 3 pictures/),
    });
    await first.stop();
    shop.put('d.jpg', 'e.jpg', 'f.jpg');
    await shop.run();
    const second = await watch();
    expect(await second.waitFor('warning')).toMatchObject({
      message: expect.stringMatching(/^photos: 2 of the 3 pictures/),
    });
    await second.pass(10 * SETTLE);
    expect([removed(second), shop.outputs()]).toMatchObject([[], { length: 6 }]);
    await second.stop();
    // Once one of them is back, the other one is no longer most of what was known.
    shop.put('a.jpg');
    const third = await watch();
    await third.pass(SETTLE);
    await third.pass(2 * SETTLE);
    await third.waitFor('removed');
    expect(removed(third)).toEqual(['photos/b.jpg']);
  });

  it('with once, removes outputs after all other work', async () => {
    shop.put('a.jpg', 'b.jpg');
    await shop.run();
    rmSync(at('a.jpg'));
    shop.put('c.jpg');
    const it = await watch({ once: true });
    await it.pass(SETTLE);
    await it.job('c.jpg', 'completed');
    await it.pass(2 * SETTLE);
    expect(await it.finished).toMatchObject({
      state: 'finished',

      counts: { completed: 1, unchanged: 1 },
    });
    expect(removed(it)).toEqual(['photos/a.jpg']);
    expect(shop.outputs()).toEqual(['b_small.webp', 'c_small.webp']);
  });
});
