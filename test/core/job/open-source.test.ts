import { beforeEach, expect, it } from 'vitest';
import type { BatchOptions, Event } from '../../../src/model.ts';
import { jobOf, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

const MB = 1_000_000;
/** Estimated memory of every picture in bytes. */
const NEEDED = 900 * MB;

let workshop: Workshop;
let rendered: string[];
beforeEach(async () => {
  rendered = [];
  workshop = await openWorkshop(() => {});
  workshop.put('a.jpg');
});

function run(over: Partial<BatchOptions>): Promise<Event[]> {
  const made = rendererWith((source) => rendered.push(source));
  const open: typeof made.open = async (...about) => ({ ...(await made.open(...about)), memory: NEEDED });
  return workshop.run(over, { renderer: { ...made, open } });
}

const warnings = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

it('a picture within the budget is rendered without a warning', async () => {
  const events = await run({ memory: NEEDED, memoryCap: NEEDED });
  expect([jobOf(events, 'a.jpg').state, warnings(events)]).toEqual(['completed', []]);
});

it('a picture above the budget and within the cap is rendered alone, with a warning', async () => {
  const events = await run({ memory: 500 * MB, memoryCap: NEEDED });
  expect(jobOf(events, 'a.jpg').state).toBe('completed');
  expect(warnings(events)).toEqual([
    expect.stringMatching(/^photos\/a\.jpg: may take 900 MB of memory, more than the 500 MB .* alone$/),
  ]);
});

it('a picture above the cap fails with both figures, once, and is not rendered', async () => {
  const events = await run({ memory: 500 * MB, memoryCap: 800 * MB });
  expect(jobOf(events, 'a.jpg')).toMatchObject({
    state: 'failed',
    error: {
      code: 'too_large',
      message: 'may take 900 MB of memory, more than the 800 MB that one picture may take',
      fix: expect.stringContaining('{{memory 900M}}'),
    },
    attempts: 1,
  });
  expect([rendered, warnings(events)]).toEqual([[], []]);
});

it('a copy of a rendered picture needs no memory, even with a low cap', async () => {
  await workshop.run();
  workshop.change('b.jpg', 'a.jpg');
  const events = await run({ memory: 500 * MB, memoryCap: 800 * MB });
  expect(jobOf(events, 'b.jpg').state).toBe('duplicate');
});
