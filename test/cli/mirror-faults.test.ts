import { mkdirSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { countsOf, eventsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
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
import { allow, forbid, isForOthers, runAsNobody } from './nobody.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
  await made(place, ...AB, 'photos');
});

describe.skipIf(!isForOthers)(
  'a mirror of folders that cannot be read or written (root needs setpriv)',
  () => {
    it('removes nothing of a folder with an unreadable part, and removes it once all can be read', async () => {
      await putPictures(place, ['more/x.jpg', 'more/y.jpg']);
      await made(place, ...AB, 'more');
      for (const path of ['photos/a.jpg', 'more/x.jpg']) rmSync(place.at(path));
      const sources = sourcesOf(place, 'photos', 'more');
      const before = listing(place);
      forbid(place.at('photos/sub'), 0);
      for (const more of [['--dry-run'], []]) {
        const outcome = await runAsNobody(place, [...MIRROR, ...more, ...AB, 'photos', 'more']);
        expect(outcome.code, outcome.stderr).toBe(1);
        expect(removedIn(outcome, ...(more.length > 0 ? [true as const] : []))).toEqual(
          outputsOf(['x'], 'ab'),
        );
        expect(warningsIn(outcome)).toEqual(['photos: not all of it could be read, so no output is removed']);
      }
      allow(place.at('photos/sub'));
      expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['x'], 'ab') });
      const outcome = await place.run([...MIRROR, ...AB, 'photos', 'more']);
      expect([outcome.code, removedIn(outcome)]).toEqual([0, outputsOf(['a'], 'ab')]);
      await assertInvariants(place, { sources, outcome, gone: outputsOf(['a', 'x'], 'ab') });
    });

    it('removes the outputs when a retry has read the folder', async () => {
      rmSync(place.at('photos/a.jpg'));
      const sources = sourcesOf(place, 'photos');
      forbid(place.at('photos/sub'), 0);
      const { batch } = finishedOf(await runAsNobody(place, [...MIRROR, ...AB, 'photos']));
      allow(place.at('photos/sub'));
      const before = listing(place);
      const outcome = await place.run(['retry', batch, '--json']);
      expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, outputsOf(['a'], 'ab')]);
      expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
      await assertInvariants(place, { sources, outcome, gone: outputsOf(['a'], 'ab') });
    });

    it('warns of outputs that it cannot look at, in a dry run too', async () => {
      for (const path of ['photos/a.jpg', 'photos/sub']) rmSync(place.at(path), { recursive: true });
      forbid(place.at('out/sub'), 0);
      for (const more of [['--dry-run'], []]) {
        const outcome = await runAsNobody(place, [...MIRROR, ...more, ...AB, 'photos']);
        expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
        expect(removedIn(outcome, ...(more.length > 0 ? [true as const] : []))).toEqual(
          outputsOf(['a'], 'ab'),
        );
        expect(warningsIn(outcome)).toEqual(
          ['e', 'f'].map((name) =>
            expect.stringMatching(`^photos/sub/${name}.jpg: its outputs could not be removed: .*EACCES`),
          ),
        );
      }
      allow(place.at('out/sub'));
      expect(place.files('out')).toHaveLength(10);
    });

    it('keeps outputs that it may not remove, with a warning, and removes the others', async () => {
      for (const path of ['photos/a.jpg', 'photos/sub/e.jpg']) rmSync(place.at(path));
      const sources = sourcesOf(place, 'photos');
      const before = listing(place);
      forbid(place.at('out/sub'), 0o555);
      const outcome = await runAsNobody(place, [...MIRROR, ...AB, 'photos']);
      allow(place.at('out/sub'));
      expect(removedIn(outcome)).toEqual(outputsOf(['a'], 'ab'));
      const lack = `${place.at('out/sub/e_a.webp')}: may not be removed (EACCES)`;
      expect(eventsOf(outcome).filter(({ type }) => type === 'warning')).toMatchObject([
        {
          message: `photos/sub/e.jpg: its outputs could not be removed: ${lack}`,
          fix: 'check the permissions of its folder',
        },
      ]);
      expect(outcome.code).toBe(0);
      expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
      const again = await place.run([...MIRROR, ...AB, 'photos']);
      expect(removedIn(again)).toEqual(outputsOf(['sub/e'], 'ab'));
      await assertInvariants(place, { sources, outcome: again, gone: outputsOf(['a', 'sub/e'], 'ab') });
    });
  },
);

describe('a mirror that is stopped', () => {
  it('before its last job removes nothing, and removes the outputs when it is resumed', async () => {
    rmSync(place.at('photos/a.jpg'));
    for (let i = 0; i < 4; i++) putOld(place.at(`photos/new${i}.jpg`), await picture({ seed: 80 + i }));
    const sources = sourcesOf(place, 'photos');
    const gate = makeGate(place);
    const session = place.start([...MIRROR, ...A, 'photos'], gate);
    await gate.held(session);
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    gate.open();
    const stopped = await session.ended;
    expect([finishedOf(stopped).state, removedIn(stopped)]).toEqual(['cancelled', []]);
    expect(place.files('out')).toEqual(expect.arrayContaining(['a_a.webp', 'a_b.webp', 'b_b.webp']));
    const before = listing(place);
    const outcome = await place.run(['resume', finishedOf(stopped).batch, '--json']);
    expect([outcome.code, countsOf(outcome).cancelled], outcome.stderr).toEqual([0, undefined]);
    const removed = [...outputsOf(['a'], 'ab'), ...outputsOf(['b', 'c', 'd', 'sub/e', 'sub/f'], 'b')].sort();
    expect(removedIn(outcome)).toEqual(removed);
    expect(changesOf(before, listing(place)).removed).toEqual(removed);
    await assertInvariants(place, { sources, outcome, gone: removed });
  });

  const removed = [...outputsOf(['a'], 'ab'), ...outputsOf(['b', 'c', 'd', 'sub/e', 'sub/f'], 'b')].sort();
  const moments = (['before', 'after'] as const).flatMap((when) =>
    [1, 2, 3, 7].map((at) => [when, at] as const),
  );

  it.each(moments)('by a kill %s the removal of file %i is completed by the next run', async (when, at) => {
    rmSync(place.at('photos/a.jpg'));
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const killer = new URL('./kill-at-unlink.js', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${killer}`, TEST_KILL_WHEN: when, TEST_KILL_AT: String(at) };
    const killed = await place.run([...MIRROR, ...A, 'photos'], { env });
    expect(killed.signal).toBe('SIGKILL');
    const half = changesOf(before, listing(place));
    expect(half).toEqual({ ...NOTHING, removed: expect.any(Array) });
    expect(half.removed).toHaveLength(when === 'before' ? at - 1 : at);
    expect(removed).toEqual(expect.arrayContaining(half.removed));
    const outcome = await place.run([...MIRROR, ...A, 'photos']);
    expect([outcome.code, outcome.stderr]).toEqual([0, '']);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed });
    await assertInvariants(place, { sources, outcome, gone: removed });
    const verified = await place.run(['verify', '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: 5, wrong: 0, gone: 0 });
  });
});

describe('what a person reads after a mirror', () => {
  it('names each removed file and their number, in plain lines and in a dry run', async () => {
    rmSync(place.at('photos/a.jpg'));
    const plain = ['process', '--out', 'out', '--mirror', ...AB, 'photos'];
    const dry = await place.run([...plain, '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.stderr).toContain('imgtool: would remove out/a_a.webp\nimgtool: would remove out/a_b.webp\n');
    expect(dry.stderr).toContain('imgtool: would remove 2 outputs that nothing asks for any more\n');
    const { code, stderr } = await place.run(plain);
    expect(code).toBe(0);
    expect(stderr).toContain('imgtool: removed out/a_a.webp\nimgtool: removed out/a_b.webp\n');
    expect(stderr).toContain('imgtool: removed 2 outputs that nothing asks for any more\n');
  });

  it('lists the first ten missing sources and the way on when too many are gone', async () => {
    for (let i = 0; i < 20; i++) putOld(place.at(`photos/n${10 + i}.jpg`), await picture({ seed: 100 + i }));
    await made(place, ...A, 'photos');
    rmSync(place.at('photos'), { recursive: true });
    mkdirSync(place.at('photos'));
    const { code, stderr } = await place.run(['process', '--out', 'out', '--mirror', ...A, 'photos']);
    const named = ['a', 'b', 'c', 'd', ...[10, 11, 12, 13, 14, 15].map((n) => `n${n}`)];
    const list = named.map((name) => `photos/${name}.jpg`).join(', ');
    expect(code).toBe(0);
    expect(stderr).toContain(
      `photos: 26 of the 26 pictures known from before are not there, so no output is`,
    );
    expect(stderr).toContain(`: ${list} and 16 more\n`);
    expect(stderr).toMatch(
      /fix: mount or name the right folder; if they are really gone, run the same command once with --mirror=all\n/,
    );
  });

  it('says nothing about a mirror without --mirror', async () => {
    rmSync(place.at('photos/a.jpg'));
    const outcome = await place.run(['process', '--json', '--out', 'out', ...A, 'photos']);
    expect([outcome.code, removedIn(outcome), warningsIn(outcome)]).toEqual([0, [], []]);
    expect(jobOf(outcome, 'photos/b.jpg').state).toBe('unchanged');
    expect(place.files('out')).toHaveLength(12);
  });
});
