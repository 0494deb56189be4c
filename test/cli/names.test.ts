import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, errorOf, jobOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, picture, printOf, putOld } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});
const put = async (name: string, seed: number, format: 'jpeg' | 'png' | 'webp' = 'jpeg') =>
  putOld(place.at(name), await picture({ seed, format }));
const tag = (relative: string) => `~${createHash('sha256').update(relative).digest('hex').slice(0, 8)}`;

describe('names of outputs', () => {
  const FLAT = ['--name', '{name}_{variant}.{ext}'];

  it('differ by the documented rule if a flat template makes them collide, the same every time', async () => {
    await put('photos/a/x.jpg', 1);
    await put('photos/b/x.jpg', 2);
    await put('photos/a/x.png', 3, 'png');
    const first = await place.process(...FLAT);
    expect(countsOf(first)).toEqual({ completed: 3 });
    const stems = { 'a/x.jpg': 'x', 'a/x.png': `x${tag('a/x.png')}`, 'b/x.jpg': `x${tag('b/x.jpg')}` };
    for (const [relative, stem] of Object.entries(stems)) {
      const paths = jobOf(first, `photos/${relative}`).outputs?.map(({ path }) => path);
      expect(paths).toEqual([`out/${stem}_a.webp`, `out/${stem}_b.webp`]);
      const shown = await difference(place.at(`out/${stem}_a.webp`), place.at('photos', relative));
      expect(shown).toBeLessThan(20);
    }
    expect(place.files('out')).toHaveLength(6);
    const second = await place.process(...FLAT);
    expect(countsOf(second)).toEqual({ unchanged: 3 });
    for (const { source, outputs } of jobsOf(first)) {
      const kept = outputs?.map((output) => ({ ...output, action: 'kept' }));
      expect(jobOf(second, source).outputs).toEqual(kept);
    }
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('that need a tag are counted and named in the summary, by a dry run too, and not for unchanged images', async () => {
    await put('photos/a/x.jpg', 1);
    await put('photos/b/x.jpg', 2);
    const args = ['process', 'photos', '--out', 'out', ...SMALL, ...FLAT];
    const note =
      'imgtool: 1 image has a tag in its names, because another image has the plain names ' +
      '(imgtool help naming): photos/b/x.jpg\n';
    const dry = await place.run([...args, '--dry-run']);
    expect(dry.stderr).toContain(note);
    const first = await place.run([...args, '--verbose']);
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining(note)]);
    expect(first.stderr.match(/completed .* tagged$/gm)).toEqual([
      expect.stringContaining('completed photos/b/x.jpg '),
    ]);
    const second = await place.process(...FLAT);
    expect(jobsOf(second).map(({ tagged }) => tagged)).toEqual([undefined, undefined]);
    await put('photos/c/x.jpg', 3);
    expect(jobOf(await place.process(...FLAT), 'photos/c/x.jpg').tagged).toBe(true);
    expect((await place.run(args)).stderr).not.toContain('tag in');
  });

  it('stay with their sources when a source that sorts before them is added later', async () => {
    await put('photos/b/x.jpg', 2);
    await place.process(...FLAT);
    await put('photos/a/x.jpg', 1);
    const second = await place.process(...FLAT);
    expect(countsOf(second)).toEqual({ completed: 1, unchanged: 1 });
    expect(jobOf(second, 'photos/a/x.jpg').outputs?.[0]?.path).toBe(`out/x${tag('a/x.jpg')}_a.webp`);
  });

  it('keep the structure of the tree by default', async () => {
    for (const [seed, name] of ['x.jpg', 'a/x.jpg', 'a/b/x.jpg'].entries()) await put(`photos/${name}`, seed);
    const outcome = await place.process('--variant', 'a:w=20');
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    expect(place.files('out')).toEqual(['a/b/x_a.webp', 'a/x_a.webp', 'x_a.webp']);
  });

  it('differ for sources that differ by case or extension only', async () => {
    await put('photos/x.jpg', 1);
    await put('photos/X.JPG', 2);
    await put('photos/x.png', 3, 'png');
    const outcome = await place.process();
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    const folded = place.files('out').map((name) => name.toLowerCase());
    expect(new Set(folded).size).toBe(6);
  });

  it('differ for two roots that hold the same paths', async () => {
    await put('one/x.jpg', 1);
    await put('two/x.jpg', 2);
    await put('three/x.jpg', 3);
    const args = ['process', '--json', ...SMALL, '--out', 'out', 'one', 'two', 'three'];
    const outcome = await place.run(args);
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    expect(place.files('out')).toHaveLength(6);
    expect(countsOf(await place.run(args))).toEqual({ unchanged: 3 });
  });
});

describe('an output', () => {
  const SAME_NAME = ['--name', '{dir}/{name}.{ext}', '--variant', 'a:w=50'];
  const refused = async (args: string[], source: string) => {
    const sources = sourcesOf(place, 'photos');
    for (const force of [[], ['--force']]) {
      const outcome = await place.run(['process', '--json', ...args, ...force]);
      expect(jobOf(outcome, source)).toMatchObject({ state: 'failed', error: { code: 'output_is_source' } });
      expect(jobOf(outcome, source).error?.fix).toMatch(/--out|--name/);
      expect(outcome.code).toBe(1);
      await assertInvariants(place, { sources, outcome, outs: [] });
    }
  };

  it('never replaces its own source', async () => {
    await put('photos/x.webp', 1, 'webp');
    await refused([...SAME_NAME, '--out', 'photos', 'photos'], 'photos/x.webp');
    await refused([...SAME_NAME, '--out', './photos/../photos', 'photos/x.webp'], 'photos/x.webp');
  });

  it('never replaces another source', async () => {
    await put('photos/x.jpg', 1);
    await put('photos/x.webp', 2, 'webp');
    await refused([...SAME_NAME, '--out', 'photos', 'photos'], 'photos/x.jpg');
  });

  it('never replaces a source of an earlier batch or below another root, even with --force', async () => {
    await put('other/x.jpg', 1);
    await put('photos/x.webp', 2, 'webp');
    const before = sourcesOf(place, 'photos', 'other');
    expect((await place.run(['process', 'photos', '--out', 'out', ...SMALL])).code).toBe(0);
    for (const inputs of [['other'], ['other', 'photos']]) {
      const forced = [
        '--json',
        '--force',
        '--out',
        'photos',
        '--name',
        '{name}.{ext}',
        '--variant',
        'a:w=50',
      ];
      const outcome = await place.run(['process', ...inputs, ...forced]);
      expect(jobOf(outcome, 'other/x.jpg').error?.code).toBe('output_is_source');
      await assertInvariants(place, { sources: before, outcome });
    }
  });

  it('can share its name with a source that differs by case', async () => {
    await put('photos/a.jpg', 1);
    expect((await place.process('--out', 'photos')).code).toBe(0);
    await put('photos/A_A.webp', 2, 'webp');
    expect(
      jobsOf(await place.process('--out', 'photos')).map(({ source, state }) => [source, state]),
    ).toEqual([
      ['photos/a.jpg', 'unchanged'],
      ['photos/A_A.webp', 'completed'],
    ]);
  });

  it('never replaces a source through a link to its folder', async () => {
    await put('photos/x.webp', 1, 'webp');
    symlinkSync('photos', place.at('linked'));
    const before = sourcesOf(place, 'photos');
    for (const force of [[], ['--force']]) {
      const outcome = await place.process(...SAME_NAME, '--out', 'linked', ...force);
      expect([outcome.code, errorOf(outcome).code]).toEqual([2, 'usage']);
      expect(outcome.stderr).toContain('is or holds photos under another path');
      expect(sourcesOf(place, 'photos')).toEqual(before);
    }
  });

  it('never replaces a hard link of its source', async () => {
    await put('photos/x.webp', 1, 'webp');
    mkdirSync(place.at('out'));
    linkSync(place.at('photos/x.webp'), place.at('out/x.webp'));
    await refused([...SAME_NAME, '--out', 'out', 'photos'], 'photos/x.webp');
    expect(printOf(place.at('out/x.webp'))).toBe(printOf(place.at('photos/x.webp')));
  });

  it('never replaces a source through a link at the name of the output', async () => {
    await put('photos/x.webp', 1, 'webp');
    mkdirSync(place.at('out'));
    symlinkSync('../photos/x.webp', place.at('out/x.webp'));
    const sources = sourcesOf(place, 'photos');
    for (const force of [[], ['--force']]) {
      const outcome = await place.process(...SAME_NAME, ...force);
      expect(jobOf(outcome, 'photos/x.webp').error?.code).toMatch(/^output_(exists|is_source)$/);
      await assertInvariants(place, { sources, outcome, outs: [] });
    }
  });

  it('replaces a file that the index does not know only with --force', async () => {
    await put('photos/x.jpg', 1);
    writeFileSync(place.put('out/x_a.webp', ''), 'not mine');
    const first = await place.process();
    const job = jobOf(first, 'photos/x.jpg');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'output_exists' } });
    expect(job.error?.fix).toContain('--force');
    expect(first.code).toBe(1);
    expect(place.files('out')).toEqual(['x_a.webp']);
    expect(readFileSync(place.at('out/x_a.webp'), 'utf8')).toBe('not mine');
    const forced = await place.process('--force');
    expect(countsOf(forced)).toEqual({ completed: 1 });
    expect(await difference(place.at('out/x_a.webp'), place.at('photos/x.jpg'))).toBeLessThan(20);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: forced });
  });

  it('never replaces a folder, even with --force', async () => {
    await put('photos/x.jpg', 1);
    place.put('out/x_a.webp/kept', 'kept');
    for (const force of [[], ['--force']]) {
      const outcome = await place.process(...force);
      expect(jobOf(outcome, 'photos/x.jpg').error?.code).toBe('output_exists');
    }
    expect(readFileSync(place.at('out/x_a.webp/kept'), 'utf8')).toBe('kept');
  });

  it('is no source of the next run if --out is inside the root, whether named or not', async () => {
    await put('photos/x.jpg', 1);
    const inside = ['--out', 'photos/out'];
    expect(countsOf(await place.process(...inside))).toEqual({ completed: 1 });
    expect(countsOf(await place.process(...inside))).toEqual({ unchanged: 1 });
    const named = await place.process(...inside, 'photos/out/x_a.webp', 'photos/out');
    expect(countsOf(named)).toEqual({ unchanged: 1 });
    expect(place.files('photos/out')).toEqual(['x_a.webp', 'x_b.webp']);
  });

  it('is no source of the next run if --out is the root itself', async () => {
    await put('photos/x.jpg', 1);
    const among = ['--out', 'photos'];
    expect(countsOf(await place.process(...among))).toEqual({ completed: 1 });
    const second = await place.process(...among);
    expect(countsOf(second)).toEqual({ unchanged: 1 });
    expect(place.files('photos')).toEqual(['x.jpg', 'x_a.webp', 'x_b.webp']);
  });
});
