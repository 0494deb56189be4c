import { beforeEach, expect, it } from 'vitest';
import type { BatchOptions, Event } from '../../../src/model.ts';
import type { Renderer } from '../../../src/ports.ts';
import { LIMITS } from '../../image/pictures.ts';
import { failure, finishedOf, jobOf, openWorkshop, rendererWith, type Workshop } from '../made-up.ts';

// Many copies of a picture that an earlier batch has processed.

const COPIES = 40;
const names = Array.from({ length: COPIES }, (_, i) => `copy${String(i).padStart(2, '0')}.jpg`);

let shop: Workshop;
/** Names of sources in the order in which they were opened. */
let opened: string[];

beforeEach(async () => {
  opened = [];
  shop = await openWorkshop(() => {});
  shop.change('original.jpg', 'same bytes');
  await shop.run();
  for (const name of names) shop.change(name, 'same bytes');
});

it('most of many copies are recognised without being opened', async () => {
  const events = await run();
  expect(finishedOf(events).counts).toMatchObject({ duplicate: COPIES, unchanged: 1, failed: 0 });
  expect(opened.length).toBeGreaterThan(0);
  expect(opened.length).toBeLessThan(COPIES / 2);
  for (const name of names) {
    expect(jobOf(events, name)).toMatchObject({ duplicateOf: 'photos/original.jpg', width: 80, height: 60 });
  }
});

it('each copy reports its start once', async () => {
  const begun = (await run()).flatMap((event) => (event.type === 'job.started' ? [event.source] : []));
  expect(begun.sort()).toEqual(names.map((name) => `photos/${name}`));
});

it('a new picture among many copies is rendered', async () => {
  shop.change('copy30.jpg', 'other bytes');
  const events = await run();
  expect(finishedOf(events).counts).toMatchObject({ duplicate: COPIES - 1, completed: 1 });
  expect(jobOf(events, 'copy30.jpg').state).toBe('completed');
});

it('a copy that changes after it was recognised is read again', async () => {
  let changed = '';
  const events = await run(
    {},
    {
      async digest(sources) {
        const digested = await rendererWith(() => {}).digest(sources, 1_000);
        const name = sources[0]?.path.split('/').at(-1);
        if (changed === '' && name !== undefined) {
          changed = name;
          shop.change(name, 'other bytes, and more of them');
        }
        return digested;
      },
    },
  );
  expect(changed).not.toBe('');
  expect(finishedOf(events).counts).toMatchObject({ duplicate: COPIES - 1, completed: 1 });
  expect(jobOf(events, changed).state).toBe('completed');
});

it('copies that cannot be read together are opened one by one', async () => {
  let asked = 0;
  const digest = async () => {
    asked++;
    throw failure('timeout');
  };
  const events = await run({ jobs: 1 }, { digest });
  expect(finishedOf(events).counts).toMatchObject({ duplicate: COPIES, failed: 0 });
  expect(opened).toHaveLength(COPIES);
  // After the first failure no more copies are read together.
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(5);
});

it('copies are read in all slots', async () => {
  for (let i = 0; i < 300; i++) shop.change(`more${i}.jpg`, 'same bytes');
  let underWay = 0;
  let allPlaces = () => {};
  const taken = new Promise<void>((resolve) => {
    allPlaces = resolve;
  });
  const events = await run(
    { jobs: 8 },
    {
      async digest(sources) {
        if (++underWay === 8) allPlaces();
        // With a free slot this waits for ever.
        await taken;
        return rendererWith(() => {}).digest(sources, 1_000);
      },
    },
  );
  expect(finishedOf(events).counts).toMatchObject({ duplicate: COPIES + 300 });
});

it('copies of a picture above the current pixel limit are opened one by one', async () => {
  await run({ limits: { ...LIMITS, pixels: 80 * 60 - 1 } });
  expect(opened).toHaveLength(COPIES);
});

it('copies of an SVG are opened one by one when SVG is not allowed', async () => {
  const { open, ...rest } = rendererWith(() => {});
  const asSvg: Renderer = {
    ...rest,
    open: async (...given) => ({ ...(await open(...given)), format: 'svg' }),
  };
  shop.change('original.jpg', 'a drawing');
  for (const name of names) shop.change(name, 'a drawing');
  await shop.run({ limits: { ...LIMITS, allowSvg: true } }, { renderer: asSvg });
  for (const name of names) shop.change(`again-${name}`, 'a drawing');
  await run();
  expect(opened).toHaveLength(COPIES);
});

it('a stopped batch reads no more possible copies and leaves nothing in work', async () => {
  const stop = new AbortController();
  let asked = 0;
  const renderer = rendererWith(() => {});
  const digest: Renderer['digest'] = (paths, timeout) => {
    asked++;
    stop.abort();
    return renderer.digest(paths, timeout);
  };
  const events = await shop.run({ jobs: 1 }, { renderer: { ...renderer, digest } }, stop.signal);
  const { counts, state } = finishedOf(events);
  expect(state).toBe('cancelled');
  expect(counts).toMatchObject({ processing: 0, pending: 0, failed: 0 });
  expect(counts.duplicate + counts.cancelled).toBe(COPIES);
  expect(asked).toBe(1);
});

it('with force, no copies are recognised', async () => {
  const digest = () => Promise.reject(new Error('asked in vain'));
  expect(finishedOf(await run({ force: true }, { digest })).counts).toMatchObject({ completed: COPIES + 1 });
});

function run(over: Partial<BatchOptions> = {}, instead: Partial<Renderer> = {}): Promise<Event[]> {
  const renderer = rendererWith(() => {});
  const noted: Renderer = {
    ...renderer,
    open(source, ...given) {
      opened.push(source.path.split('/').at(-1) ?? '');
      return renderer.open(source, ...given);
    },
    ...instead,
  };
  return shop.run({ jobs: 2, ...over }, { renderer: noted });
}
