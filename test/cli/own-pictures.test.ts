import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { hashOf, picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  mkdirSync(place.at('photos'));
  putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
});

const putOwn = async (seed: number) =>
  putOld(place.at('out/a_a.webp'), await picture({ seed, format: 'webp' }));
const refused = { state: 'failed', error: { code: 'output_is_source' } };

describe('a picture of the user in the place of an output, which a batch has processed', () => {
  beforeEach(async () => {
    await place.process();
    await putOwn(8);
    const args = ['process', '--json', '--out', 'elsewhere', '--variant', 'x:w=9', 'out/a_a.webp'];
    expect(countsOf(await place.run(args))).toEqual({ completed: 1 });
  });

  it('is not replaced, also if the user changes it later', async () => {
    await putOwn(9);
    const mine = hashOf(place.at('out/a_a.webp'));
    expect(jobOf(await place.process(), 'photos/a.jpg')).toMatchObject(refused);
    expect(hashOf(place.at('out/a_a.webp'))).toBe(mine);
  });

  it('is not replaced through a link to its folder', async () => {
    symlinkSync('out', place.at('link'));
    await place.process('--out', 'link');
    const mine = hashOf(place.at('out/a_a.webp'));
    expect(jobOf(await place.process('--out', 'link', '--force'), 'photos/a.jpg')).toMatchObject(refused);
    expect(hashOf(place.at('out/a_a.webp'))).toBe(mine);
  });

  it('leaves no trace once it was taken away and the output was made again', async () => {
    rmSync(place.at('out/a_a.webp'));
    expect(countsOf(await place.process())).toEqual({ completed: 1 });
    await putOwn(9);
    const again = await place.process();
    expect([again.code, countsOf(again)]).toEqual([0, { completed: 1 }]);
  });
});

describe('an edited output that is found through a link to its folder', () => {
  it.each([['link/a_a.webp'], ['link']])('is passed over as an output: %s', async (input) => {
    await place.process('--variant', 'a:w=40');
    await putOwn(8);
    symlinkSync('out', place.at('link'));
    const outcome = await place.run(['process', '--json', '--out', 'elsewhere', '--variant', 'x:w=9', input]);
    expect(finishedOf(outcome).passedOverBy).toEqual({ output: 1 });
  });
});
