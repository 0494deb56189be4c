import { copyFileSync, renameSync, rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import type { Event, ProfileEvent } from '../../src/model.ts';
import { countsOf, eventsOf, finishedOf, jobsOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { makeOlder } from './older.ts';
import { hashOf, makeOld, picture, printOf, putOld } from './pictures.ts';
import { rot, verify } from './verifying.ts';

/** Libraries of an older version. Their records have settings digests that the program now computes differently. */

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const name of ['a', 'b', 'c']) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: name.charCodeAt(0) }));
  }
});

/** How many outputs were encoded. */
function encoded(outcome: Outcome): number {
  const isProfile = (event: Event): event is ProfileEvent => event.type === 'profile';
  return eventsOf(outcome).find(isProfile)!.pictures.encode.calls;
}

/** All rows with settings digests, and the old digests that are not yet replaced. */
function recorded(): { readonly outputs: unknown[]; readonly former: unknown[] } {
  const db = keep(new Sqlite(place.index, { readonly: true }));
  const outputs = keep(
    db.prepare('SELECT path, settings, digest, checksum FROM outputs ORDER BY path'),
  ).all();
  const former = keep(db.prepare('SELECT settings FROM former_settings').pluck()).all();
  db.close();
  return { outputs, former };
}

function prints(folder = 'out'): Record<string, string> {
  return Object.fromEntries(place.files(folder).map((name) => [name, printOf(place.at(folder, name))]));
}

describe.each([
  ['the previous version', 3, false],
  ['an older version, whose batches were pruned', 2, true],
] as const)('a library of %s', (_, version, pruned) => {
  const age = () => makeOlder(place.index, version, { pruned });

  it.each([
    [['--preset', 'web']],
    [['--preset', 'compat', '--lenient']],
    [['--variant', 'x:w=40,h=30,fit=cover,position=top,format=png', '--variant', 'y:h=20,lossless,sharpen']],
  ])('is unchanged with %j, in the second run too', async (args) => {
    await place.process(...args);
    const before = recorded();
    const files = prints();
    age();
    for (let run = 0; run < 2; run++) {
      const again = await place.process('--profile', ...args);
      expect([again.code, countsOf(again), encoded(again)]).toEqual([0, { unchanged: 3 }, 0]);
      const profile = eventsOf(again).find((event) => event.type === 'profile');
      expect(profile?.children.started).toBe(0);
      expect(prints()).toEqual(files);
      expect(recorded()).toEqual({ ...before, former: [] });
    }
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });

  it('is unchanged in a dry run, which reads no source', async () => {
    await place.process();
    age();
    const foreseen = await place.process('--dry-run');
    expect([foreseen.code, countsOf(foreseen)]).toEqual([0, { unchanged: 3 }]);
  });

  it('keeps the digests of variants until a batch asks for them', async () => {
    await place.process('--preset', 'web');
    await place.process('--preset', 'gallery', '--out', 'other');
    const before = recorded();
    age();
    expect(countsOf(await place.process('--preset', 'web'))).toEqual({ unchanged: 3 });
    expect(recorded().former).toHaveLength(3);
    expect(countsOf(await place.process('--preset', 'gallery', '--out', 'other'))).toEqual({ unchanged: 3 });
    expect(recorded()).toEqual({ ...before, former: [] });
  });

  it('provides the outputs for copies of its sources', async () => {
    await place.process();
    age();
    copyFileSync(place.at('photos/a.jpg'), place.at('photos/copy.jpg'));
    const again = await place.process('--profile');
    expect([countsOf(again), encoded(again)]).toEqual([{ duplicate: 1, unchanged: 3 }, 0]);
    expect(hashOf(place.at('out/copy_a.webp'))).toBe(hashOf(place.at('out/a_a.webp')));
  });

  it('keeps the names of duplicates that were skipped, and gives them outputs once their owner leaves', async () => {
    copyFileSync(place.at('photos/a.jpg'), place.at('photos/copy.jpg'));
    makeOld(place.at('photos/copy.jpg'));
    const before = await place.process('--duplicates', 'skip');
    expect(countsOf(before)).toEqual({ completed: 3, duplicate: 1 });
    const left = hashOf(place.at('out/a_a.webp'));
    age();
    const again = await place.process('--duplicates', 'skip', '--profile');
    expect([countsOf(again), encoded(again)]).toEqual([{ duplicate: 1, unchanged: 3 }, 0]);
    putOld(place.at('photos/a.jpg'), await picture({ seed: 77 }));
    expect((await place.process('--duplicates', 'skip')).code).toBe(0);
    expect(hashOf(place.at('out/copy_a.webp'))).toBe(left);
  });

  it('is reused in another folder', async () => {
    await place.process();
    age();
    const again = await place.process('--profile', '--out', 'other');
    expect([countsOf(again), encoded(again)]).toEqual([{ completed: 3 }, 0]);
    expect(jobsOf(again).every(({ reused }) => reused)).toBe(true);
  });

  it('is adopted after a move together with its sources', async () => {
    await place.process();
    age();
    for (const folder of ['photos', 'out']) renameSync(place.at(folder), place.at(`moved-${folder}`));
    const args = ['process', '--json', '--profile', '--variant', 'a:w=40', '--variant', 'b:w=20'];
    const again = await place.run([...args, '--out', 'moved-out', 'moved-photos']);
    expect([again.code, countsOf(again), encoded(again)]).toEqual([0, { completed: 3 }, 0]);
    expect(place.files('moved-out')).toHaveLength(6);
  });

  it('is rendered again for a changed variant', async () => {
    await place.process('--variant', 'a:w=40');
    age();
    const again = await place.process('--profile', '--variant', 'a:w=40,grayscale');
    expect([countsOf(again), encoded(again)]).toEqual([{ completed: 3 }, 3]);
  });
});

describe('verify in a library of the previous version', () => {
  let batch: string;
  beforeEach(async () => {
    ({ batch } = finishedOf(await place.process('--lenient')));
    makeOlder(place.index, 3);
  });

  it('finds all outputs of its batch', async () => {
    const { code, document } = await verify(place, batch);
    expect([code, document.verified, document.wrong]).toEqual([0, 6, 0]);
    expect(recorded().former).not.toEqual([]);
  });

  it('renders only wrong outputs again with --fix', async () => {
    rmSync(place.at('out/a_a.webp'));
    rot(place.at('out/b_b.webp'));
    const before = prints();
    const fixed = await verify(place, '--fix');
    expect([fixed.code, fixed.document.wrong, fixed.document.fixed]).toEqual([0, 2, 2]);
    const { 'a_a.webp': _, 'b_b.webp': rotten, ...others } = prints();
    expect(rotten).not.toBe(before['b_b.webp']);
    expect(before).toMatchObject(others);
    const again = await place.process('--lenient', '--profile');
    expect([countsOf(again), encoded(again)]).toEqual([{ unchanged: 3 }, 0]);
  });
});
