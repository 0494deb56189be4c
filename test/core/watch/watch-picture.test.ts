import { renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Renderer } from '../../../src/ports.ts';
import { sha } from '../../records.ts';
import { failure, type OnRender, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';
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
  vi.useRealTimers();
  await watching?.stop();
  await shop.index.close();
});

async function watch(options: WatchingOptions = {}): Promise<Watching> {
  watching = await watchOf(shop, options);
  await watching.idle();
  return watching;
}

describe('a picture in a watch', () => {
  it('is tried again after 30 seconds when it does not decode, at the time in its row', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    let tries = 0;
    onRender = () => {
      if (++tries === 1) throw failure('corrupt');
    };
    const it = await watch();
    await it.write('a.jpg');
    await it.pass(SETTLE);
    expect(await it.waitFor('job.retrying')).toMatchObject({ attempts: 1, delay: 30_000 });
    await it.idle();
    await vi.advanceTimersByTimeAsync(29_900);
    await it.idle();
    expect(tries).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ attempts: 2 });
  });

  it('is given up after four attempts in twelve and a half minutes when it never decodes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onRender = () => {
      throw failure('corrupt');
    };
    const it = await watch();
    await it.write('a.jpg');
    await it.pass(SETTLE);
    await it.waitFor('job.retrying');
    const retries = () => it.events.filter(({ type }) => type === 'job.retrying').length;
    for (const [i, delay] of [30_000, 120_000, 600_000].entries()) {
      while (retries() === i) await it.idle();
      await vi.advanceTimersByTimeAsync(delay + 100);
    }
    expect(await it.job('a.jpg', 'failed')).toMatchObject({ attempts: 4, error: { code: 'corrupt' } });
    expect(await it.stop()).toMatchObject({ counts: { failed: 1, retrying: 0 } });
  });

  it.each(['corrupt', 'unsupported_format'] as const)(
    'is processed at once like a new one when it changes after it failed with %s',
    async (code) => {
      onRender = () => {
        throw failure(code);
      };
      const it = await watch();
      await it.write('a.jpg');
      await it.pass(SETTLE);
      if (code === 'corrupt') await it.waitFor('job.retrying');
      else await it.job('a.jpg', 'failed');
      onRender = () => {};
      await it.write('a.jpg', 'whole again');
      await it.pass(SETTLE);
      expect(await it.job('a.jpg', 'completed')).toMatchObject({ attempts: 1, digest: sha('whole again') });
      expect(await it.stop()).toMatchObject({ counts: { completed: 1, failed: 0, retrying: 0 } });
    },
  );

  it('is processed with its new bytes when it changes during the rendering', async () => {
    let isFirst = true;
    onRender = () => {
      if (!isFirst) return;
      isFirst = false;
      shop.change('a.jpg', 'changed');
      watching?.changed('a.jpg');
    };
    const it = await watch();
    await it.write('a.jpg');
    await it.pass(SETTLE);
    expect(await it.waitFor('job.retrying')).toMatchObject({ error: { code: 'source_changed' } });
    expect(shop.outputs()).toEqual([]);
    await it.pass(SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ digest: sha('changed') });
    expect(await it.stop()).toMatchObject({ counts: { completed: 1, failed: 0 } });
  });

  it('is processed again after its job has ended when it changes and settles while it is in work', async () => {
    const base = rendererWith(() => {});
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let opened = 0;
    const renderer: Renderer = {
      ...base,
      async open(source, limits) {
        const picture = await base.open(source, limits);
        if (++opened === 1) await held;
        return picture;
      },
    };
    const it = await watch({ ports: { renderer } });
    await it.write('a.jpg');
    await it.pass(SETTLE);
    await it.waitFor('job.started');
    while (opened === 0) await it.idle();
    await it.write('a.jpg', 'changed');
    for (let i = 0; i < 3; i++) await it.pass(SETTLE);
    expect(opened).toBe(1);
    goOn();
    await it.waitFor('job.retrying');
    await it.pass(SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ digest: sha('changed') });
    await it.pass(3 * SETTLE);
    expect(await it.stop()).toMatchObject({ counts: { completed: 1, failed: 0 } });
    expect(opened).toBe(2);
  });

  it('is withdrawn and does not fail when it is gone before its job begins', async () => {
    const base = rendererWith(() => {});
    const renderer: Renderer = {
      ...base,
      async open(source) {
        rmSync(source.path);
        throw failure('source_missing');
      },
    };
    const it = await watch({ ports: { renderer } });
    await it.write('a.jpg');
    await it.pass(SETTLE);
    expect(await it.waitFor('withdrawn')).toMatchObject({ source: 'photos/a.jpg' });
    const { counts, state } = await it.stop();
    expect([state, Object.values(counts).reduce((sum, n) => sum + n)]).toEqual(['finished', 0]);
  });

  it('is taken again when it returns unchanged after it was withdrawn', async () => {
    const base = rendererWith(() => {});
    let opens = 0;
    const renderer: Renderer = {
      ...base,
      async open(source, limits) {
        if (++opens > 1) return base.open(source, limits);
        // The file is moved away and back between two checks.
        renameSync(source.path, shop.at('away'));
        renameSync(shop.at('away'), source.path);
        throw failure('source_missing');
      },
    };
    const it = await watch({ ports: { renderer } });
    await it.write('a.jpg');
    await it.pass(SETTLE);
    await it.waitFor('withdrawn');
    it.changed('a.jpg');
    await it.pass(SETTLE);
    expect(await it.job('a.jpg', 'completed')).toMatchObject({ attempts: 1 });
    expect(await it.stop()).toMatchObject({ counts: { completed: 1 } });
  });
});
