import { mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, jobsOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const NARROW = new URL('./narrow-names.js', import.meta.url).href;

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('out'));
});

/** Runs the binary where names in the output folder may have at most this many bytes. */
function runNarrow(longest: number, ...args: string[]): Promise<Outcome> {
  const env = {
    NODE_OPTIONS: `--import=${NARROW}`,
    TEST_NARROW: place.at('out'),
    TEST_LONGEST: `${longest}`,
  };
  return place.run(['process', '--json', ...SMALL, '--out', 'out', ...args, 'photos'], { env });
}

const outputsOf = (outcome: Outcome) =>
  jobsOf(outcome).flatMap(({ outputs = [] }) => outputs.map(({ path }) => path));
const longestIn = (paths: readonly string[]) =>
  Math.max(...paths.flatMap((path) => path.split('/')).map((name) => Buffer.byteLength(name)));

describe('a disk that allows names of 143 bytes', () => {
  it('gets names and folders that are cut to 143 bytes, the same ones in each run', async () => {
    const folder = 'é'.repeat(100);
    const names = ['short.jpg', `${'x'.repeat(200)}.jpg`, `${folder}/${'é'.repeat(90)}.jpg`];
    for (const [seed, name] of names.entries()) putOld(place.at('photos', name), await picture({ seed }));
    const first = await runNarrow(143);
    expect([first.code, countsOf(first)], first.stdout).toEqual([0, { completed: 3 }]);
    const paths = outputsOf(first);
    expect([paths.length, longestIn(paths)]).toEqual([6, 143]);
    expect(place.files('out').length).toBe(6);
    expect(paths.every((path) => /_[ab]\.webp$/.test(path))).toBe(true);
    const second = await runNarrow(143);
    expect([second.code, countsOf(second)]).toEqual([0, { unchanged: 3 }]);
    const dry = await runNarrow(143, '--dry-run', '--force');
    expect(
      jobsOf(dry)
        .flatMap(({ wouldWrite = [] }) => wouldWrite)
        .sort(),
    ).toEqual([...paths].sort());
  });

  it('keeps sources apart whose names are the same after the cut', async () => {
    const names = [`${'x'.repeat(180)}1.jpg`, `${'x'.repeat(180)}2.jpg`];
    for (const [seed, name] of names.entries()) putOld(place.at('photos', name), await picture({ seed }));
    const outcome = await runNarrow(143);
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 2 }]);
    expect([place.files('out').length, longestIn(place.files('out'))]).toEqual([4, 143]);
  });

  it('gets the same names when a batch is processed again with `retry`', async () => {
    const name = `${'x'.repeat(200)}.jpg`;
    place.put(`photos/${name}`, 'text');
    const first = await runNarrow(143);
    expect(jobOf(first, `photos/${name}`)).toMatchObject({ state: 'failed' });
    putOld(place.at('photos', name), await picture());
    const again = await place.run(['retry', jobsOf(first)[0]!.batch!, '--json']);
    expect([again.code, longestIn(outputsOf(again))]).toEqual([0, 143]);
  });
});

it('a template that leaves no room for a name fails with a fix', async () => {
  putOld(place.at('photos/a.jpg'), await picture());
  const outcome = await runNarrow(40, '--name', `${'t'.repeat(50)}/{name}_{variant}.{ext}`);
  expect(outcome.code).toBe(1);
  expect(jobOf(outcome, 'photos/a.jpg').error).toMatchObject({
    code: 'not_writable',
    message: expect.stringContaining('(ENAMETOOLONG)'),
    fix: 'the path or a name in it is too long: choose a shorter --out or --name',
  });
});

it('a character that the disk refuses in a name fails the image with a fix', async () => {
  putOld(place.at('photos/a:b.jpg'), await picture());
  putOld(place.at('photos/c.jpg'), await picture({ seed: 2 }));
  const env = {
    NODE_OPTIONS: `--import=${NARROW}`,
    ...{ TEST_NARROW: place.at('out'), TEST_REFUSED: ':' },
  };
  const outcome = await place.run(['process', ...SMALL, '--out', 'out', 'photos'], { env });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/error: photos\/a:b\.jpg: .* could not be written \(EINVAL\)\n/);
  expect(outcome.stderr).toContain(
    'fix: the disk may not allow a character in this name: rename the source, or choose another --out\n',
  );
  expect(place.files('out')).toEqual(['c_a.webp', 'c_b.webp']);
});

it('a listed path that is longer than any disk allows is a missing source with a fix', async () => {
  place.put('list', `${'x'.repeat(300)}.jpg\n`);
  const outcome = await place.process('--files-from', 'list');
  expect([outcome.code, jobsOf(outcome)[0]?.error]).toMatchObject([
    1,
    { code: 'source_missing', fix: 'check the path, or leave it out' },
  ]);
});
