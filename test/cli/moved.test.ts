import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Event, ProfileEvent } from '../../src/model.ts';
import { countsOf, eventsOf, jobsOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { hashOf, makeOld, picture, putOld } from './pictures.ts';

/** Moves a project of sources, outputs and index as a whole. */

const COUNT = 12;

let place: Place;
beforeEach(async () => {
  place = openPlace();
  mkdirSync(place.at('old/photos/sub'), { recursive: true });
  for (let i = 0; i < COUNT; i++) {
    const folder = i % 3 === 0 ? 'photos/sub' : 'photos';
    putOld(place.at(`old/${folder}/${i}.jpg`), await picture({ seed: i }));
  }
});

const run = (folder: string, ...args: string[]): Promise<Outcome> => {
  const variants = args.includes('--variant') ? [] : SMALL;
  const given = ['process', '--json', '--profile', '--index', 'index.db', ...variants, ...args];
  return place.run(given, { cwd: place.at(folder) });
};

/** How many pictures were decoded, and how many outputs were encoded. */
function work(outcome: Outcome): unknown {
  const isProfile = (event: Event): event is ProfileEvent => event.type === 'profile';
  const { decode, encode } = eventsOf(outcome).find(isProfile)!.pictures;
  return { decoded: decode.calls, encoded: encode.calls };
}

const NOTHING = { decoded: 0, encoded: 0 };
const DONE = { decoded: COUNT, encoded: 2 * COUNT };

describe.each([
  ['in a folder of their own', ['--out', 'out', 'photos']],
  ['among the sources', ['--out', 'photos', 'photos']],
  ['around the sources', ['--out', '.', '.']],
])('with outputs %s', (_, args) => {
  it.each([
    ['moved', () => renameSync(place.at('old'), place.at('new'))],
    [
      'copied, with other times',
      () => {
        cpSync(place.at('old'), place.at('new'), { recursive: true });
        for (const name of place.files('new').filter((name) => name.endsWith('.jpg')))
          makeOld(place.at(`new/${name}`));
        rmSync(place.at('old'), { recursive: true });
      },
    ],
  ])('nothing is decoded or encoded, and the next run finds nothing to do: %s', async (__, move) => {
    expect(work(await run('old', ...args))).toEqual(DONE);
    move();
    const before = place.files('new').filter((name) => !name.startsWith('index.db'));
    const hashes = () => before.map((name) => hashOf(place.at(`new/${name}`)));
    const hashesBefore = hashes();
    const moved = await run('new', ...args);
    expect([moved.code, countsOf(moved), work(moved)]).toEqual([0, { completed: COUNT }, NOTHING]);
    expect(jobsOf(moved).every(({ reused }) => reused)).toBe(true);
    const again = await run('new', ...args);
    expect([again.code, countsOf(again), work(again)]).toEqual([0, { unchanged: COUNT }, NOTHING]);
    expect(place.files('new').filter((name) => !name.startsWith('index.db'))).toEqual(before);
    expect(hashes()).toEqual(hashesBefore);
  });

  it('outputs are rendered again if settings have changed since', async () => {
    await run('old', ...args);
    renameSync(place.at('old'), place.at('new'));
    const before = place.files('new').filter((name) => !name.startsWith('index.db'));
    const variants = ['--variant', 'a:w=40,q=30', '--variant', 'b:w=20'];
    const moved = await run('new', ...variants, ...args);
    expect([moved.code, countsOf(moved)]).toEqual([0, { completed: COUNT }]);
    expect(work(moved)).toEqual({ decoded: COUNT, encoded: COUNT });
    expect(place.files('new').filter((name) => !name.startsWith('index.db'))).toEqual(before);
    expect(countsOf(await run('new', ...variants, ...args))).toEqual({ unchanged: COUNT });
  });
});
