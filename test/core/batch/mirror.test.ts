import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ports } from '../../../src/core/job/context.ts';
import { ImgtoolError } from '../../../src/errors.ts';
import type { BatchOptions, Event } from '../../../src/model.ts';
import { openWorkshop, type Workshop } from '../made-up.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  shop.put('a.jpg', 'b.jpg', 'c.jpg', 'd.jpg');
  await shop.run();
  for (const name of ['a.jpg', 'b.jpg']) rmSync(shop.at(`photos/${name}`));
});
afterEach(() => shop.index.close());

const ALL = ['a_small.webp', 'b_small.webp', 'c_small.webp', 'd_small.webp'];
const MIRROR: Partial<BatchOptions> = { mirror: true };
const removedIn = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'removed' ? event.paths : []));

/** The storage of the workshop, with another `remove`. */
async function removing(remove: Ports['storage']['remove']): Promise<Partial<Ports>> {
  const { ports } = await shop.prepare('process');
  return { storage: { ...ports.storage, remove } };
}

describe('a batch that mirrors', () => {
  it('removes the outputs of gone sources after all jobs have ended', async () => {
    shop.put('new.jpg');
    const events = await shop.run(MIRROR);
    const types = events.map(({ type }) => type).filter((type) => type === 'job' || type === 'removed');
    expect(types).toEqual(['job', 'job', 'job', 'removed', 'removed']);
    expect(shop.outputs()).toEqual(['c_small.webp', 'd_small.webp', 'new_small.webp']);
  });

  it('is cancelled by a stop and removes nothing more, and the next batch removes the rest', async () => {
    const stop = new AbortController();
    const ports = await shop.prepare('process');
    const given = await removing(async (...all) => {
      stop.abort();
      return ports.ports.storage.remove(...all);
    });
    const events = await shop.run(MIRROR, given, stop.signal);
    expect(removedIn(events)).toEqual(['out/a_small.webp']);
    expect(events.at(-1)).toMatchObject({ state: 'cancelled', stopped: 'signal' });
    expect(removedIn(await shop.run(MIRROR))).toEqual(['out/b_small.webp']);
    expect(shop.outputs()).toEqual(ALL.slice(2));
  });

  it('compares with any number of pictures that were missing before', async () => {
    const { ports } = await shop.prepare('process');
    const noted = new Map(Array.from({ length: 150_000 }, (_, i) => [`/missing/${i}.jpg`, 1e6 + i]));
    const missing: Ports['sources']['missing'] = async (paths) =>
      paths.length === noted.size ? [...paths] : ports.sources.missing(paths);
    const index = { ...shop.index, notedMissing: async () => noted };
    const events = await shop.run(MIRROR, { index, sources: { ...ports.sources, missing } });
    expect(removedIn(events)).toEqual(ALL.slice(0, 2).map((name) => `out/${name}`));
  });

  it('goes on after an output that cannot be removed, whose record stays', async () => {
    const { ports } = await shop.prepare('process');
    const given = await removing(async (paths, ...rest) => {
      if (paths.some((path) => path.includes('a_small'))) throw new ImgtoolError('io', 'no luck');
      return ports.storage.remove(paths, ...rest);
    });
    const events = await shop.run(MIRROR, given);
    expect(removedIn(events)).toEqual(['out/b_small.webp']);
    const warnings = events.filter(({ type }) => type === 'warning');
    expect(warnings).toMatchObject([{ message: 'photos/a.jpg: its outputs could not be removed: no luck' }]);
    expect(removedIn(await shop.run(MIRROR))).toEqual(['out/a_small.webp']);
  });

  it('reports the outputs that it has removed when another one of the same source cannot be removed', async () => {
    const [small] = (await shop.prepare('process')).work.options.preset.variants;
    const preset = { name: 'two', variants: [small!, { ...small!, name: 'tiny' }] };
    const two: Partial<BatchOptions> = { preset, mirror: 'all' };
    shop.put('e.jpg', 'f.jpg');
    await shop.run({ ...two, mirror: false });
    rmSync(shop.at('photos/e.jpg'));
    const { ports } = await shop.prepare('process');
    const given = await removing(async (paths, below) => {
      const { removed } = await ports.storage.remove(paths.slice(0, 1), below);
      return { removed, error: new ImgtoolError('io', 'no luck') };
    });
    const events = await shop.run(two, given);
    expect(removedIn(events)).toEqual(['out/e_small.webp']);
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      { message: 'photos/e.jpg: its outputs could not be removed: no luck' },
    ]);
    const left = await shop.index.ownedBy(shop.at('photos/e.jpg'));
    expect(left.map(({ path }) => path)).toEqual([shop.at('out/e_tiny.webp')]);
    expect(removedIn(await shop.run(two))).toEqual(['out/e_tiny.webp']);
  });

  it('is interrupted by an index that fails, and the next batch completes the removal', async () => {
    let calls = 0;
    const index: Ports['index'] = {
      ...shop.index,
      async forget(...all) {
        if (++calls === 2) throw new ImgtoolError('index_unusable', 'the disk failed');
        await shop.index.forget(...all);
      },
    };
    const events = await shop.run(MIRROR, { index });
    expect(events.at(-1)).toMatchObject({ type: 'batch.finished', state: 'interrupted' });
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'index_unusable' }));
    expect(shop.outputs()).toEqual(ALL.slice(2));
    await shop.run(MIRROR);
    expect(await shop.index.ownedBy(shop.at('photos/b.jpg'))).toEqual([]);
  });

  it('keeps outputs of a source that comes back during the batch', async () => {
    const { ports } = await shop.prepare('process');
    const sources: Ports['sources'] = {
      ...ports.sources,
      async gone(paths) {
        const gone = await ports.sources.gone(paths);
        shop.put('b.jpg');
        return gone;
      },
    };
    expect(removedIn(await shop.run(MIRROR, { sources }))).toEqual(['out/a_small.webp']);
    expect(shop.outputs()).toEqual(ALL.slice(1));
  });
});
