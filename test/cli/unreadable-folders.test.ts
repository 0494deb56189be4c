import { mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import {
  countsOf,
  eventsOf,
  finishedOf,
  jobOf,
  type Outcome,
  openPlace,
  type Place,
  SMALL,
} from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { allow, forbid, isForOthers, runAsNobody } from './nobody.ts';
import { picture, putOld } from './pictures.ts';

/** Folders that may not be listed: each one is a failed job, and its pictures are processed by a later retry. */

const BATCH = ['process', ...SMALL, '--out', 'out'];

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a', 'shut/b', 'shut/deep/c'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
});

const run = (...args: string[]) => runAsNobody(place, args);
const FAILED = {
  state: 'failed',
  error: {
    code: 'source_unreadable',
    message: 'may not be read (EACCES)',
    fix: expect.stringMatching(/--exclude/),
  },
};

function assertFailed(outcome: Outcome, given: string, counts: Readonly<Record<string, number>>): void {
  expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, counts]);
  expect(jobOf(outcome, given)).toMatchObject(FAILED);
}

describe.skipIf(!isForOthers)(
  'a folder that may not be read (root needs setpriv and a readable checkout)',
  () => {
    it('fails where the walk meets it, and the pictures beside it are processed', async () => {
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const outcome = await run(...BATCH, '--json', 'photos');
      assertFailed(outcome, 'photos/shut', { completed: 1, failed: 1 });
      expect(place.files('out')).toHaveLength(2);
      const again = await run(...BATCH, '--json', 'photos');
      assertFailed(again, 'photos/shut', { unchanged: 1, failed: 1 });
      allow(place.at('photos/shut'));
      await assertInvariants(place, { sources, outcome: again });
    });

    it('fails where it is named, also as the only input and in a glob', async () => {
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const alone = await run(...BATCH, '--json', 'photos/shut');
      assertFailed(alone, 'photos/shut', { failed: 1 });
      const glob = await run(...BATCH, '--json', 'photos/*');
      assertFailed(glob, 'photos/shut', { completed: 1, failed: 1 });
      allow(place.at('photos/shut'));
      await assertInvariants(place, { sources, outcome: glob });
    });

    it('is named on standard error, with --quiet too', async () => {
      forbid(place.at('photos/shut'), 0);
      for (const args of [[], ['--quiet'], ['--dry-run']]) {
        const outcome = await run(...BATCH, ...args, 'photos');
        expect(outcome.code, outcome.stderr).toBe(1);
        expect(outcome.stdout + outcome.stderr).toMatch(/photos\/shut.*may not be read \(EACCES\)/);
      }
    });

    it('takes no name from a picture that is called like the folder', async () => {
      putOld(place.at('photos/shut.jpg'), await picture({ seed: 9 }));
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const outcome = await run(...BATCH, '--json', 'photos');
      assertFailed(outcome, 'photos/shut', { completed: 2, failed: 1 });
      expect(place.files('out').filter((name) => name.includes('~'))).toEqual([]);
      allow(place.at('photos/shut'));
      await assertInvariants(place, { sources, outcome });
    });

    it('is walked again by retry, and leaves the batch once it can be read', async () => {
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const { batch: id } = finishedOf(await run(...BATCH, '--json', 'photos'));
      assertFailed(await run('retry', id, '--json'), 'photos/shut', { completed: 1, failed: 1 });
      allow(place.at('photos/shut'));
      forbid(place.at('photos/shut/deep'), 0);
      const half = await run('retry', id, '--json');
      assertFailed(half, 'photos/shut/deep', { completed: 2, failed: 1 });
      allow(place.at('photos/shut/deep'));
      const whole = await run('retry', id, '--json');
      expect([whole.code, countsOf(whole)], whole.stderr).toEqual([0, { completed: 3 }]);
      expect((await place.status(id)).batch).toMatchObject({ state: 'finished', total: 3 });
      await assertInvariants(place, { sources, outcome: whole });
    });

    it('is not lost when the retry is killed', async () => {
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const { batch: id } = finishedOf(await run(...BATCH, '--json', 'photos'));
      allow(place.at('photos/shut'));
      const gate = makeGate(place, { before: 'photos/shut', free: 0 });
      const session = place.start(['retry', id, '--json', '--jobs', '1'], gate);
      await gate.held(session);
      session.signal('SIGKILL', 'group');
      await session.ended;
      const resumed = await place.run(['resume', id, '--json']);
      expect([resumed.code, countsOf(resumed)], resumed.stderr).toEqual([0, { completed: 3 }]);
      await assertInvariants(place, { sources, outcome: resumed });
    });

    it('gives a file its own name again that a watch met before it could be read', async () => {
      putOld(place.at('photos/half/x.jpg'), await picture({ seed: 20 }));
      await run(...BATCH, '--json', 'photos');
      putOld(place.at('photos/half/x.png'), await picture({ seed: 21, format: 'png' }));
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/half'), 0o444);
      const watch = await run('watch', ...SMALL, '--out', 'out', '--once', '--json', 'photos');
      expect(jobOf(watch, 'photos/half/x.png')).toMatchObject({ state: 'failed' });
      allow(place.at('photos/half'));
      const retried = await run('retry', finishedOf(watch).batch, '--json');
      expect(jobOf(retried, 'photos/half/x.png')).toMatchObject({ state: 'completed' });
      expect(place.files('out/half').filter((name) => name.includes('~'))).toHaveLength(2);
      await assertInvariants(place, { sources, outcome: retried });
    });

    it('fails a watch that looks once', async () => {
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/shut'), 0);
      const watch = ['watch', ...SMALL, '--out', 'out', '--once', '--json', 'photos'];
      assertFailed(await run(...watch), 'photos/shut', { completed: 1, failed: 1 });
      allow(place.at('photos/shut'));
      const outcome = await run(...watch);
      expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2, unchanged: 1 }]);
      await assertInvariants(place, { sources, outcome });
    });
  },
);

describe('a folder that a system keeps for itself', () => {
  const SYSTEM = [
    '@eaDir',
    '#recycle',
    '@Recycle',
    '$RECYCLE.BIN',
    'System Volume Information',
    'lost+found',
  ];

  it('is passed over where the walk meets it, whatever the case of its name', async () => {
    for (const [i, name] of [...SYSTEM, '__MACOSX', 'LOST+FOUND'].entries()) {
      putOld(place.at(`photos/sub/${name}/x.jpg`), await picture({ seed: 10 + i }));
    }
    const outcome = await place.run([...BATCH, '--json', '--verbose', 'photos']);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 3 }]);
    const reasons = eventsOf(outcome).flatMap((event) =>
      event.type === 'passed_over' ? [event.reason] : [],
    );
    expect(reasons).toEqual(Array(SYSTEM.length + 2).fill('system_folder'));
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('is walked where it is named', async () => {
    putOld(place.at('photos/@eaDir/x.jpg'), await picture({ seed: 10 }));
    const outcome = await place.run([...BATCH, '--json', 'photos/@eaDir']);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    mkdirSync(place.at('photos/@eaDir/#recycle'));
    putOld(place.at('photos/@eaDir/#recycle/y.jpg'), await picture({ seed: 11 }));
    expect(countsOf(await place.run([...BATCH, '--json', 'photos/@eaDir/*']))).toEqual({ unchanged: 1 });
  });
});
