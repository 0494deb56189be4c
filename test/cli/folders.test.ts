import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { jobOf, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
});

describe('a folder that the system refuses to create in an existing folder', () => {
  const NOWHERE = '/proc/imgtool/deep';
  const isThere = existsSync('/proc/self');
  if (!isThere) console.warn('not tried, since there is no /proc here: folders that cannot be made');

  it.skipIf(!isThere)('cannot hold outputs, and the error says so', async () => {
    const { code, stdout, stderr } = await place.process('--out', NOWHERE);
    expect(code).toBe(3);
    expect(stdout + stderr).toMatch(/\/proc.*: no files can be kept there/);
    expect(stdout + stderr).toContain('choose another --out');
  });

  it.skipIf(!isThere)('cannot hold an index, and the error says so', async () => {
    const { code, stderr } = await place.process('--index', `${NOWHERE}/index.db`);
    expect([code, stderr.match(/error:/g)], stderr).toEqual([3, ['error:']]);
    expect(stderr).toContain('--index');
  });
});

it('a file at the path of an output folder fails only the outputs of that folder, with a fix', async () => {
  putOld(place.at('photos/sub/b.jpg'), await picture({ seed: 2 }));
  place.put('out/sub', 'a note');
  const outcome = await place.process();
  expect(jobOf(outcome, 'photos/a.jpg').state).toBe('completed');
  expect(jobOf(outcome, 'photos/sub/b.jpg')).toMatchObject({
    ...{ state: 'failed', error: { code: 'io', fix: expect.stringContaining('--out') } },
  });
});
