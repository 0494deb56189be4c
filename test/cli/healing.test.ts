import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, hashOf, picture, printOf, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
  putOld(place.at('photos/b.jpg'), await picture({ seed: 2, width: 1500, height: 1000 }));
});
const prints = () =>
  Object.fromEntries(place.files('out').map((name) => [name, printOf(place.at('out', name))]));

describe('an index that was deleted', () => {
  const loseIndex = () => rmSync(dirname(place.index), { recursive: true });

  it('is rebuilt by adopting the existing outputs, and nothing is overwritten', async () => {
    await place.process('--preset', 'web');
    const before = prints();
    loseIndex();
    const second = await place.process('--preset', 'web');
    expect([countsOf(second), second.code]).toEqual([{ completed: 2 }, 0]);
    expect(prints()).toEqual(before);
    expect(countsOf(await place.process('--preset', 'web'))).toEqual({ unchanged: 2 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('is rebuilt if several presets were mixed and one output was rendered again', async () => {
    await place.process('--preset', 'web');
    await place.process('--preset', 'archive');
    await place.process('--preset', 'compat');
    await place.process('--variant', 'mid:w=700', '--variant', 'avif:w=60,format=avif');
    rmSync(place.at('out/b_medium.webp'));
    await place.process('--preset', 'web');
    const before = prints();
    loseIndex();
    const presets = [['archive'], ['compat'], ['web']].map(([name = '']) => ['--preset', name]);
    for (const args of [...presets, ['--variant', 'mid:w=700', '--variant', 'avif:w=60,format=avif']]) {
      const again = await place.process(...args);
      expect([again.code, finishedWithoutFailure(again.stdout)]).toEqual([0, true]);
    }
    expect(prints()).toEqual(before);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });

  it('is rebuilt for duplicates too', async () => {
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 1 }));
    await place.process();
    const before = prints();
    loseIndex();
    const second = await place.process();
    expect(countsOf(second)).toEqual({ completed: 2, duplicate: 1 });
    expect(prints()).toEqual(before);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  const finishedWithoutFailure = (stdout: string) => !stdout.includes('"state":"failed"');
});

describe('a changed source that has a copy', () => {
  it.each(['link', 'copy', 'skip'])('keeps the outputs of the copy with --duplicates %s', async (how) => {
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 1 }));
    const first = await place.process('--duplicates', how);
    const [owner, copy] =
      jobOf(first, 'photos/copy.jpg').state === 'duplicate' ? ['a', 'copy'] : ['copy', 'a'];
    const old = hashOf(place.at(`out/${owner}_a.webp`));
    putOld(place.at(`photos/${owner}.jpg`), await picture({ seed: 30 }));
    const second = await place.process('--duplicates', how);
    expect(second.code).toBe(0);
    expect(jobOf(second, `photos/${owner}.jpg`).state).toBe('completed');
    expect(hashOf(place.at(`out/${copy}_a.webp`))).toBe(old);
    expect(hashOf(place.at(`out/${owner}_a.webp`))).not.toBe(old);
    const shown = await difference(place.at(`out/${owner}_a.webp`), place.at(`photos/${owner}.jpg`));
    expect(shown).toBeLessThan(20);
    const third = await place.process('--duplicates', how);
    expect(countsOf(third)).toEqual({ unchanged: 3 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: third });
  });

  it('gives a skipped copy its own outputs when the owner is removed', async () => {
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 1 }));
    const first = await place.process('--duplicates', 'skip');
    const [owner, copy] =
      jobOf(first, 'photos/copy.jpg').state === 'duplicate' ? ['a', 'copy'] : ['copy', 'a'];
    rmSync(place.at(`photos/${owner}.jpg`));
    const second = await place.process('--duplicates', 'skip');
    expect([second.code, jobOf(second, `photos/${copy}.jpg`)]).toMatchObject([
      0,
      { state: 'completed', reused: true, ms: { decode: 0 } },
    ]);
    expect(place.files('out')).toContain(`${copy}_a.webp`);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });
});
