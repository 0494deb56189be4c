import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place, SMALL } from '../cli/imgtool.ts';
import { difference, picture, putOld } from '../cli/pictures.ts';
import { ALONE, startWatch, stop } from '../cli/watching.ts';

/** The public name of a picture that another picture replaces, twenty times each way. */

const ROUNDS = Array.from({ length: 20 }, (_, round) => round);

let place: Place;
beforeEach(() => {
  place = openPlace();
});

/** The ways in which one picture replaces another: both paths, and the removal. */
interface Replacement {
  readonly old: string;
  readonly fresh: string;
  readonly removed: string;
  readonly output: string;
}

const REPLACEMENTS: Readonly<Record<string, Replacement>> = {
  'another extension': {
    old: 'photos/logo.png',
    fresh: 'photos/logo.jpg',
    removed: 'photos/logo.png',
    output: 'logo_a.webp',
  },
  'another case': {
    old: 'photos/Team.jpg',
    fresh: 'photos/team.jpg',
    removed: 'photos/Team.jpg',
    output: 'team_a.webp',
  },
  'a new release folder': {
    old: 'photos/1/logo.jpg',
    fresh: 'photos/2/logo.jpg',
    removed: 'photos/1',
    output: 'logo_a.webp',
  },
};

const FLAT = ['--name', '{name}_{variant}.{ext}'];

async function put(path: string, seed: number): Promise<void> {
  putOld(place.at(path), await picture({ seed, format: path.endsWith('png') ? 'png' : 'jpeg' }));
}

async function expectToShow(output: string, source: string): Promise<void> {
  expect(await difference(place.at('out', output), place.at(source))).toBeLessThan(20);
  expect(place.files('out')).toHaveLength(2);
}

describe.each(Object.entries(REPLACEMENTS))(
  'the plain name after %s',
  (_, { old, fresh, removed, output }) => {
    for (const force of [[], ['--force']]) {
      it.each(ROUNDS)(`shows the new picture after process ${force.join('')}, round %i`, async (round) => {
        await put(old, 2 * round);
        await place.process(...FLAT);
        rmSync(place.at(removed), { recursive: true });
        await put(fresh, 2 * round + 1);
        expect(countsOf(await place.process(...FLAT, ...force))).toEqual({ completed: 1 });
        await expectToShow(output, fresh);
      });
    }

    it.each(ROUNDS)('shows the new picture in a watch, round %i', async (round) => {
      await put(old, 2 * round);
      const session = startWatch(place, ...ALONE, ...FLAT);
      await session.jobs(1);
      rmSync(place.at(removed), { recursive: true });
      await put(fresh, 2 * round + 1);
      await session.jobs(2);
      await expectToShow(output, fresh);
      await stop(session);
    });

    for (const order of ['goes first', 'goes last']) {
      it.each(ROUNDS)(
        `is never missing with watch --mirror when the old one ${order}, round %i`,
        async (round) => {
          await put(old, 2 * round);
          const session = startWatch(place, ...ALONE, ...FLAT, '--mirror');
          await session.jobs(1);
          const path = place.at('out', output);
          // Names that differ only in case are one name. The old spelling is removed once the new one exists.
          const looks = lookFor(place.at('out', output.replace('team', 'Team')), path);
          if (order === 'goes first') rmSync(place.at(removed), { recursive: true });
          await put(fresh, 2 * round + 1);
          await session.jobs(2);
          if (order === 'goes last') {
            rmSync(place.at(removed), { recursive: true });
            await session.jobs(3);
          }
          expect(await looks.end()).toBe(0);
          await expectToShow(output, fresh);
          await stop(session);
        },
      );
    }
  },
);

/** Counts the moments when none of these names has a file. A replacement is checked after the name that it replaces. */
function lookFor(...paths: string[]): { end(): Promise<number> } {
  let missing = 0;
  let isOver = false;
  const looks = (async () => {
    while (!isOver) {
      if (!paths.some((path) => existsSync(path))) missing++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    async end() {
      isOver = true;
      await looks;
      return missing;
    },
  };
}

it.each(ROUNDS)('a picture on an unmounted disk keeps its name, round %i', async (round) => {
  const run = (...inputs: string[]) =>
    place.run(['process', '--json', ...SMALL, '--out', 'out', ...FLAT, ...inputs]);
  await put('disk/logo.jpg', 2 * round);
  await run('disk');
  rmSync(place.at('disk'), { recursive: true });
  mkdirSync(place.at('disk'));
  await put('photos/logo.jpg', 2 * round + 1);
  await run('photos');
  await put('disk/logo.jpg', 2 * round);
  expect(countsOf(await run('disk', 'photos'))).toEqual({ unchanged: 2 });
  expect(await difference(place.at('out/logo_a.webp'), place.at('disk/logo.jpg'))).toBeLessThan(20);
});
