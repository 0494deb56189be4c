import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, jobsOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, picture, putOld } from './pictures.ts';
import { ALONE, assertStopped, startWatch, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

const put = async (name: string, seed: number, format: 'jpeg' | 'png' = 'jpeg') =>
  putOld(place.at(name), await picture({ seed, format }));

/** The distance between the pixels of an output and of a source. */
const distance = (output: string, source: string) => difference(place.at('out', output), place.at(source));

async function expectToShow(output: string, source: string): Promise<void> {
  expect(await distance(output, source), `${output} shows ${source}`).toBeLessThan(20);
}

/** The reported outputs whose paths have a tag. */
const taggedOf = (outcome: Outcome): string[] =>
  jobsOf(outcome).flatMap(({ outputs = [] }) =>
    outputs.filter(({ path }) => path.includes('~')).map(({ path }) => path),
  );

describe('the plain name of a removed source', () => {
  const ways: [string, string[]][] = [
    ['process', []],
    ['process --force', ['--force']],
  ];
  it.each(ways)('passes to a new source with another extension: %s', async (_, args) => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    rmSync(place.at('photos/logo.png'));
    await put('photos/logo.jpg', 2);
    const outcome = await place.process(...args);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp']);
    await expectToShow('logo_a.webp', 'photos/logo.jpg');
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
    expect(countsOf(await place.process())).toEqual({ unchanged: 1 });
  });

  it.each(ways)('passes to a new source whose name differs in case: %s', async (_, args) => {
    await put('photos/Team.jpg', 1);
    await place.process();
    rmSync(place.at('photos/Team.jpg'));
    await put('photos/team.jpg', 2);
    expect(countsOf(await place.process(...args))).toEqual({ completed: 1 });
    // The previous spelling is the same name, so the output under it is replaced.
    expect(place.files('out')).toEqual(['team_a.webp', 'team_b.webp']);
    await expectToShow('team_a.webp', 'photos/team.jpg');
    expect(countsOf(await place.process())).toEqual({ unchanged: 1 });
  });

  it('passes to the same picture under a name that differs in case, without rendering it', async () => {
    await put('photos/Team.jpg', 1);
    await place.process();
    renameSync(place.at('photos/Team.jpg'), place.at('photos/team.jpg'));
    const outcome = await place.process();
    expect(jobOf(outcome, 'photos/team.jpg')).toMatchObject({ reused: true, ms: { decode: 0, encode: 0 } });
    expect(place.files('out')).toEqual(['team_a.webp', 'team_b.webp']);
    await expectToShow('team_a.webp', 'photos/team.jpg');
    const gone = ['Team_a.webp', 'Team_b.webp'].map((name) => `out/${name}`);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome, gone });
    expect(countsOf(await place.process())).toEqual({ unchanged: 1 });
  });

  it.each(ways)('passes to a picture in a new release folder: %s', async (_, args) => {
    const run = (folder: string, more: string[] = []) =>
      place.run(['process', '--json', ...SMALL, '--out', 'out', ...more, folder]);
    await put('releases/1/logo.png', 1, 'png');
    await put('releases/1/same.jpg', 3);
    await run('releases/1');
    await put('releases/2/logo.png', 2, 'png');
    await put('releases/2/same.jpg', 3);
    rmSync(place.at('releases/1'), { recursive: true });
    const outcome = await run('releases/2', args);
    expect(countsOf(outcome)).toEqual({ completed: 2 });
    expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp', 'same_a.webp', 'same_b.webp']);
    await expectToShow('logo_a.webp', 'releases/2/logo.png');
    await expectToShow('same_a.webp', 'releases/2/same.jpg');
    expect(countsOf(await run('releases/2'))).toEqual({ unchanged: 2 });
  });

  it('passes to one of two new sources, the first in the order of the walk', async () => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    rmSync(place.at('photos/logo.png'));
    await put('photos/logo.jpeg', 2);
    await put('photos/logo.jpg', 3);
    const outcome = await place.process();
    expect(countsOf(outcome)).toEqual({ completed: 2 });
    await expectToShow('logo_a.webp', 'photos/logo.jpeg');
    expect(jobOf(outcome, 'photos/logo.jpg').outputs?.[0]?.path).toMatch(/^out\/logo~[0-9a-f]{8}_a\.webp$/);
    expect(countsOf(await place.process())).toEqual({ unchanged: 2 });
  });

  it('stays reserved while the disk of the source is not mounted', async () => {
    await put('disk/logo.png', 1, 'png');
    const run = (...inputs: string[]) =>
      place.run(['process', '--json', ...SMALL, '--out', 'out', ...inputs]);
    await run('disk');
    rmSync(place.at('disk/logo.png'));
    await put('photos/logo.jpg', 2);
    const outcome = await run('photos');
    expect(jobOf(outcome, 'photos/logo.jpg').outputs?.[0]?.path).toMatch(/^out\/logo~/);
    await put('disk/logo.png', 1, 'png');
    expect(countsOf(await run('disk', 'photos'))).toEqual({ unchanged: 2 });
    await expectToShow('logo_a.webp', 'disk/logo.png');
  });

  it('is not returned when the source comes back', async () => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    rmSync(place.at('photos/logo.png'));
    await put('photos/logo.jpg', 2);
    await place.process();
    await put('photos/logo.png', 1, 'png');
    const outcome = await place.process();
    expect(jobOf(outcome, 'photos/logo.png').outputs?.[0]?.path).toMatch(/^out\/logo~/);
    await expectToShow('logo_a.webp', 'photos/logo.jpg');
    expect(countsOf(await place.process())).toEqual({ unchanged: 2 });
  });

  it('does not pass to a source that has a tagged name, even if that source changes', async () => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    await put('photos/logo.jpg', 2);
    const before = jobOf(await place.process(), 'photos/logo.jpg').outputs;
    rmSync(place.at('photos/logo.png'));
    expect(countsOf(await place.process())).toEqual({ unchanged: 1 });
    await put('photos/logo.jpg', 3);
    const after = await place.process();
    expect(jobOf(after, 'photos/logo.jpg').outputs?.map(({ path }) => path)).toEqual(
      before?.map(({ path }) => path),
    );
    expect(place.files('out')).toHaveLength(4);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: after });
  });

  it('is predicted by a dry run', async () => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    rmSync(place.at('photos/logo.png'));
    await put('photos/logo.jpg', 2);
    const outcome = await place.process('--dry-run');
    expect(jobOf(outcome, 'photos/logo.jpg').wouldWrite).toEqual(['out/logo_a.webp', 'out/logo_b.webp']);
    expect(countsOf(await place.process())).toEqual({ completed: 1 });
  });
});

describe('a watch', () => {
  it('passes the plain name of a removed picture to its replacement', async () => {
    await put('photos/logo.png', 1, 'png');
    const session = startWatch(place, ...ALONE);
    await session.jobs(1);
    rmSync(place.at('photos/logo.png'));
    await put('photos/logo.jpg', 2);
    await session.jobs(2);
    expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp']);
    await expectToShow('logo_a.webp', 'photos/logo.jpg');
    await assertStopped(place, await stop(session));
  });

  for (const order of ['the old picture goes first', 'the new picture comes first']) {
    it(`with --mirror keeps the public name at all times, and ends with the new picture, when ${order}`, async () => {
      await put('photos/logo.png', 1, 'png');
      const session = startWatch(place, ...ALONE, '--mirror');
      await session.jobs(1);
      let missing = 0;
      let isOver = false;
      const looks = (async () => {
        while (!isOver) {
          if (!existsSync(place.at('out/logo_a.webp'))) missing++;
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      if (order === 'the old picture goes first') {
        rmSync(place.at('photos/logo.png'));
        await put('photos/logo.jpg', 2);
        await session.jobs(2);
      } else {
        await put('photos/logo.jpg', 2);
        await session.jobs(2);
        expect(place.files('out')).toHaveLength(4);
        rmSync(place.at('photos/logo.png'));
        await session.jobs(3);
      }
      isOver = true;
      await looks;
      expect(missing).toBe(0);
      expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp']);
      await expectToShow('logo_a.webp', 'photos/logo.jpg');
      const outcome = await stop(session);
      await assertStopped(place, outcome, { gone: taggedOf(outcome) });
      expect(countsOf(await place.process())).toEqual({ unchanged: 1 });
    });
  }

  it('with --mirror gives a source its plain name at the start if the owner was removed earlier', async () => {
    await put('photos/logo.png', 1, 'png');
    await place.process();
    await put('photos/logo.jpg', 2);
    await place.process();
    rmSync(place.at('photos/logo.png'));
    const tagged = place.files('out').filter((name) => name.includes('~'));
    const session = startWatch(place, ...ALONE, '--mirror');
    const [job] = await session.jobs(1);
    expect(job).toMatchObject({ state: 'completed', reused: true, ms: { decode: 0, encode: 0 } });
    expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp']);
    await expectToShow('logo_a.webp', 'photos/logo.jpg');
    const gone = tagged.map((name) => `out/${name}`);
    await assertStopped(place, await stop(session), { gone });
  });
});
