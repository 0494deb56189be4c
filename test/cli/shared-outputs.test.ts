import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import { countsOf, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const name of ['a', 'b']) putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
});

/** The number of different files among the outputs `a_a.webp` and `b_a.webp` of some folders. */
function filesIn(...folders: string[]): number {
  const paths = folders.flatMap((folder) => ['a', 'b'].map((name) => place.at(folder, `${name}_a.webp`)));
  return new Set(paths.map((path) => statSync(path).ino)).size;
}

it('outputs of known bytes share a file in each output folder, unless --duplicates copy is given', async () => {
  await place.process();
  await place.process('--out', 'linked');
  expect([filesIn('linked'), filesIn('out', 'linked')]).toEqual([1, 2]);
  await place.process('--out', 'copied', '--duplicates', 'copy');
  expect([filesIn('copied'), filesIn('out', 'linked', 'copied')]).toEqual([2, 4]);
  putOld(place.at('photos/c.jpg'), await picture({ seed: 1 }));
  const skipped = await place.process('--duplicates', 'skip');
  expect([countsOf(skipped), place.files('out').filter((name) => name.startsWith('c'))]).toEqual([
    { unchanged: 2, duplicate: 1 },
    [],
  ]);
});

it('outputs that are links stay links with --duplicates copy, and become files of their own with --force', async () => {
  await place.process();
  const again = await place.process('--duplicates', 'copy');
  expect([countsOf(again), filesIn('out')]).toEqual([{ unchanged: 2 }, 1]);
  await place.process('--duplicates', 'copy', '--force');
  expect(filesIn('out')).toBe(2);
});

it('damage that a stat does not show is not copied: the output is rendered', async () => {
  await place.process();
  const path = place.at('out/a_a.webp');
  const like = place.put('like', '');
  // `touch` keeps nanoseconds.
  execFileSync('touch', ['-r', path, like]);
  const good = readFileSync(path);
  writeFileSync(path, Buffer.from(good).fill(7, good.length / 2));
  execFileSync('touch', ['-r', like, path]);
  const again = await place.process('--out', 'copied', '--duplicates', 'copy');
  expect([again.code, countsOf(again)]).toEqual([0, { completed: 1, duplicate: 1 }]);
  expect(readFileSync(place.at('copied/a_a.webp'))).toEqual(good);
});

it('an output with another time is read before it is linked, and not linked if its bytes are others', async () => {
  const inode = (name: string) => statSync(place.at('out', `${name}_a.webp`)).ino;
  const add = async (name: string) => putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
  await place.process();
  const path = place.at('out/a_a.webp');
  const good = readFileSync(path);
  utimesSync(path, 1_600_000_000, 1_600_000_000);
  await add('c');
  await place.process('photos/c.jpg');
  expect(inode('c')).toBe(inode('a'));
  writeFileSync(path, Buffer.from(good).fill(7, good.length / 2));
  await add('d');
  const again = await place.process();
  expect([again.code, readFileSync(place.at('out/d_a.webp'))]).toEqual([0, good]);
  expect([filesIn('out'), inode('d')]).toEqual([1, inode('a')]);
  expect(readFileSync(path)).toEqual(good);
});

it('a dry run warns of outputs that somebody changed', async () => {
  await place.process();
  writeFileSync(place.at('out/a_a.webp'), 'edited');
  const { stdout } = await place.process('--dry-run');
  expect(stdout).toContain('out/a_a.webp: was changed since imgtool made it, so it would be made again');
  expect(readFileSync(place.at('out/a_a.webp'), 'utf8')).toBe('edited');
});
