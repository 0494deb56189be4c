import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  countsOf,
  finishedOf,
  jobOf,
  jobsOf,
  type Outcome,
  openPlace,
  type Place,
  SMALL,
} from './imgtool.ts';
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

  it('predicts a conflict with a folder that has the name of an output', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    mkdirSync(place.at('out/a_a.webp'), { recursive: true });
    const dry = await place.process('--dry-run');
    expect([dry.code, jobOf(dry, 'photos/a.jpg')]).toMatchObject([
      1,
      { state: 'failed', would: 'refuse', error: { code: 'output_exists' } },
    ]);
  });

  it('says of files that the index does not know that they stay if they have the same bytes', async () => {
    const place = openPlace();
    for (const seed of [1, 2]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    await place.process();
    rmSync(place.at('out/2_b.webp'));
    const fresh = ['--index', 'other.db'];
    const dry = await place.process('--dry-run', ...fresh);
    expect([dry.code, dry.stderr, jobOf(dry, 'photos/2.jpg')]).toMatchObject([
      0,
      '',
      { state: 'completed', would: 'render', wouldWrite: ['out/2_b.webp'], wouldKeep: ['out/2_a.webp'] },
    ]);
    const args = ['process', ...SMALL, '--out', 'out', ...fresh, 'photos'];
    const text = await place.run([...args, '--dry-run']);
    expect([text.code, text.stdout]).toEqual([0, 'out/2_b.webp\n']);
    expect(text.stderr).toContain(
      'imgtool: 3 outputs already exist, but the index does not know them: out/1_a.webp, out/1_b.webp, out/2_a.webp.' +
        ' Each stays if the bytes are the same as those of the new output; otherwise the image fails.\n',
    );
    expect(text.stderr).not.toMatch(/force|error/);
    const wet = await place.run(args);
    expect([wet.code, wet.stderr]).toEqual([0, expect.stringContaining('outputs=4 (1 rendered, 3 kept)')]);
  });

  it('names the files of others that --force would replace, as the run does', async () => {
    const place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    for (const name of ['a_a', 'a_b']) place.put(`out/${name}.webp`, 'not mine');
    const args = ['process', '-q', ...SMALL, '--out', 'out', '--force', 'photos'];
    const unknown = 'and as far as the index knows, imgtool did not make them';
    const fix = 'fix: leave out --force to keep such files\n';
    const dry = await place.run([...args, '--dry-run']);
    const would = `warning: out/a_a.webp, out/a_b.webp: would be replaced, ${unknown}\n`;
    expect([dry.code, dry.stderr]).toEqual([0, `imgtool: ${would}imgtool: ${fix}`]);
    const wet = await place.run(args);
    const were = `warning: out/a_a.webp, out/a_b.webp: were replaced, ${unknown}\n`;
    expect([wet.code, wet.stderr]).toEqual([0, `imgtool: ${were}imgtool: ${fix}`]);
    expect((await place.run(args)).stderr).toBe('');
    // A new index knows none of them, but no bytes are lost.
    expect((await place.run([...args, '--index', 'other.db'])).stderr).toBe('');
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
