import { beforeEach, describe, expect, it } from 'vitest';
import { dryRun } from '../../../src/core/batch/dry-run.ts';
import { withProfile } from '../../../src/core/batch/profile.ts';
import { runBatch } from '../../../src/core/batch/run.ts';
import type { BatchFinished, Event, ProfileEvent } from '../../../src/model.ts';
import { finishedOf, openWorkshop, type Workshop } from '../made-up.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop(() => {});
  shop.put('a.jpg', 'b.jpg', 'c.jpg');
});

describe('the profile of a batch', () => {
  it('is reported once, just before batch.finished, and changes nothing else', async () => {
    const plain = await shop.run();
    const files = shop.outputs();
    const events = await profiled(runBatch, { force: true });
    // Images that are processed at the same time report in any order.
    const types = (all: readonly Event[]) => all.map(({ type }) => type).toSorted();
    expect(types(events.filter(({ type }) => type !== 'profile'))).toEqual(types(plain));
    expect(events.map(({ type }) => type).indexOf('profile')).toBe(events.length - 2);
    expect(finishedOf(events).counts.completed).toBe(3);
    expect(shop.outputs()).toEqual(files);
  });

  it('counts the calls of the index, the storage and the sources', async () => {
    const { parent } = profileOf(await profiled(runBatch));
    expect(parent.index.of).toMatchObject({ settle: { calls: 3 }, claim: { calls: 3 }, end: { calls: 1 } });
    expect(parent.storage.of).toMatchObject({ stage: { calls: 3 }, commit: { calls: 3 } });
    expect(parent.sources.of).toMatchObject({ walk: { calls: 1 } });
    for (const part of [parent.index, parent.storage, parent.sources, parent.report]) {
      const all = Object.values(part.of);
      expect(part.calls).toBe(all.reduce((sum, { calls }) => sum + calls, 0));
      expect(part.ms).toBeCloseTo(all.reduce((sum, { ms }) => sum + ms, 0));
    }
  });

  it('counts all events except the last by their type', async () => {
    const { parent } = profileOf(await profiled(runBatch));
    expect(parent.report.of).toMatchObject({ 'batch.started': { calls: 1 }, job: { calls: 3 } });
    expect(parent.report.of['batch.finished']).toBeUndefined();
  });

  it('sums up the times that the renderer reports', async () => {
    const { pictures, children, jobs } = profileOf(await profiled(runBatch, { jobs: 2 }));
    expect(pictures).toMatchObject({ digest: { calls: 3, ms: 3 }, decode: { calls: 3, ms: 3 } });
    expect(pictures).toMatchObject({ encode: { calls: 3, ms: 3 }, write: { calls: 3, ms: 0 } });
    expect(children.started).toBe(0);
    expect(jobs).toBe(2);
  });

  it('counts failed calls and passes on their errors', async () => {
    shop = await openWorkshop((source) => {
      if (source.endsWith('b.jpg')) throw new Error('as asked');
    });
    shop.put('a.jpg', 'b.jpg');
    const events = await profiled(runBatch);
    expect(finishedOf(events).counts).toMatchObject({ completed: 1, failed: 1 });
    const { pictures, parent } = profileOf(events);
    expect(pictures).toMatchObject({ digest: { calls: 2 }, decode: { calls: 1 } });
    expect(parent.index.of).toMatchObject({ settle: { calls: 2 } });
  });

  it('is also reported for a dry run', async () => {
    const { parent, pictures } = profileOf(await profiled(dryRun, { dryRun: true }));
    expect(parent.index.of.settle).toBeUndefined();
    expect(pictures).toMatchObject({ digest: { calls: 3 }, decode: { calls: 0 } });
  });
});

async function profiled(
  run: (...given: Parameters<typeof runBatch>) => Promise<BatchFinished>,
  over: Parameters<Workshop['prepare']>[1] = {},
): Promise<Event[]> {
  const { ports, work } = await shop.prepare('process', over);
  const events: Event[] = [];
  const given = withProfile(ports, (event) => events.push(event));
  await run(given.ports, work, given.emit, new AbortController().signal);
  return events;
}

function profileOf(events: readonly Event[]): ProfileEvent {
  const profile = events.find((event) => event.type === 'profile');
  if (profile?.type !== 'profile') throw new Error('there is no profile');
  return profile;
}
