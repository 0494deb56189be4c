import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import type { Renderer, Storage } from '../../../src/ports.ts';
import { sha, variant } from '../../records.ts';
import {
  finishedOf,
  jobOf,
  type OnRender,
  openWorkshop,
  pictureOf,
  rendererWith,
  type Workshop,
} from '../made-up.ts';

let shop: Workshop;
let onRender: OnRender;
beforeEach(async () => {
  onRender = () => {};
  shop = await openWorkshop((source, orders) => onRender(source, orders));
});
afterEach(() => shop.index.close());

it('a job reports each finished variant before it ends', async () => {
  shop.put('a.jpg');
  const variants = [variant(), variant({ name: 'tiny', width: 10 })];
  const events = await shop.run({ preset: { name: 'test', variants } });
  const about = { batch: finishedOf(events).batch, source: 'photos/a.jpg', bytes: 5, total: 2 };
  const { job } = jobOf(events, 'a.jpg');
  const of = events.filter(({ type }) => type.startsWith('job'));
  expect(of.map(({ type }) => type)).toEqual(['job.started', 'job.progress', 'job.progress', 'job']);
  expect(of.slice(1, 3)).toEqual([
    { type: 'job.progress', ...about, job, done: 1, share: 0.5 },
    { type: 'job.progress', ...about, job, done: 2, share: 1 },
  ]);
});

describe('the output of a job', () => {
  it('does not overwrite a file that appeared during the rendering', async () => {
    shop.put('a.jpg');
    onRender = () => writeFileSync(shop.at('out/a_small.webp'), 'somebody else’s');
    const events = await shop.run();
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error: { code: 'output_exists' } });
    expect(shop.text('out/a_small.webp')).toBe('somebody else’s');
    expect(shop.outputs()).toEqual(['a_small.webp']);
  });

  it.each(['link', 'copy'] as const)(
    'has the intended bytes when the output that it is a %s of is replaced in the meantime',
    async (duplicates) => {
      shop.put('a.jpg');
      await shop.run();
      renameSync(shop.at('photos/a.jpg'), shop.at('photos/b.jpg'));
      const storage = openLocalStorage('a1');
      const racing: Storage = {
        ...storage,
        async stageFrom(from, path, how) {
          // Another job does this when its source takes over the outputs of a gone source.
          writeFileSync(shop.at('new'), 'of another picture');
          renameSync(shop.at('new'), from);
          return storage.stageFrom(from, path, how);
        },
      };
      const events = await shop.run({ duplicates }, { storage: racing });
      const digest = sha('a.jpg');
      if (jobOf(events, 'b.jpg').state === 'completed')
        expect(shop.text('out/b_small.webp')).toBe(pictureOf(digest));
      else expect(shop.outputs()).not.toContain('b_small.webp');
    },
  );

  it('is replaced even if a file blocks the new output of a skipped copy', async () => {
    shop.put('a.jpg');
    shop.change('b.jpg', 'a.jpg');
    const first = await shop.run({ duplicates: 'skip', jobs: 1 });
    expect(jobOf(first, 'b.jpg')).toMatchObject({ state: 'duplicate', duplicateOf: 'photos/a.jpg' });
    writeFileSync(shop.at('out/b_small.webp'), 'not ours');
    shop.change('a.jpg', 'changed');
    const second = await shop.run({ duplicates: 'skip', jobs: 1 });
    expect(jobOf(second, 'a.jpg')).toMatchObject({ state: 'completed' });
    expect(jobOf(second, 'b.jpg')).toMatchObject({ state: 'failed', error: { code: 'output_exists' } });
    expect(shop.text('out/b_small.webp')).toBe('not ours');
  });

  it('is made from the digested bytes when a source changes between its stat and its read', async () => {
    shop.put('a.jpg');
    const renderer = rendererWith(() => {});
    const late: Renderer = {
      ...renderer,
      open(source, limits) {
        shop.change('a.jpg', 'changed');
        return renderer.open(source, limits);
      },
    };
    const events = await shop.run({}, { renderer: late });
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'completed', digest: sha('changed') });
    expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha('changed')));
    expect(finishedOf(await shop.run()).counts).toMatchObject({ unchanged: 1 });
  });

  it('is not made from old bytes when its source changes during the rendering', async () => {
    shop.put('a.jpg', 'b.jpg');
    let times = 0;
    onRender = (source) => {
      if (source.endsWith('a.jpg')) shop.change('a.jpg', 'x'.repeat(++times));
    };
    const storage = openLocalStorage('a1');
    const committed: string[] = [];
    const watched: Storage = {
      ...storage,
      async commit(staged) {
        committed.push(...staged.map(({ final }) => final));
        return storage.commit(staged);
      },
    };
    const events = await shop.run({}, { storage: watched });
    expect(jobOf(events, 'a.jpg')).toMatchObject({
      ...{ state: 'failed', attempts: 3 },
      error: { code: 'source_changed', message: 'was changed while it was processed' },
    });
    expect([committed, shop.outputs()]).toEqual([[shop.at('out/b_small.webp')], ['b_small.webp']]);
    expect(
      (await shop.index.lookup([shop.at('photos/a.jpg')], [])).source(shop.at('photos/a.jpg')),
    ).toBeUndefined();
    expect(finishedOf(events)).toMatchObject({ counts: { failed: 1, completed: 1 } });
  });

  it('is made from the new bytes when its source changes once during the rendering', async () => {
    shop.put('a.jpg');
    let isFirst = true;
    onRender = () => {
      if (isFirst) shop.change('a.jpg', 'changed');
      isFirst = false;
    };
    const events = await shop.run();
    expect(events).toContainEqual(
      expect.objectContaining({
        ...{ type: 'job.retrying', source: 'photos/a.jpg' },
        error: expect.objectContaining({ code: 'source_changed' }),
      }),
    );
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'completed', attempts: 2, digest: sha('changed') });
    expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha('changed')));
  });

  it('stays as it was when its source changes during a new rendering', async () => {
    shop.put('a.jpg');
    await shop.run();
    shop.change('a.jpg', 'second');
    let times = 0;
    onRender = () => shop.change('a.jpg', 'x'.repeat(++times));
    const events = await shop.run();
    expect(jobOf(events, 'a.jpg')).toMatchObject({ state: 'failed', error: { code: 'source_changed' } });
    expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha('a.jpg')));
    onRender = () => {};
    expect(finishedOf(await shop.run()).counts).toMatchObject({ completed: 1 });
    expect(shop.text('out/a_small.webp')).toBe(pictureOf(sha('xxx')));
  });

  it('is not made when its source vanishes after the walk', async () => {
    shop.put('a.jpg', 'b.jpg');
    onRender = () => rmSync(shop.at('photos/b.jpg'), { force: true });
    const events = await shop.run({ jobs: 1 });
    expect(jobOf(events, 'b.jpg')).toMatchObject({ state: 'failed', error: { code: 'source_missing' } });
    expect(shop.outputs()).toEqual(['a_small.webp']);
  });
});
