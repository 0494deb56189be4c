import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { makeGate } from './gate.ts';
import { until } from './group.ts';
import { finishedOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import {
  A,
  AB,
  changesOf,
  listing,
  MIRROR,
  made,
  NOTHING,
  outputsOf,
  putPictures,
  removedIn,
  warningsIn,
} from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

/** Batches with --mirror that come again: resumed, retried, or run on another day. */

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
});

/** Runs a batch, and stops it after the first sources. Returns its id. */
async function stopped(args: readonly string[], free = 1): Promise<string> {
  const gate = makeGate(place, { free });
  const session = place.start(args, gate);
  await gate.held(session);
  session.signal('SIGINT', 'group');
  await session.event('stopping');
  gate.open();
  const outcome = await session.ended;
  expect([finishedOf(outcome).state, removedIn(outcome)]).toEqual(['cancelled', []]);
  return finishedOf(outcome).batch;
}

describe('a batch from before a newer batch with more variants', () => {
  const KEEPS = [
    expect.stringMatching(/^outputs of other variants stay: batch \w+ is newer and asks for them$/),
  ];

  it('removes only outputs of gone sources when it is retried', async () => {
    place.put('photos/d.jpg', 'no picture');
    const first = finishedOf(await place.run([...MIRROR, ...A, 'photos']));
    expect(first.exit).toBe(1);
    putOld(place.at('photos/d.jpg'), await picture({ seed: 4 }));
    await made(place, '--mirror', ...AB, 'photos');
    rmSync(place.at('photos/a.jpg'));
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const outcome = await place.run(['retry', first.batch, '--json']);
    expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, outputsOf(['a'], 'ab')]);
    expect(warningsIn(outcome)).toEqual(KEEPS);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
    await assertInvariants(place, { sources, outcome, gone: outputsOf(['a'], 'ab') });
  });

  it('removes only outputs of gone sources when it is resumed', async () => {
    const first = await stopped([...MIRROR, ...A, 'photos']);
    await made(place, '--mirror', ...AB, 'photos');
    rmSync(place.at('photos/a.jpg'));
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const outcome = await place.run(['resume', first, '--json']);
    expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, outputsOf(['a'], 'ab')]);
    expect(warningsIn(outcome)).toEqual(KEEPS);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
    await assertInvariants(place, { sources, outcome, gone: outputsOf(['a'], 'ab') });
  });
});

describe('a batch that is stopped while it removes outputs', () => {
  const removed = outputsOf(['a', 'b', 'c', 'd', 'sub/e', 'sub/f'], 'b');

  it.each(['a signal', 'imgtool cancel'])(
    'by %s is cancelled, and removes the rest when it is resumed',
    async (by) => {
      await made(place, ...AB, 'photos');
      const sources = sourcesOf(place, 'photos');
      const before = listing(place);
      const folder = place.at('..', 'hold');
      mkdirSync(folder);
      const holder = new URL('./hold-at-unlink.js', import.meta.url).href;
      const env = { NODE_OPTIONS: `--import=${holder}`, TEST_HOLD: folder };
      const session = place.start([...MIRROR, ...A, 'photos'], { env });
      const { batch = '' } = await session.event('batch.started');
      await until('a file is being removed', () => existsSync(`${folder}/held`));
      const cancel = by === 'a signal' ? undefined : place.start(['cancel', batch]);
      if (cancel === undefined) session.signal('SIGINT', 'group');
      await session.event('stopping');
      mkdirSync(`${folder}/go`);
      const stopped = await session.ended;
      await cancel?.ended;
      expect(finishedOf(stopped)).toMatchObject({ state: 'cancelled', exit: 130 });
      expect(removedIn(stopped)).toEqual(removed.slice(0, 1));
      expect(warningsIn(stopped)).toEqual([
        expect.stringMatching(/^the batch was stopped before it removed all/),
      ]);
      expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: removed.slice(0, 1) });
      const outcome = await place.run(['resume', batch, '--json']);
      expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, removed.slice(1)]);
      expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed });
      await assertInvariants(place, { sources, outcome, gone: removed });
    },
  );
});

describe('a folder whose pictures are missing while others lie in their place', () => {
  const OLD = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f'];
  const NEW = Array.from({ length: 9 }, (_, i) => `new${i}`);
  const REFUSES = [
    expect.stringMatching(/^photos: 6 of the 6 pictures known from before are not there, so no/),
  ];

  beforeEach(async () => {
    await made(place, ...A, 'photos');
    renameSync(place.at('photos'), place.at('disk'));
    for (const [i, name] of NEW.entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 50 + i }));
    }
  });

  it('keeps the outputs of the missing ones in each run, until --mirror=all', async () => {
    const before = listing(place);
    const all = { ...NOTHING, added: outputsOf(NEW, 'a') };
    for (let night = 1; night <= 3; night++) {
      for (const more of [['--dry-run'], []]) {
        const outcome = await place.run([...MIRROR, ...more, ...A, 'photos']);
        expect([outcome.code, warningsIn(outcome)], `night ${night}`).toEqual([0, REFUSES]);
      }
      expect(changesOf(before, listing(place))).toEqual(all);
    }
    // A picture that came later and is gone too changes nothing.
    renameSync(place.at('photos/new8.jpg'), place.at('new8.jpg'));
    const more = await place.run([...MIRROR, ...A, 'photos']);
    expect([warningsIn(more), removedIn(more)]).toEqual([[expect.stringMatching(/^photos: 7 of the 7/)], []]);
    renameSync(place.at('new8.jpg'), place.at('photos/new8.jpg'));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.run(['process', '--json', '--out', 'out', '--mirror=all', ...A, 'photos']);
    expect([outcome.code, removedIn(outcome)]).toEqual([0, outputsOf(OLD, 'a')]);
    expect(changesOf(before, listing(place))).toEqual({ ...all, removed: outputsOf(OLD, 'a') });
    await assertInvariants(place, { sources, outcome, gone: outputsOf(OLD, 'a') });
  });

  it('is mirrored as before once the pictures are back', async () => {
    await made(place, '--mirror', ...A, 'photos');
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'sub']) {
      renameSync(place.at('disk', name), place.at('photos', name));
    }
    const before = listing(place);
    const back = await place.run([...MIRROR, ...A, 'photos']);
    expect([back.code, warningsIn(back), removedIn(back)]).toEqual([0, [], []]);
    const gone = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f', 'new0'];
    for (const name of gone) rmSync(place.at(`photos/${name}.jpg`));
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.run([...MIRROR, ...A, 'photos']);
    const removed = outputsOf(gone, 'a').filter((path) => !path.startsWith('out/sub'));
    expect([warningsIn(outcome), removedIn(outcome)]).toEqual([
      [expect.stringMatching(/^photos: keeps the outputs of missing pictures whose folders are empty/)],
      removed,
    ]);
    expect(changesOf(before, listing(place)).removed.filter((path) => path.startsWith('out'))).toEqual(
      removed,
    );
    await assertInvariants(place, { sources, outcome, gone: removed });
  });

  it('keeps the outputs of the missing ones when a batch that was stopped is resumed', async () => {
    const batch = await stopped([...MIRROR, ...A, 'photos'], 7);
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const outcome = await place.run(['resume', batch, '--json']);
    expect([outcome.code, warningsIn(outcome), removedIn(outcome)]).toEqual([0, REFUSES, []]);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, added: expect.any(Array) });
    expect(place.files('out')).toHaveLength(15);
    await assertInvariants(place, { sources, outcome });
  });
});

describe('a folder that lost most of its sources', () => {
  const left = ['d', 'e', 'f', 'g', 'h', 'i'].map((name) => `second/${name}.jpg`);
  const mirror = (...inputs: string[]) => place.run([...MIRROR, ...A, ...inputs]);
  const interrupt = (id: string) => {
    const db = keep(new Sqlite(place.index));
    keep(db.prepare("UPDATE batches SET walk_ended = 0, state = 'interrupted' WHERE id = ?")).run(id);
    db.close();
  };

  it('is judged by what it had before, also after a resumed batch that did not find the folder', async () => {
    const before = ['a', 'b', 'c', 'd'].map((name) => `second/${name}.jpg`);
    await putPictures(place, before);
    await made(place, ...A, 'photos', 'second');
    for (const path of before.slice(0, 3)) rmSync(place.at(path));
    const first = await mirror('photos', 'second');
    expect([removedIn(first), warningsIn(first)]).toEqual([
      [],
      [
        expect.stringContaining('ask for the same output names'),
        expect.stringMatching(/^second: 3 of the 4 pictures known from before are not there/),
      ],
    ]);
    const { batch } = finishedOf(first);
    interrupt(batch);
    renameSync(place.at('second'), place.at('unmounted'));
    const away = await place.run(['resume', batch, '--json']);
    expect([away.code, removedIn(away)]).toEqual([3, []]);
    renameSync(place.at('unmounted'), place.at('second'));
    for (const [i, path] of left.entries()) putOld(place.at(path), await picture({ seed: 50 + i }));
    await made(place, ...A, 'photos', 'second');
    const last = await mirror('photos', 'second');
    expect([removedIn(last), warningsIn(last)]).toEqual([
      [],
      [
        expect.stringContaining('ask for the same output names'),
        expect.stringMatching(/^second: 3 of the 4 pictures known from before are not there/),
      ],
    ]);
  });

  it('on purpose is settled by one run with --mirror=all, also in a nightly watch', async () => {
    const watch = (mirror: string) => place.run(['watch', '--once', ...A, '--out', 'out', mirror, 'photos']);
    await watch('--mirror');
    rmSync(place.at('photos'), { recursive: true });
    mkdirSync(place.at('photos'));
    const before = place.files('out');
    for (let night = 0; night < 2; night++) {
      const { code, stderr } = await watch('--mirror');
      expect([code, place.files('out')]).toEqual([0, before]);
      expect(stderr).toContain('6 of the 6 pictures known from before are not there');
      expect(stderr).toContain('if they are really gone, run the same command once with --mirror=all');
    }
    expect([(await watch('--mirror=all')).code, place.files('out')]).toEqual([0, []]);
    const after = await watch('--mirror');
    expect([after.code, after.stderr.includes('warning')]).toEqual([0, false]);
  });
});
