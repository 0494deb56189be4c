import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Renderer } from '../../../src/ports.ts';
import { failure, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';
import { SETTLE, type Watching, type WatchingOptions, watchOf } from '../made-up-watch.ts';

let shop: Workshop;
let watching: Watching | undefined;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  watching = undefined;
});
afterEach(async () => {
  await watching?.stop();
  await shop.index.close();
});

async function watchOnce(options: WatchingOptions = {}): Promise<Watching> {
  watching = await watchOf(shop, { once: true, ...options });
  await watching.idle();
  return watching;
}

/** The source whose rendering fails. */
const torn: Partial<{ renderer: Renderer }> = {
  renderer: rendererWith((source) => {
    if (source.endsWith('torn.jpg')) throw failure('corrupt');
  }),
};

describe('a watch with once', () => {
  it('ends at once without sources', async () => {
    const it = await watchOnce();
    expect(await it.finished).toMatchObject({ state: 'finished' });
    expect(await it.finished).not.toHaveProperty('stopped');
    expect(it.clock.waiting).toBe(0);
  });

  it('ends at once when all outputs are in order', async () => {
    shop.put('a.jpg');
    await shop.run();
    const it = await watchOnce();
    expect(await it.finished).toMatchObject({ state: 'finished', counts: { unchanged: 1 } });
  });

  it('waits until existing files have settled, processes them and ends', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watchOnce();
    await it.pass(SETTLE - 1);
    expect(shop.outputs()).toEqual([]);
    await it.pass(1);
    expect(await it.finished).toMatchObject({ state: 'finished', counts: { completed: 2 } });
    expect(await it.waitFor('total')).toMatchObject({ total: 2 });
    expect(it.clock.waiting).toBe(0);
  });

  it('does not wait for a file that does not settle, and reports it', async () => {
    shop.put('a.jpg');
    const it = await watchOnce();
    for (let i = 0; i < 8; i++) {
      shop.change('a.jpg', 'x'.repeat(i + 1));
      await it.pass(SETTLE);
    }
    expect(await it.finished).toMatchObject({ state: 'finished', counts: { completed: 0 } });
    expect(it.events.filter(({ type }) => type === 'still_written')).toHaveLength(1);
    expect(shop.outputs()).toEqual([]);
  });

  it('does not wait for a file that is gone before it has settled', async () => {
    shop.put('a.jpg');
    const it = await watchOnce();
    rmSync(shop.at('photos/a.jpg'));
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({ state: 'finished', counts: { completed: 0 } });
  });

  it('leaves a recently changed picture that does not decode to the next run', async () => {
    shop.put('a.jpg');
    writeFileSync(shop.at('photos/torn.jpg'), 'half');
    const it = await watchOnce({ ports: torn });
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({ counts: { completed: 1, failed: 0, cancelled: 0 } });
    expect(await it.waitFor('withdrawn')).toMatchObject({ source: 'photos/torn.jpg' });
    const next = await watchOnce();
    await next.pass(SETTLE);
    expect(await next.finished).toMatchObject({ counts: { completed: 1, unchanged: 1 } });
  });

  it('fails an old picture that does not decode', async () => {
    shop.put('a.jpg', 'torn.jpg');
    const elevenMinutesAgo = Date.now() / 1_000 - 11 * 60;
    writeFileSync(shop.at('photos/young-torn.jpg'), 'half');
    utimesSync(shop.at('photos/young-torn.jpg'), elevenMinutesAgo, elevenMinutesAgo);
    const it = await watchOnce({ ports: torn });
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({
      state: 'finished',

      counts: { completed: 1, failed: 1 },
    });
    expect(await it.job('torn.jpg', 'failed')).toMatchObject({ attempts: 1, error: { code: 'corrupt' } });
    expect(await it.waitFor('withdrawn')).toMatchObject({ source: 'photos/young-torn.jpg' });
  });

  it('fails a picture that does not decode and is dated in the future', async () => {
    shop.put('a.jpg', 'torn.jpg');
    const tomorrow = Date.now() / 1_000 + 24 * 3_600;
    utimesSync(shop.at('photos/torn.jpg'), tomorrow, tomorrow);
    const it = await watchOnce({ ports: torn });
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({ counts: { completed: 1, failed: 1 } });
    expect(await it.job('torn.jpg', 'failed')).toMatchObject({ error: { code: 'corrupt' } });
  });

  it('passes over a file that a link replaces before it has settled, and ends', async () => {
    shop.put('a.jpg', 'b.jpg');
    const it = await watchOnce();
    rmSync(shop.at('photos/b.jpg'));
    symlinkSync(shop.at('state/index.db'), shop.at('photos/b.jpg'));
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({ passedOver: 1, counts: { completed: 1, failed: 0 } });
    expect(await it.waitFor('passed_over')).toMatchObject({ path: 'photos/b.jpg', reason: 'symlink' });
  });

  it('passes over a file that a link replaces before it is opened', async () => {
    shop.put('a.jpg', 'b.jpg');
    const base = rendererWith(() => {});
    const renderer: Renderer = {
      ...base,
      async open(source, ...given) {
        if (source.path.endsWith('b.jpg')) throw failure('source_outside');
        return base.open(source, ...given);
      },
    };
    const it = await watchOnce({ ports: { renderer } });
    await it.pass(SETTLE);
    expect(await it.finished).toMatchObject({ counts: { completed: 1, failed: 0 } });
    expect(await it.waitFor('passed_over')).toMatchObject({ path: 'photos/b.jpg', reason: 'symlink' });
    expect(await it.waitFor('withdrawn')).toMatchObject({ source: 'photos/b.jpg' });
  });

  it('is cancelled when it is stopped before its end', async () => {
    shop.put('a.jpg');
    const it = await watchOnce();
    expect(await it.stop()).toMatchObject({ stopped: 'signal', counts: { completed: 0 } });
  });
});
