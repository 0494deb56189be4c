import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place } from './imgtool.ts';
import { difference, picture, putOld } from './pictures.ts';
import { ALONE, assertStopped, completed, lastOf, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

describe('a watch', () => {
  it('processes existing pictures, then new ones, in new folders too, each once', async () => {
    for (const [seed, name] of ['a.jpg', 'b.jpg', 'sub/c.jpg'].entries())
      putOld(place.at('photos', name), await picture({ seed }));
    const session = startWatch(place, ...ALONE);
    const first = await session.jobs(3);
    expect(first.map(({ source }) => source).sort()).toEqual([
      'photos/a.jpg',
      'photos/b.jpg',
      'photos/sub/c.jpg',
    ]);
    const later = ['d.jpg', 'sub/e.jpg', 'new/f.jpg', 'new/deep/er/g.jpg'].map((name) => `photos/${name}`);
    for (const [seed, name] of later.entries()) {
      place.put(name, await picture({ seed: seed + 10 }));
      await session.jobs(4 + seed);
    }
    const outcome = await stop(session);
    const all = [...first.map(({ source }) => source), ...later];
    expect(statesOf(outcome)).toEqual(completed(all));
    expect(countsOf(outcome)).toEqual({ completed: 7 });
    for (const { source, outputs } of lastOf(outcome).values())
      expect(await difference(place.at(outputs![0]!.path), place.at(source))).toBeLessThan(20);
    expect(place.files('out')).toHaveLength(14);
    await assertStopped(place, outcome);
  });

  it('can start with an empty folder, and reports that it watches', async () => {
    const session = startWatch(place);
    expect(await session.event('watching')).toMatchObject({ folders: 1, by: 'events' });
    await session.scans();
    const outcome = await stop(session);
    expect([countsOf(outcome), outcome.stderr]).toEqual([{}, '']);
    await assertStopped(place, outcome);
  });

  it('finds new pictures by scans alone, with --poll', async () => {
    const session = startWatch(place, '--poll');
    expect(await session.event('watching')).toMatchObject({ by: 'polling' });
    const added = await putMany(place, 'photos/new', 5);
    await session.jobs(5);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(added));
    await assertStopped(place, outcome);
  });

  it('treats two folders as two roots', async () => {
    mkdirSync(place.at('more'));
    const session = startWatch(place, ...ALONE, 'more');
    await session.event('watching');
    place.put('photos/a.jpg', await picture({ seed: 1 }));
    place.put('more/a.jpg', await picture({ seed: 2 }));
    await session.jobs(2);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['more/a.jpg', 'photos/a.jpg']));
    expect(place.files('out')).toHaveLength(4);
    await assertStopped(place, outcome);
  });
});

describe('a watch of nested folders', () => {
  it('processes each picture once', async () => {
    place.put('photos/sub/0.jpg', await picture({ seed: 1 }));
    const session = startWatch(place, 'photos/sub', 'photos/sub/deep/..');
    await session.jobs(1);
    place.put('photos/sub/1.jpg', await picture({ seed: 2 }));
    place.put('photos/2.jpg', await picture({ seed: 3 }));
    await session.jobs(3);
    await session.scans(3);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/2.jpg', 'photos/sub/0.jpg', 'photos/sub/1.jpg']));
    await assertStopped(place, outcome);
  });
});

describe('many pictures that arrive at once', () => {
  const COUNT = 40;

  it('are each completed once when they are copied', async () => {
    await putMany(place, 'outside/a', COUNT / 2);
    await putMany(place, 'outside/b/c', COUNT / 2, 100);
    const session = startWatch(place, '--jobs', '2');
    await session.event('watching');
    execFileSync('cp', ['-r', place.at('outside'), place.at('photos/copied')]);
    await session.jobs(COUNT);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(place.files('photos').map((name) => `photos/${name}`)));
    expect(countsOf(outcome)).toEqual({ completed: COUNT });
    await assertStopped(place, outcome);
  });

  it('are each completed once when their folder is moved in, without a periodic scan', async () => {
    await putMany(place, 'outside/a', COUNT / 2);
    await putMany(place, 'outside/a/b/c', COUNT / 2, 100);
    const session = startWatch(place, ...ALONE, '--jobs', '2');
    await session.event('watching');
    renameSync(place.at('outside'), place.at('photos/moved'));
    await session.jobs(COUNT);
    place.put('photos/moved/a/b/c/last.jpg', await picture({ seed: 1_000 }));
    await session.jobs(COUNT + 1);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(place.files('photos').map((name) => `photos/${name}`)));
    await assertStopped(place, outcome);
  });

  it('are each completed once under their final names, which rsync sets', async () => {
    const session = startWatch(place, '--verbose');
    await session.event('watching');
    for (let i = 0; i < 20; i++) {
      const bytes = await picture({ seed: i });
      const hidden = place.put(`photos/.${i}.jpg.Ab${i}xY`, bytes.subarray(0, 300));
      await breathe();
      appendFileSync(hidden, bytes.subarray(300));
      renameSync(hidden, place.at(`photos/${i}.jpg`));
    }
    for (const ending of ['part', 'crdownload', 'tmp'])
      renameSync(
        place.put(`photos/b.jpg.${ending}`, await picture({ seed: 50 })),
        place.at(`photos/${ending}.jpg`),
      );
    await session.jobs(23);
    await session.scans();
    const outcome = await stop(session);
    expect(countsOf(outcome)).toEqual({ completed: 21, duplicate: 2 });
    expect(new Set(statesOf(outcome)).size).toBe(23);
    expect(statesOf(outcome).join()).not.toMatch(/\/\.|\.part|\.tmp/);
    await assertStopped(place, outcome);
  });

  it('are each completed once when they are written in pieces and backdated, as unzip does', async () => {
    const session = startWatch(place, '--settle', '500', '--scan-interval', '1');
    await session.event('watching');
    for (let i = 0; i < 20; i++) {
      const bytes = await picture({ seed: i });
      const path = place.put(`photos/album/${i}.jpg`, '');
      for (let at = 0; at < bytes.length; at += 200) {
        appendFileSync(path, bytes.subarray(at, at + 200));
        await breathe();
      }
      utimesSync(path, 1_500_000_000, 1_500_000_000 + i);
    }
    await session.jobs(20);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(place.files('photos').map((name) => `photos/${name}`)));
    await assertStopped(place, outcome);
  });

  it('are skipped while they have names of hidden or partial files', async () => {
    const session = startWatch(place, '--verbose');
    await session.event('watching');
    const names = ['.hidden.jpg', 'a.jpg.part', 'b.jpg~', 'c.crdownload', '.dir/d.jpg'];
    for (const name of names) place.put(`photos/${name}`, await picture());
    place.put('photos/seen.jpg', await picture({ seed: 2 }));
    await session.jobs(1);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/seen.jpg']));
    await assertStopped(place, outcome);
  });
});
