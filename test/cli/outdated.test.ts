import { copyFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import type { Event, ProfileEvent } from '../../src/model.ts';
import { countsOf, eventsOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { makeOlder } from './older.ts';
import { makeOld, picture, printOf, putOld } from './pictures.ts';

/** A library of the version before recipes were recorded, with one output in each format. */

const FORMATS = ['webp', 'jpeg', 'png', 'avif'];
const VARIANTS = FORMATS.flatMap((format) => ['--variant', `v:w=40,format=${format}`]);

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const name of ['a', 'b']) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: name.charCodeAt(0) }));
  }
  copyFileSync(place.at('photos/a.jpg'), place.at('photos/copy.jpg'));
  makeOld(place.at('photos/copy.jpg'));
});

const process = (...more: string[]) => place.process(...VARIANTS, '--profile', ...more);

/** How many outputs were encoded. */
function encoded(outcome: Outcome): number {
  const isProfile = (event: Event): event is ProfileEvent => event.type === 'profile';
  return eventsOf(outcome).find(isProfile)!.pictures.encode.calls;
}

/** An index as a version wrote it that had no newer recipe than this one. */
function limitRecipes(path: string, most: number): void {
  const db = keep(new Sqlite(path));
  db.exec(`UPDATE outputs SET recipe = min(recipe, ${most})`);
  db.close();
}

const prints = () => place.files('out').map((name) => [name, printOf(place.at('out', name))]);

describe('a library of the version before recipes', () => {
  it('stays as it is, is rendered once with --outdated, and is unchanged from then on', async () => {
    expect(countsOf(await process())).toEqual({ completed: 2, duplicate: 1 });
    makeOlder(place.index, 4);
    const before = prints();
    const plain = await process();
    expect([plain.code, countsOf(plain), prints()]).toEqual([0, { unchanged: 3 }, before]);

    const foreseen = await process('--outdated', '--dry-run');
    expect(countsOf(foreseen)).toEqual({ completed: 2, duplicate: 1 });

    const again = await process('--outdated');
    expect([again.code, countsOf(again)]).toEqual([0, { completed: 2, duplicate: 1 }]);
    expect(encoded(again)).toBe(2 * FORMATS.length);
    const after = prints();
    expect(after.map(([name]) => name)).toEqual(before.map(([name]) => name));
    expect(after.every(([, print], i) => print !== before[i]![1])).toBe(true);

    for (const more of [['--outdated'], []]) {
      const last = await process(...more);
      expect([last.code, countsOf(last), encoded(last)]).toEqual([0, { unchanged: 3 }, 0]);
      expect(prints()).toEqual(after);
    }
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });

  it('is rendered again by a watch with --outdated', async () => {
    await process();
    makeOlder(place.index, 4);
    const args = ['watch', '--once', '--outdated', '--json', ...VARIANTS, '--out', 'out', 'photos'];
    expect(countsOf(await place.run(args))).toEqual({ completed: 2, duplicate: 1 });
    expect(countsOf(await process('--outdated'))).toEqual({ unchanged: 3 });
  });

  it('is rendered again when its recipe is older than the newest, whatever the format of the source', async () => {
    place.put('photos/drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"/>');
    makeOld(place.at('photos/drawing.svg'));
    const run = (...more: string[]) => place.process('--variant', 'v:w=40', '--allow-svg', ...more);
    const first = await run();
    expect(countsOf(first)).toEqual({ completed: 3, duplicate: 1 });
    limitRecipes(place.index, 5);
    expect(countsOf(await run())).toEqual({ unchanged: 4 });
    const again = await run('--outdated');
    expect([again.code, countsOf(again)]).toEqual([0, { completed: 3, duplicate: 1 }]);
    expect(countsOf(await run('--outdated'))).toEqual({ unchanged: 4 });
  });

  it('keeps skipped duplicates as they are', async () => {
    await process('--duplicates', 'skip');
    makeOlder(place.index, 4);
    const before = place.files('out');
    const again = await process('--duplicates', 'skip', '--outdated');
    expect(countsOf(again)).toEqual({ completed: 2, duplicate: 1 });
    expect([encoded(again), place.files('out')]).toEqual([2 * FORMATS.length, before]);
  });
});
