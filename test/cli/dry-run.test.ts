import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countsOf, finishedOf, jobOf, jobsOf, type Outcome, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

describe('a dry run', () => {
  it('writes nothing and predicts what a run then does', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    putOld(place.at('photos/old.jpg'), await picture({ seed: 2 }));
    await place.process();
    putOld(place.at('photos/new.jpg'), await picture({ seed: 3 }));
    putOld(place.at('photos/new-copy.jpg'), await picture({ seed: 3 }));
    putOld(place.at('photos/a-copy.jpg'), await picture({ seed: 1 }));
    putOld(place.at('photos/old.jpg'), await picture({ seed: 4 }));
    putOld(place.at('photos/sub/a.jpg'), await picture({ seed: 5 }));
    place.put('photos/bad.jpg', 'text');
    const before = [place.files('.'), await batches(place)];
    const dry = await place.process('--dry-run');
    expect([place.files('.'), await batches(place)]).toEqual(before);
    // If two copies are in work at the same time, either can be read first.
    const wet = await place.process();
    const facts = (outcome: Outcome) =>
      Object.fromEntries(jobsOf(outcome).map(({ source, state }) => [source, state]));
    expect(facts(dry)).toEqual(facts(wet));
    expect([dry.code, finishedOf(dry).counts]).toEqual([wet.code, finishedOf(wet).counts]);
    expect(jobOf(dry, 'photos/a-copy.jpg').duplicateOf).toBe('photos/a.jpg');
    const again = await place.process('--dry-run');
    expect(countsOf(again)).toMatchObject({ unchanged: 6, failed: 1 });
  });

  it('makes no index, and neither do the commands that only look', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const index = ['--index', 'state/index.db'];
    const dry = await place.process('--dry-run', ...index);
    expect([dry.code, countsOf(dry)]).toEqual([0, { completed: 1 }]);
    const codes = [];
    for (const args of [['list'], ['status', 'abc'], ['verify']]) {
      codes.push((await place.run([...args, ...index])).code);
    }
    expect([codes, place.files('.')]).toEqual([[2, 2, 2], ['photos/a.jpg']]);
  });

  it('predicts a conflict with a file that imgtool did not make', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    place.put('out/a_a.webp', 'not mine');
    const dry = await place.process('--dry-run');
    expect([dry.code, jobOf(dry, 'photos/a.jpg')]).toMatchObject([
      1,
      { state: 'failed', would: 'refuse', error: { code: 'output_exists' } },
    ]);
    expect(jobOf(await place.process('--dry-run', '--force'), 'photos/a.jpg').state).toBe('completed');
  });

  it('takes names that differ only by case or by the form of an accent as one name, as a run does', async () => {
    const place = openPlace();
    for (const [seed, name] of ['e', 'E', 'x\u00e9', 'xe\u0301'].entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed }));
    }
    const dry = await place.process('--dry-run');
    const foretold = jobsOf(dry).flatMap(({ wouldWrite }) => wouldWrite ?? []);
    expect(foretold.filter((path) => path.includes('~'))).toHaveLength(4);
    await place.process();
    expect(foretold.map((path) => path.slice('out/'.length)).sort()).toEqual(place.files('out'));
  });

  it('names the files it would write', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const dry = await place.process('--dry-run');
    expect(jobOf(dry, 'photos/a.jpg')).toMatchObject({
      would: 'render',
      wouldWrite: ['out/a_a.webp', 'out/a_b.webp'],
    });
  });

  it.each(['link', 'copy', 'skip'])(
    'predicts as many outputs of copies as a run makes with --duplicates %s',
    async (way) => {
      const place = openPlace();
      for (const name of ['a', 'b', 'c']) putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 1 }));
      const dry = await place.process('--dry-run', '--duplicates', way);
      const foretold = jobsOf(dry).flatMap(({ wouldWrite }) => wouldWrite ?? []);
      await place.process('--duplicates', way);
      const made = readdirSync(place.at('out'));
      expect(foretold.length).toBe(made.length);
      expect(made).toHaveLength(way === 'skip' ? 2 : 6);
    },
  );

  it('detects an output folder that is not writable', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    writeFileSync(place.at('file'), '');
    const { code, stderr } = await place.run(['process', 'photos', '--out', 'file/out', '--dry-run']);
    expect(code).toBe(3);
    expect(stderr).toContain('is a file, and outputs need a folder there');
  });

  async function batches(place: Place): Promise<string> {
    return (await place.run(['list', '--json'])).stdout;
  }
});
