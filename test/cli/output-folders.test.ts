import { copyFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, jobsOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { makeOlder } from './older.ts';
import { hashOf, inodeOf, picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const name of ['a', 'b']) putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
});

const inodesIn = (folder: string) => place.files(folder).map((name) => inodeOf(place.at(folder, name)));
/** The number of files with two names or more that are names in both folders. */
const sharedBy = (one: string, other: string) => {
  const inodes = new Set(inodesIn(one));
  return inodesIn(other).filter((inode) => inodes.has(inode)).length;
};
const actionsOf = (outcome: Outcome) =>
  jobsOf(outcome).map(({ outputs }) => outputs?.map(({ action }) => action).join());

describe('two output folders', () => {
  it('never share a file, and an output edited in place changes no output of the other folder', async () => {
    await place.process();
    const second = await place.process('--out', 'other');
    expect(countsOf(second)).toEqual({ completed: 1, duplicate: 1 });
    expect(jobsOf(second).find(({ state }) => state === 'completed')).toMatchObject({
      reused: true,
      ms: { decode: 0, encode: 0 },
      outputs: [{ action: 'copied' }, { action: 'copied' }],
    });
    expect(hashOf(place.at('other/a_a.webp'))).toBe(hashOf(place.at('out/a_a.webp')));
    expect(sharedBy('out', 'other')).toBe(0);
    const before = readFileSync(place.at('out/a_a.webp'));
    copyFileSync(place.at('photos/a.jpg'), place.at('other/a_a.webp'));
    expect(readFileSync(place.at('out/a_a.webp'))).toEqual(before);
    expect(countsOf(await place.process())).toEqual({ unchanged: 2 });
  });

  it('each link the same image within themselves, whatever the number of jobs', async () => {
    for (const name of ['c', 'd', 'e']) putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
    await place.process('--jobs', '4');
    const second = await place.process('--out', 'other', '--jobs', '4');
    expect(countsOf(second)).toEqual({ completed: 1, duplicate: 4 });
    expect(actionsOf(second).sort()).toEqual([
      'copied,copied',
      ...Array.from({ length: 4 }, () => 'linked,linked'),
    ]);
    expect([new Set(inodesIn('out')).size, new Set(inodesIn('other')).size]).toEqual([2, 2]);
  });

  it('share nothing when one is in the other', async () => {
    await place.process('--out', 'site/blog');
    const outer = await place.process('--out', 'site', '--name', '{name}_{variant}.{ext}');
    expect(outer.code).toBe(0);
    const inner = new Set(inodesIn('site/blog'));
    const others = place.files('site').filter((name) => !name.startsWith('blog'));
    expect(others).toHaveLength(4);
    expect(others.filter((name) => inner.has(inodeOf(place.at('site', name))))).toEqual([]);
  });

  it('share nothing after one was renamed, and its outputs are not rendered again', async () => {
    await place.process();
    renameSync(place.at('out'), place.at('renamed'));
    const moved = await place.process('--out', 'renamed');
    expect(jobsOf(moved).map(({ ms }) => ms?.decode)).toEqual([0, 0]);
    expect(new Set(inodesIn('renamed')).size).toBe(2);
    putOld(place.at('photos/c.jpg'), await picture({ seed: 1 }));
    expect(jobOf(await place.process('--out', 'renamed'), 'photos/c.jpg')).toMatchObject({
      state: 'duplicate',
      outputs: [{ action: 'linked' }, { action: 'linked' }],
    });
    const back = await place.process();
    expect(jobsOf(back).map(({ ms }) => ms?.decode)).toEqual([0, 0, 0]);
    expect(sharedBy('out', 'renamed')).toBe(0);
  });

  it('are counted as copied in the summary', async () => {
    await place.process();
    const args = ['process', '--variant', 'a:w=40', '--variant', 'b:w=20', 'photos', '--out', 'other'];
    expect((await place.run(args)).stderr).toMatch(/outputs=4 \(2 linked, 2 copied\)/);
  });
});

it('an output of which an older index does not say whether links to it are wanted is copied', async () => {
  await place.process();
  makeOlder(place.index, 11);
  putOld(place.at('photos/c.jpg'), await picture({ seed: 1 }));
  expect(actionsOf(await place.process()).sort()).toEqual(['copied,copied', 'kept,kept', 'kept,kept']);
});

describe('an output made with --duplicates copy', () => {
  it('stays a file of its own in later runs, in its folder and in others', async () => {
    await place.process('--duplicates', 'copy');
    const before = new Set(inodesIn('out'));
    putOld(place.at('photos/c.jpg'), await picture({ seed: 1 }));
    expect(actionsOf(await place.process()).sort()).toEqual(['copied,copied', 'kept,kept', 'kept,kept']);
    await place.process('--out', 'other');
    expect([before.size, new Set(inodesIn('out')).size, sharedBy('out', 'other')]).toEqual([4, 6, 0]);
    writeFileSync(place.at('out/a_a.webp'), 'edited');
    for (const name of ['out/b_a.webp', 'out/c_a.webp', 'other/a_a.webp']) {
      expect(readFileSync(place.at(name), 'latin1').startsWith('RIFF')).toBe(true);
    }
  });

  it('leaves later outputs free to be links to each other', async () => {
    await place.process('--duplicates', 'copy');
    for (const name of ['c', 'd']) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
      await place.process();
    }
    const inodes = ['a', 'b', 'c', 'd'].map((name) => statSync(place.at(`out/${name}_a.webp`)).ino);
    expect([new Set(inodes).size, inodes[2]]).toEqual([3, inodes[3]]);
  });

  it('stays a file of its own after its project was moved', async () => {
    await place.process('--duplicates', 'copy');
    renameSync(place.at('out'), place.at('renamed'));
    await place.process('--out', 'renamed');
    putOld(place.at('photos/c.jpg'), await picture({ seed: 1 }));
    await place.process('--out', 'renamed');
    expect(new Set(inodesIn('renamed')).size).toBe(6);
  });
});
