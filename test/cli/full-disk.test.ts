import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertFullAndBack, canMount, needed, onDisk, putFilling } from './disks.ts';
import { finishedOf, has, openPlace } from './imgtool.ts';
import { assertInvariants, assertTold, sourcesOf } from './invariants.ts';
import { noise, picture, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';

/** When a disk fills up, no output is partial and no report is wrong, and a later run completes the work. */

describe.skipIf(!canMount)('a disk that fills (needs to mount one)', () => {
  let bytes: number;
  beforeAll(async () => {
    bytes = await needed();
  });

  it.each([
    [0.1, 'resume'],
    [0.5, 'again'],
    [0.9, 'resume'],
  ] as const)('loses no outputs after %f of their bytes', async (share, how) => {
    const place = await putFilling();
    const size = Math.floor(bytes * share);
    await assertFullAndBack(place, onDisk(place.at('out'), `${size}`), onDisk(place.at('out'), '64m'), how);
  });

  it.each([
    ['160k', 'again'],
    ['400k', 'resume'],
  ] as const)('loses no records of an index on a disk of %s', async (size, how) => {
    const place = await putFilling();
    const folder = dirname(place.index);
    await assertFullAndBack(place, onDisk(folder, size), onDisk(folder, '64m'), how);
  });
});

it.skipIf(!has('prlimit'))(
  'a limit on the size of files has the same effect as a full disk (prlimit)',
  async () => {
    const place = openPlace();
    putOld(place.at('photos/large.jpg'), await noise(1200, 900));
    putOld(place.at('photos/small.jpg'), await picture());
    const sources = sourcesOf(place, 'photos');
    const args = ['process', '--json', '--variant', 'a:w=1200,format=png', '--out', 'out', 'photos'];
    const full = await place.run(args, { before: ['prlimit', '--fsize=2000000'] });
    expect([full.code, finishedOf(full).state], full.stderr).toEqual([3, 'interrupted']);
    expect(full.stderr).toMatch(/no space left.*\n.*fix: free some space/);
    expect(place.files('out')).not.toContain('large_a.png');
    const again = await place.run(['resume', '--json', finishedOf(full).batch]);
    expect([again.code, finishedOf(again).counts], again.stderr).toMatchObject([0, { completed: 2 }]);
    assertTold(full, readIndex(place.index));
    await assertInvariants(place, { sources, outcome: again });
  },
);
