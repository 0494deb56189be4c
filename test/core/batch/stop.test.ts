import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ports } from '../../../src/core/job/context.ts';

import type { Batch, Counts } from '../../../src/model.ts';
import type { Renderer } from '../../../src/ports.ts';
import { failure, finishedOf, type OnRender, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

let shop: Workshop;
let onRender: OnRender;
beforeEach(async () => {
  onRender = () => {};
  shop = await openWorkshop((source, orders) => onRender(source, orders));
});
afterEach(async () => {
  vi.useRealTimers();
  await shop.index.close();
});

const names = (count: number) => Array.from({ length: count }, (_, n) => `${n}.jpg`);

async function onlyBatch(): Promise<Batch> {
  const [batch, ...others] = await shop.index.batches(9);
  expect(others).toEqual([]);
  return batch!;
}

const countsOf = ({ counts }: { counts: Counts }): Partial<Counts> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe('a batch with a request to stop', () => {
  it('stops during its walk and cancels all jobs found so far', async () => {
    shop.put(...names(100));
    const { ports } = await shop.prepare('process');
    const { sources } = ports;
    let asked: Promise<unknown> = Promise.resolve();
    const endless: Ports['sources'] = {
      ...sources,
      async *walk(signal) {
        for await (const entry of sources.walk(signal)) if (entry.type === 'found') yield entry;
        asked = onlyBatch().then(({ id }) => shop.index.askToCancel(id));
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
    };
    const events = await shop.run({ jobs: 1 }, { sources: endless });
    expect(await asked).toBe('asked');
    const end = finishedOf(events);
    expect(end).toMatchObject({ state: 'cancelled', stopped: 'request' });
    expect(end.counts.completed + end.counts.cancelled).toBe(100);
    expect((await onlyBatch()).walkEnded).toBe(false);
  });

  it('is finished when its last pictures were in work, because nothing is left to resume', async () => {
    shop.put('0.jpg');
    const stop = new AbortController();
    onRender = () => stop.abort();
    const events = await shop.run({}, {}, stop.signal);
    expect(finishedOf(events)).toMatchObject({
      state: 'finished',
      stopped: 'signal',
      counts: { completed: 1 },
    });
  });
});

describe('pictures that do not end after a stop', () => {
  it('are given up after ten seconds and leave no files', async () => {
    shop.put(...names(6));
    const stop = new AbortController();
    const hung = hangingRenderer();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const running = shop.run({ jobs: 2 }, { renderer: hung.renderer }, stop.signal);
    await hung.rendering(2);
    expect(shop.outputs()).toHaveLength(2);
    stop.abort();
    await vi.advanceTimersByTimeAsync(9_900);
    expect([hung.killed(), shop.outputs().length]).toEqual([false, 2]);
    await vi.advanceTimersByTimeAsync(200);
    const events = await running;
    expect(hung.killed()).toBe(true);
    expect(finishedOf(events)).toMatchObject({ state: 'cancelled', stopped: 'signal' });
    expect(countsOf(finishedOf(events))).toEqual({ cancelled: 6 });
    expect(events.filter(({ type }) => type === 'job')).toMatchObject([
      { state: 'cancelled' },
      { state: 'cancelled' },
    ]);
    expect(shop.outputs(), 'nothing staged is left').toEqual([]);
    vi.useRealTimers();
    expect(countsOf(finishedOf(await shop.run()))).toEqual({ completed: 6 });
  });

  it('leave no timer once they have ended', async () => {
    shop.put(...names(4));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const stop = new AbortController();
    onRender = () => stop.abort();
    await shop.run({ jobs: 1 }, {}, stop.signal);
    expect(vi.getTimerCount()).toBe(0);
  });

  /** A renderer whose pictures stage a file and end only with `kill`. */
  function hangingRenderer() {
    let kill: () => void = () => {};
    let isKilled = false;
    const killed = new Promise<void>((resolve) => {
      kill = resolve;
    });
    let hanging = 0;
    let more: () => void = () => {};
    const real = rendererWith(() => {});
    const renderer: Renderer = {
      ...real,
      async open(...given) {
        const opened = await real.open(...given);
        return {
          ...opened,
          async render(orders) {
            for (const { path } of orders) writeFileSync(path, 'half');
            hanging++;
            more();
            await killed;
            throw failure('cancelled');
          },
        };
      },
      kill() {
        isKilled = true;
        kill();
      },
    };
    const rendering = async (count: number) => {
      while (hanging < count) {
        await new Promise<void>((resolve) => {
          more = resolve;
        });
      }
    };
    return { renderer, rendering, killed: () => isKilled };
  }
});
