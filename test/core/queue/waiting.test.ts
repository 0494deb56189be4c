import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, expect, it, vi } from 'vitest';
import { runBatch } from '../../../src/core/batch/run.ts';
import type { Event } from '../../../src/model.ts';
import type { Renderer } from '../../../src/ports.ts';
import { failure, jobOf, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

// A picture and its copy, two at a time. The first is rendered only after the second waits for it.

let shop: Workshop;
let failing: Set<string>;

beforeEach(async () => {
  failing = new Set();
  shop = await openWorkshop(() => {});
  shop.change('a.jpg', 'same bytes');
  shop.change('b.jpg', 'same bytes');
});

it('a copy waits while its original is rendered, and ends after it', async () => {
  const events = await run();
  const [original, copy] = [typesOf(events, 'completed'), typesOf(events, 'duplicate')];
  expect(original).toEqual(['job.started', 'job']);
  expect(copy).toEqual(['job.started', 'job.waiting', 'job']);
  expect(events.find(({ type }) => type === 'job.waiting')).toMatchObject({ bytes: 10 });
});

it('the queue sets no timer for a copy while its original is in work in this process', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const before = timers.mock.calls.length;
  const someTurns = async () => {
    for (let turn = 0; turn < 200; turn++) await breathe();
  };
  await run(undefined, (until) => until.then(someTurns));
  // The timer of the queue, which is for copies of what other processes render.
  expect(timers.mock.calls.slice(before).filter(([, delay]) => delay === 100)).toEqual([]);
});

it('a copy whose original fails is in work again', async () => {
  failing.add('first');
  const events = await run();
  expect(typesOf(events, 'failed')).toEqual(['job.started', 'job']);
  expect(typesOf(events, 'completed')).toEqual(['job.started', 'job.waiting', 'job.started', 'job']);
});

it('a stopped batch does not finish a waiting copy', async () => {
  const stop = new AbortController();
  const events = await run(stop);
  expect(events.find(({ type }) => type === 'stopping')).toMatchObject({ finishing: 1, dropping: 1 });
});

it('a failed job reports the size of its source', async () => {
  failing.add('first');
  const failed = (await run()).find((event) => event.type === 'job' && event.state === 'failed');
  expect(failed).toMatchObject({ bytes: 10 });
});

/** Aborts `stop` when the copy begins to wait. The original is rendered after the event. */
async function run(stop?: AbortController, later = (until: Promise<void>) => until): Promise<Event[]> {
  const events: Event[] = [];
  let go = () => {};
  const waits = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { ports, work } = await shop.prepare('process', { jobs: 2 }, { renderer: heldBack(later(waits)) });
  const emit = (event: Event) => {
    events.push(event);
    if (event.type === 'job.waiting') stop === undefined ? go() : stop.abort();
    if (event.type === 'stopping') go();
  };
  await runBatch(ports, work, emit, stop?.signal ?? new AbortController().signal);
  return events;
}

function heldBack(until: Promise<void>): Renderer {
  let renders = 0;
  const renderer = rendererWith(() => {
    if (++renders === 1 && failing.has('first')) throw failure('corrupt');
  });
  return {
    ...renderer,
    async open(...given) {
      const opened = await renderer.open(...given);
      return { ...opened, render: (orders) => until.then(() => opened.render(orders)) };
    },
  };
}

/** The types of all events about the source whose job ended in this state. */
function typesOf(events: readonly Event[], state: string): string[] {
  const ended = events.find((event) => event.type === 'job' && event.state === state);
  if (ended?.type !== 'job') throw new Error(`none is ${state}`);
  expect(jobOf(events, ended.source.slice('photos/'.length))).toBe(ended);
  return events.flatMap((event) => ('source' in event && event.source === ended.source ? [event.type] : []));
}
