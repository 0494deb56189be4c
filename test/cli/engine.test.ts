import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event, JobEvent } from '../../src/model.ts';
import { filesBelow, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, noise, putOld } from './pictures.ts';

/** The built library: its child processes start from dist. */
const { openEngine } = (await import(
  new URL('../../dist/index.js', import.meta.url).href
)) as typeof import('../../src/index.ts');

type Engine = Awaited<ReturnType<typeof openEngine>>;

let place: Place;
let engines: Engine[];

beforeEach(() => {
  place = openPlace();
  engines = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(engines.map((engine) => engine.close()));
});

async function engine(settings: Parameters<typeof openEngine>[0] = {}): Promise<Engine> {
  const opened = await openEngine({ cwd: place.cwd, index: place.index, jobs: 2, ...settings });
  engines.push(opened);
  return opened;
}

async function putMany(folder: string, count: number): Promise<void> {
  const one = await noise(200, 150);
  for (let i = 0; i < count; i++) {
    putOld(place.at(`${folder}/${i}.jpg`), commented(one, `${folder} ${i}`));
  }
}

async function all(events: AsyncIterable<Event>): Promise<Event[]> {
  const list: Event[] = [];
  for await (const event of events) list.push(event);
  return list;
}

describe('an engine whose index is not there yet', () => {
  it('looks without making the index, and makes it with the first batch', async () => {
    await putMany('photos', 2);
    const opened = await engine();
    expect((await opened.verify()).verified).toBe(0);
    await expect(opened.cancel('abc')).rejects.toMatchObject({ code: 'unknown_batch' });
    expect(existsSync(place.index)).toBe(false);
    expect(jobsOf(await all(opened.process('photos', { out: 'out', variants: ['a:w=20'] })))).toHaveLength(2);
    expect((await opened.verify()).verified).toBe(2);
    expect(await opened.list()).toHaveLength(1);
  });
});

const jobsOf = (events: readonly Event[]): JobEvent[] => events.filter((event) => event.type === 'job');

/** Process ids of the child processes that this process started for rendering. */
function children(): string[] {
  const ids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ');
  return ids.filter(Boolean).filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('image/worker');
    } catch {
      return false;
    }
  });
}

/** Resolves once this many parts of a batch wait for the reader, because they found the queue of events full. */
function waits(parts: number): Promise<void> {
  const { get } =
    Object.getOwnPropertyDescriptor(ReadableStreamDefaultController.prototype, 'desiredSize') ?? {};
  return new Promise((resolve) => {
    let found = 0;
    vi.spyOn(ReadableStreamDefaultController.prototype, 'desiredSize', 'get').mockImplementation(function (
      this: ReadableStreamDefaultController,
    ) {
      const size: number | null = get?.call(this);
      if (size !== null && size <= 0 && ++found === parts) resolve();
      return size;
    });
  });
}

describe('an engine', () => {
  it('shares its children among all batches that run at the same time', async () => {
    const folders = Array.from({ length: 10 }, (_, i) => `photos${i}`);
    for (const folder of folders) await putMany(folder, 4);
    const [first, second] = [await engine(), await engine({ index: place.at('state/second.db') })];
    let most = 0;
    let isDone = false;
    const looking = (async () => {
      while (!isDone) {
        most = Math.max(most, children().length);
        await sleep(5);
      }
    })();
    const settings = (folder: string) => ({ out: `out/${folder}`, variants: ['a:w=40'] });
    const batches = [first, second].flatMap((one, k) =>
      folders.map((folder) => all(one.process(folder, { ...settings(folder), out: `out${k}/${folder}` }))),
    );
    const events = await Promise.all(batches);
    isDone = true;
    await looking;
    for (const batch of events) {
      expect(jobsOf(batch).map(({ state }) => state)).toEqual(Array(4).fill('completed'));
      expect(batch.at(-1)).toMatchObject({ type: 'batch.finished', state: 'finished' });
    }
    if (process.platform === 'linux') expect(most).toBeLessThanOrEqual(4);
    expect(filesBelow(place.at('out0'))).toHaveLength(40);
    await assertInvariants(place, { sources: sourcesOf(place, ...folders) });
  });

  it('stops one of its batches without losing work of the others', async () => {
    await putMany('one', 20);
    await putMany('two', 6);
    const shared = await engine();
    const stop = new AbortController();
    const settings = { out: 'out', variants: ['a:w=40'] };
    const [stopped, other] = await Promise.all([
      (async () => {
        const events: Event[] = [];
        for await (const event of shared.process('one', { ...settings, signal: stop.signal })) {
          events.push(event);
          if (event.type === 'job') stop.abort();
        }
        return events;
      })(),
      all(shared.process('two', { ...settings, out: 'out2' })),
    ]);
    expect(stopped.at(-1)).toMatchObject({ state: 'cancelled', stopped: 'signal' });
    expect(other.at(-1)).toMatchObject({ state: 'finished', counts: { completed: 6 } });
  });

  it('waits for a slow reader of its events', async () => {
    await putMany('photos', 3);
    const names = Array.from({ length: 3_000 }, (_, i) => `photos/none${i}.txt`);
    for (const name of names) place.put(name, '');
    const shared = await engine();
    const waiting = waits(1);
    const events = shared.process('photos', { out: 'out', variants: ['a:w=40'], allFiles: true });
    const seen = [await events.next()].flatMap(({ value }) => value ?? []);
    await waiting;
    for await (const event of events) {
      // The queue has room for 1,000 events, and some more jobs are in work.
      if (seen.length % 100 === 1) {
        const [batch] = await shared.list();
        const done = (batch?.counts.failed ?? 0) + (batch?.counts.completed ?? 0);
        expect(done - jobsOf(seen).length).toBeLessThan(1_200);
      }
      seen.push(event);
    }
    expect(jobsOf(seen)).toHaveLength(3_003);
  });

  it('goes on with walk and work when a reader that both wait for catches up', async () => {
    // The hidden files alone fill the queue of events before the walk ends.
    for (let i = 0; i < 1_100; i++) place.put(`photos/.${i}.jpg`, '');
    for (let i = 0; i < 600; i++) place.put(`photos/a${i}.jpg`, `text ${i}`);
    const waiting = waits(2);
    const events = (await engine()).process('photos', { out: 'out', variants: ['a:w=40'] });
    expect((await events.next()).done).toBe(false);
    await waiting;
    expect((await all(events)).at(-1)).toMatchObject({ counts: { failed: 600 }, passedOver: 1_100 });
  });

  it('reports batches as the command line does, and cancels and verifies them', async () => {
    await putMany('photos', 2);
    const shared = await engine();
    const events = await all(shared.process('photos', { out: 'out', variants: ['a:w=40'] }));
    const [batch] = await shared.list();
    const id = batch?.id ?? '';
    expect(events.at(-1)).toMatchObject({ batch: id });
    const status = await shared.status(id.slice(0, 6));
    expect(status.batch).toMatchObject({ id, counts: { completed: 2 } });
    expect(status.jobs.map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(await shared.cancel(id)).toMatchObject({ id, state: 'finished' });
    expect(await shared.verify({ batch: id })).toMatchObject({ verified: 2, wrong: [] });
    const output = place.at('out/0_a.webp');
    execFileSync('rm', [output]);
    expect((await shared.verify()).wrong).toHaveLength(1);
    const fixed = await shared.verify({ fix: true });
    expect([...(fixed.remade?.values() ?? [])]).toEqual([null]);
    await expect(shared.status('zzzz')).rejects.toMatchObject({ code: 'unknown_batch' });
  });

  it('processes and checks after a check was stopped by its signal', async () => {
    await putMany('photos', 2);
    const shared = await engine();
    const settings = { out: 'out', variants: ['a:w=40'] };
    await all(shared.process('photos', settings));
    const stop = new AbortController();
    const { signal } = stop;
    // The check listens once it begins to decode.
    vi.spyOn(signal, 'addEventListener').mockImplementationOnce((type, heard) => {
      signal.addEventListener(type, heard);
      queueMicrotask(() => stop.abort());
    });
    expect(await shared.verify({ signal })).toMatchObject({ isStopped: true });
    const again = await all(shared.process('photos', { ...settings, force: true }));
    expect(again.at(-1)).toMatchObject({ state: 'finished', counts: { completed: 2 } });
    expect(await shared.verify()).toMatchObject({ verified: 2, wrong: [], isStopped: false });
  });

  it('watches folders until the caller leaves the loop', async () => {
    await putMany('photos', 1);
    const shared = await engine();
    const seen: string[] = [];
    for await (const event of shared.watch('photos', { out: 'out', variants: ['a:w=40'], settle: 20 })) {
      if (event.type === 'watching')
        putOld(place.at('photos/late.jpg'), commented(await noise(80, 60), 'late'));
      if (event.type === 'job') seen.push(event.source);
      if (seen.length === 2) break;
    }
    expect(seen.sort()).toEqual(['photos/0.jpg', 'photos/late.jpg']);
  });

  it('stops all its batches when it closes', async () => {
    await putMany('photos', 30);
    const shared = await engine();
    const events: Event[] = [];
    let closing: Promise<void> | undefined;
    for await (const event of shared.process('photos', { out: 'out', variants: ['a:w=40'] })) {
      events.push(event);
      if (event.type === 'batch.started') closing = shared.close();
    }
    await closing;
    expect(events.at(-1)).toMatchObject({ type: 'batch.finished', state: 'cancelled' });
    expect(children()).toEqual([]);
  });
});
