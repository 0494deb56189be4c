import { utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import {
  countsOf,
  finishedOf,
  jobsOf,
  type Outcome,
  openPlace,
  type Place,
  type Session,
  SMALL,
} from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';
import { argsOf, assertStopped, completed, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

const SIGNALS = [
  ['SIGINT', 'group'],
  ['SIGTERM', 'process'],
  ['SIGHUP', 'process'],
] as const;

const COUNT = 12;

/** A watch of this many pictures with one completed. It is stopped while two others are in work. */
async function stoppedEarly(how: (session: Session) => void, ...args: string[]): Promise<Outcome> {
  const one = await noise(120, 90);
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  const gate = makeGate(place);
  const session = place.start(argsOf(['--jobs', '2', ...args]), gate);
  await session.event('job');
  await gate.held(session, 2);
  how(session);
  await session.event('stopping');
  gate.open();
  return session.ended;
}

describe('a watch that receives a signal', () => {
  it.each(SIGNALS)('by %s to the %s finishes if nothing is left', async (signal, to) => {
    await putMany(place, 'photos', 3);
    const session = startWatch(place);
    await session.jobs(3);
    await session.scans();
    session.signal(signal, to);
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal, outcome.stderr]).toEqual([null, signal, '']);
    expect(finishedOf(outcome)).toMatchObject({ state: 'finished', exit: 128 + constants.signals[signal] });
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    const { batch } = await place.status(finishedOf(outcome).batch);
    expect(batch).toMatchObject({ state: 'finished', counts: finishedOf(outcome).counts });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });

  it.each(SIGNALS)(
    'by %s to the %s cancels the rest, and the next watch completes it',
    async (signal, to) => {
      const outcome = await stoppedEarly((session) => session.signal(signal, to));
      expect([outcome.code, outcome.signal, outcome.stderr]).toEqual([null, signal, '']);
      expect(finishedOf(outcome).state).toBe('cancelled');
      const { completed: done = 0, cancelled = 0 } = countsOf(outcome);
      expect(done + cancelled).toBe(COUNT);
      expect(cancelled).toBeGreaterThan(COUNT / 3);
      await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
      const again = startWatch(place);
      await again.jobs(COUNT);
      await again.scans();
      const second = await stop(again);
      expect(countsOf(second)).toEqual({ completed: COUNT - done, unchanged: done });
      await assertStopped(place, second);
    },
  );

  it('with --no-existing skips existing pictures, and processes new ones and the rest of the last watch', async () => {
    const outcome = await stoppedEarly((session) => session.signal('SIGINT', 'group'));
    const { cancelled = 0 } = countsOf(outcome);
    expect(cancelled).toBeGreaterThan(0);
    place.put('photos/meanwhile.jpg', await picture({ seed: 1 }));
    const again = startWatch(place, '--no-existing');
    await again.jobs(cancelled);
    place.put('photos/new.jpg', await picture({ seed: 2 }));
    await again.jobs(cancelled + 1);
    await again.scans();
    const second = await stop(again);
    const left = jobsOf(outcome).map(({ source }) => source);
    const all = Array.from({ length: COUNT }, (_, i) => `photos/${i}.jpg`);
    const expected = all.filter((source) => !left.includes(source));
    expect(statesOf(second)).toEqual(completed([...expected, 'photos/new.jpg']));
    await assertStopped(place, second);
  });

  it('with --no-existing processes an existing picture that changes', async () => {
    const path = place.put('photos/old.jpg', await picture({ seed: 1 }));
    const session = startWatch(place, '--no-existing');
    await session.event('watching');
    await session.scans();
    expect(jobsOf(await session.said())).toEqual([]);
    place.put('photos/old.jpg', await picture({ seed: 2 }));
    await session.jobs(1);
    const outcome = await stop(session);
    expect([statesOf(outcome), path]).toEqual([completed(['photos/old.jpg']), place.at('photos/old.jpg')]);
    await assertStopped(place, outcome);
  });
});

describe('a watch that is killed while files arrive', () => {
  it.each([1, 15, 30])(
    'after %i of 40 is completed by the next watch, with no picture twice',
    async (after) => {
      const COUNT = 40;
      const pictures = await Promise.all(Array.from({ length: COUNT }, (_, seed) => picture({ seed })));
      place.put('photos/0.jpg', pictures[0]!);
      const session = startWatch(place);
      const [begun] = await session.events('batch.started', 1);
      let isKilled = false;
      const killed = session.jobs(after).then(() => {
        session.signal('SIGKILL', 'group');
        isKilled = true;
      });
      for (const [i, bytes] of pictures.entries()) {
        place.put(`photos/${i % 3}/${i}.jpg`, bytes);
        await breathe();
        if (i === after + 5) await killed;
      }
      expect(isKilled).toBe(true);
      expect((await session.ended).signal).toBe('SIGKILL');
      const again = startWatch(place);
      await again.jobs(COUNT + 1);
      await again.scans();
      const outcome = await stop(again);
      const ids = [begun!.batch, finishedOf(outcome).batch];
      const documents = await Promise.all(ids.map((id) => place.status(id, '--all')));
      expect(documents.map(({ batch }) => batch.state)).toEqual(['interrupted', 'finished']);
      const done = documents.flatMap(({ jobs }) => jobs.filter(({ state }) => state === 'completed'));
      expect(done).toHaveLength(COUNT);
      expect(new Set(done.map(({ digest }) => digest)).size).toBe(COUNT);
      expect(outcome.stdout).not.toContain('"failed"}');
      expect(place.files('out')).toHaveLength(2 * (COUNT + 1));
      await assertStopped(place, outcome);
    },
  );
});

describe('a watch with --once', () => {
  const once = () => place.run(['watch', '--json', '--once', '--out', 'out', ...SMALL, 'photos']);

  it('processes everything and exits 0, then finds nothing to do', async () => {
    await putMany(place, 'photos/sub', 5);
    const first = await once();
    expect([first.code, first.stderr, countsOf(first)]).toEqual([0, '', { completed: 5 }]);
    const second = await once();
    expect([second.code, countsOf(second)]).toEqual([0, { unchanged: 5 }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('exits 0 if there is nothing', async () => {
    place.put('photos/readme.txt', 'text');
    const outcome = await once();
    expect([outcome.code, outcome.stderr, countsOf(outcome)]).toEqual([0, '', {}]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('exits 1 if an old picture is corrupt', async () => {
    await putMany(place, 'photos', 2);
    putOld(place.at('photos/broken.jpg'), (await picture()).subarray(0, 500));
    const outcome = await once();
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 2, failed: 1 }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('exits 1 if a corrupt picture has a date in the future', async () => {
    place.put('photos/future.jpg', (await picture()).subarray(0, 500));
    const then = new Date('2099-01-01T00:00:00Z');
    utimesSync(place.at('photos/future.jpg'), then, then);
    for (let time = 0; time < 2; time++) {
      const outcome = await once();
      expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { failed: 1 }]);
      expect(outcome.stdout).not.toContain('"withdrawn"');
    }
  });

  it('leaves a recent unfinished picture to the next watch', async () => {
    await putMany(place, 'photos', 2);
    const whole = await picture({ seed: 9 });
    place.put('photos/young.jpg', whole.subarray(0, 500));
    const outcome = await once();
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 2 }]);
    expect(outcome.stdout).toContain('"type":"withdrawn"');
    place.put('photos/young.jpg', whole);
    const next = await once();
    expect([next.code, countsOf(next)]).toEqual([0, { completed: 1, unchanged: 2 }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: next });
  });

  it('stops early by a signal as a batch does', async () => {
    const outcome = await stoppedEarly((session) => session.signal('SIGINT', 'group'), '--once');
    await assertStopped(place, outcome, { state: 'cancelled' });
  });
});
