import { copyFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OldWork } from '../../../src/core/batch/run.ts';
import { resumeBatch } from '../../../src/core/batch/run.ts';
import type { Ports } from '../../../src/core/job/context.ts';
import type { Batch, BatchOptions, Counts, Event } from '../../../src/model.ts';
import type { Renderer } from '../../../src/ports.ts';
import {
  failure,
  finishedOf,
  jobOf,
  type OnRender,
  openWorkshop,
  rendererWith,
  type Workshop,
} from '../made-up.ts';

let shop: Workshop;
let onRender: OnRender;
/** Names of rendered sources. */
let rendered: string[];
const note: OnRender = (source, orders) => {
  rendered.push(source.slice(source.lastIndexOf('/') + 1));
  onRender(source, orders);
};
beforeEach(async () => {
  onRender = () => {};
  rendered = [];
  shop = await openWorkshop(note);
});
afterEach(async () => {
  vi.useRealTimers();
  await shop.index.close();
});

const names = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `${n + from}.jpg`);

/** Resumes the only batch. */
async function resume(
  over: Partial<Pick<OldWork, 'states'> & { options: Partial<BatchOptions> }> = {},
  given: Partial<Ports> = {},
  signal = new AbortController().signal,
): Promise<Event[]> {
  const batch = await onlyBatch();
  const options = { ...batch.options, ...over.options };
  const { ports } = await shop.prepare('process', options, given);
  const events: Event[] = [];
  const work = { batch, states: over.states ?? (['cancelled'] as const), walk: !batch.walkEnded, options };
  const finished = await resumeBatch(ports, work, (event) => events.push(event), signal);
  expect(events.at(-1)).toBe(finished);
  return events;
}

async function onlyBatch(): Promise<Batch> {
  const [batch, ...others] = await shop.index.batches(9);
  expect(others).toEqual([]);
  return batch!;
}

/** Runs a batch, and stops it as soon as this many pictures are in work. */
async function stopAfter(count: number, over: Partial<BatchOptions> = {}, ports: Partial<Ports> = {}) {
  const stop = new AbortController();
  onRender = () => {
    if (rendered.length === count) stop.abort();
  };
  const events = await shop.run({ jobs: 1, ...over }, ports, stop.signal);
  onRender = () => {};
  return events;
}

/** A walk that stops the batch after this many sources. */
async function walkUntil(count: number, stop: AbortController): Promise<Partial<Ports>> {
  const { ports } = await shop.prepare('process');
  const { sources } = ports;
  return {
    sources: {
      ...sources,
      async *walk(signal) {
        let found = 0;
        for await (const entry of sources.walk(signal)) {
          yield entry;
          if (entry.type === 'found' && ++found === count) return stop.abort();
        }
      },
    },
  };
}

const started = (events: readonly Event[]) => events.find(({ type }) => type === 'batch.started');
const countsOf = ({ counts }: { counts: Counts }): Partial<Counts> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe('a resumed batch', () => {
  it('does exactly the remaining work, once', async () => {
    shop.put(...names(12));
    await stopAfter(4);
    const done = [...rendered];
    const before = await onlyBatch();
    expect(before.counts.completed).toBe(done.length);
    const events = await resume();
    expect(started(events)).toMatchObject({ batch: before.id, resumed: true, total: 12 - done.length });
    expect(rendered.slice(done.length).sort()).toEqual(
      names(12)
        .filter((one) => !done.includes(one))
        .sort(),
    );
    expect(finishedOf(events)).toMatchObject({ state: 'finished' });
    expect(countsOf(finishedOf(events))).toEqual({ completed: 12 });
    expect(shop.outputs()).toHaveLength(12);
    expect(await onlyBatch()).toMatchObject({
      id: before.id,
      startedAt: before.startedAt,
      state: 'finished',
    });
  });

  it('ends with the same counts and bytes as a batch that was never stopped', async () => {
    shop.put(...names(9));
    for (const copy of ['x.jpg', 'y.jpg']) copyFileSync(shop.at('photos/3.jpg'), shop.at(`photos/${copy}`));
    await stopAfter(5);
    const again = finishedOf(await resume());
    expect(await undisturbed([...names(9)])).toEqual([again.counts, again.bytesIn, again.bytesOut]);

    async function undisturbed(sources: string[]) {
      const other = await openWorkshop(() => {});
      other.put(...sources);
      for (const copy of ['x.jpg', 'y.jpg'])
        copyFileSync(other.at('photos/3.jpg'), other.at(`photos/${copy}`));
      const { counts, bytesIn, bytesOut } = finishedOf(await other.run({ jobs: 1 }));
      await other.index.close();
      return [counts, bytesIn, bytesOut];
    }
  });

  it('counts nothing twice when it repeats a stopped walk', async () => {
    // The stopped batch finds the first half unchanged.
    shop.put(...names(30));
    await shop.run();
    const first = (await shop.index.batches(1))[0]!;
    shop.put(...names(30, 30));
    const stop = new AbortController();
    const cut = finishedOf(await shop.run({ jobs: 2 }, await walkUntil(40, stop), stop.signal));
    expect(cut).toMatchObject({ state: 'cancelled' });
    const [batch] = (await shop.index.batches(2)).filter(({ id }) => id !== first.id);
    expect(batch).toMatchObject({ walkEnded: false, counts: { unchanged: expect.any(Number) } });
    expect(batch!.counts.unchanged).toBeGreaterThan(0);
    const { ports } = await shop.prepare('process');
    const events: Event[] = [];
    const work = {
      batch: batch!,
      states: ['cancelled'] as const,
      walk: !batch!.walkEnded,
      options: batch!.options,
    };
    await resumeBatch(ports, work, (event) => events.push(event), new AbortController().signal);
    const end = finishedOf(events);
    expect([end.state, countsOf(end)]).toEqual(['finished', { completed: 30, unchanged: 30 }]);
    const rest = 60 - batch!.counts.completed;
    expect(events.filter(({ type }) => type === 'job')).toHaveLength(rest);
    expect(totalTold(events)).toBe(rest);
    // Each source contains its own name, and each output the digest of its source.
    const bytesIn = [...names(30), ...names(30, 30)].join('').length;
    expect([end.bytesIn, end.bytesOut]).toEqual([bytesIn, 60 * 'picture of '.length + 60 * 64]);
    expect(new Set(rendered).size, 'none was rendered twice').toBe(rendered.length);
  });

  it('leaves out files that arrived after its walk had ended', async () => {
    shop.put(...names(3));
    await stopAfter(1);
    shop.put('late.jpg');
    expect((await onlyBatch()).walkEnded).toBe(true);
    expect(countsOf(finishedOf(await resume()))).toEqual({ completed: 3 });
    expect(shop.outputs()).not.toContain('late_small.webp');
  });

  it('fails sources that are gone and completes the rest', async () => {
    shop.put(...names(4));
    await stopAfter(1);
    rmSync(shop.at('photos/3.jpg'));
    const events = await resume();
    expect(jobOf(events, '3.jpg')).toMatchObject({ state: 'failed', error: { code: 'source_missing' } });
    expect(countsOf(finishedOf(events))).toEqual({ completed: 3, failed: 1 });
  });

  it('can be cancelled and resumed any number of times', async () => {
    shop.put(...names(10));
    await stopAfter(2);
    for (let more = 1; more <= 3; more++) {
      const stop = new AbortController();
      const until = rendered.length + 2;
      onRender = () => {
        if (rendered.length === until) stop.abort();
      };
      const events = await resume({ options: { jobs: 1 } }, {}, stop.signal);
      expect(finishedOf(events)).toMatchObject({ state: 'cancelled', stopped: 'signal' });
      expect(Object.values(finishedOf(events).counts).reduce((sum, n) => sum + n, 0)).toBe(10);
    }
    onRender = () => {};
    expect(countsOf(finishedOf(await resume()))).toEqual({ completed: 10 });
    expect(rendered.sort()).toEqual(names(10).sort());
  });

  it('continues where a full disk had stopped it', async () => {
    shop.put(...names(6));
    onRender = (source) => {
      if (source.endsWith('2.jpg')) throw failure('no_space');
    };
    expect(finishedOf(await shop.run({ jobs: 1 }))).toMatchObject({ state: 'interrupted' });
    onRender = () => {};
    const events = await resume();
    expect(finishedOf(events)).toMatchObject({ state: 'finished', counts: { completed: 6 } });
  });

  it('is refused while another run works on it, and does not disturb that run', async () => {
    shop.put(...names(4));
    await stopAfter(1);
    let refused: unknown;
    const batch = await onlyBatch();
    const { ports } = await shop.prepare('process');
    let trying: Promise<void> | undefined;
    onRender = () => {
      const work = { batch, states: ['cancelled'] as const, walk: !batch.walkEnded, options: batch.options };
      trying ??= resumeBatch(ports, work, () => {}, new AbortController().signal).then(
        () => {},
        (error: unknown) => {
          refused = error;
        },
      );
    };
    const events = await resume();
    await trying;
    expect(refused).toMatchObject({ code: 'batch_running' });
    expect(finishedOf(events)).toMatchObject({ state: 'finished', counts: { completed: 4 } });
  });

  it('stops on a request in the index', async () => {
    shop.put(...names(30));
    await stopAfter(1);
    let asked: Promise<unknown> | undefined;
    const batch = await onlyBatch();
    const slow: Renderer = {
      ...rendererWith(note),
      async open(...given) {
        asked ??= shop.index.askToCancel(batch.id);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return rendererWith(note).open(...given);
      },
    };
    const events = await resume({ options: { jobs: 1 } }, { renderer: slow });
    expect(await asked).toBe('asked');
    expect(finishedOf(events)).toMatchObject({ state: 'cancelled', stopped: 'request' });
    expect(finishedOf(events).counts.cancelled).toBeGreaterThan(0);
  });
});

describe('a retry of failed pictures', () => {
  it('makes all attempts again and counts each picture once', async () => {
    shop.put(...names(3));
    onRender = (source) => {
      if (source.endsWith('1.jpg')) throw failure('corrupt');
    };
    expect(finishedOf(await shop.run())).toMatchObject({ counts: { failed: 1, completed: 2 } });
    const failing = await resume({ states: ['failed'] });
    expect(finishedOf(failing)).toMatchObject({ state: 'finished', counts: { failed: 1 } });
    expect(jobOf(failing, '1.jpg')).toMatchObject({ state: 'failed', attempts: 1 });
    onRender = () => {};
    const events = await resume({ states: ['failed'] });
    expect(started(events)).toMatchObject({ total: 1, resumed: true });
    expect(jobOf(events, '1.jpg')).toMatchObject({ state: 'completed', attempts: 1 });
    expect(finishedOf(events)).toMatchObject({ counts: { failed: 0, completed: 3 }, bytesIn: 15 });
  });

  it('leaves a cancelled batch resumable', async () => {
    shop.put(...names(8));
    const stop = new AbortController();
    onRender = (source) => {
      if (rendered.length === 3) stop.abort();
      if (source.endsWith('/0.jpg')) throw failure('corrupt');
    };
    await shop.run({ jobs: 1 }, {}, stop.signal);
    onRender = () => {};
    const { counts } = await onlyBatch();
    expect(counts).toMatchObject({ failed: 1 });
    const end = finishedOf(await resume({ states: ['failed'] }));
    expect(end.counts).toMatchObject({
      failed: 0,
      completed: counts.completed + 1,
      cancelled: counts.cancelled,
    });
    expect(end.state).toBe('cancelled');
    expect(countsOf(finishedOf(await resume()))).toEqual({ completed: 8 });
  });
});

function totalTold(events: readonly Event[]): number | null {
  const last = events.findLast(({ type }) => type === 'total' || type === 'batch.started');
  return last?.type === 'total' || last?.type === 'batch.started' ? last.total : null;
}
