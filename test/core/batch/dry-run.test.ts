import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dryRun } from '../../../src/core/batch/dry-run.ts';
import type { Event } from '../../../src/model.ts';
import { finishedOf, jobOf, openWorkshop, type Workshop } from '../made-up.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
});
afterEach(() => shop.index.close());

async function foresee(): Promise<Event[]> {
  const { ports, work } = await shop.prepare('process', { dryRun: true });
  const events: Event[] = [];
  await dryRun(ports, work, (event) => void events.push(event), new AbortController().signal);
  return events;
}

/** The names of the outputs that a dry run says it would write. */
const namesOf = (events: readonly Event[]) =>
  events
    .flatMap((event) => (event.type === 'job' ? (event.wouldWrite ?? []) : []))
    .map((path) => basename(path))
    .sort();

it.each([
  ['in case', 'a.jpg', 'A.png'],
  ['as ß from SS', 'straße.jpg', 'STRASSE.jpg'],
  ['in their normal form', 'caf\u00e9.jpg', 'cafe\u0301.jpg'],
])('a dry run predicts the names of sources that differ only %s', async (_, ...names) => {
  shop.put(...names);
  const foreseen = namesOf(await foresee());
  await shop.run();
  expect(foreseen).toEqual(shop.outputs());
  expect(foreseen.filter((name) => name.includes('~'))).toHaveLength(1);
});

it('a dry run gives the name of a gone source to one of two others, as a run does', async () => {
  shop.put('a.jpg', 'stays.jpg');
  await shop.run();
  rmSync(shop.at('photos/a.jpg'));
  shop.put('a.png', 'a.webp');
  const foreseen = namesOf(await foresee());
  await shop.run();
  expect(foreseen).toEqual(shop.outputs().filter((name) => name.startsWith('a')));
  expect(foreseen).toHaveLength(2);
});

it('a dry run reports sources in the order of the walk, and changes nothing', async () => {
  shop.put('a.jpg', 'c.jpg');
  await shop.run();
  shop.put('b.jpg', 'd.jpg');
  const before = shop.outputs();
  const events = await foresee();
  const sources = events.flatMap((event) => (event.type === 'job' ? [event.source] : []));
  expect(sources).toEqual(['a', 'b', 'c', 'd'].map((name) => `photos/${name}.jpg`));
  expect(jobOf(events, 'a.jpg')).toEqual({
    ...{ type: 'job', batch: '', source: 'photos/a.jpg', state: 'unchanged', would: 'unchanged' },
    ...{ digest: expect.any(String), bytes: 5 },
  });
  const { counts, bytesIn } = finishedOf(events);
  expect([counts.unchanged, counts.completed, bytesIn]).toEqual([2, 2, 20]);
  expect([shop.outputs(), await shop.index.batches(9)]).toMatchObject([before, [{ command: 'process' }]]);
});
