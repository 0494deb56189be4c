import { renameSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { hashOf, picture, putOld } from './pictures.ts';

/** Enough for two jobs to collide: one reuses an output that the other replaces. */
const COUNT = 60;

describe('sources that exchanged their names', () => {
  let place: Place;
  /** The rendered bytes of each source: digest of the source to digest of the output. */
  let rendered: Map<string, string>;
  const source = (n: number) => `photos/${1000 + n}.jpg`;
  const rename = (from: number, to: number) => renameSync(place.at(source(from)), place.at(source(to)));
  const outputOf = (path: string) => path.replace('/photos/', '/out/').replace('.jpg', '_a.webp');
  beforeEach(async () => {
    place = openPlace();
    for (let n = 0; n < COUNT; n++) putOld(place.at(source(n)), await picture({ seed: n }));
    expect(countsOf(await place.process())).toEqual({ completed: COUNT });
    const sources = sourcesOf(place, 'photos');
    rendered = new Map([...sources].map(([path, digest]) => [digest, hashOf(outputOf(path))]));
  });

  async function assertOwnPictures(): Promise<void> {
    const sources = sourcesOf(place, 'photos');
    const outcome = await place.process('--jobs', '4');
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: sources.size }]);
    const wrong = [...sources].filter(([path, digest]) => {
      const before = rendered.get(digest);
      return before !== undefined && hashOf(outputOf(path)) !== before;
    });
    expect(wrong, 'sources whose output shows another picture').toEqual([]);
    await assertInvariants(place, { sources, outcome });
    expect(countsOf(await place.process())).toEqual({ unchanged: sources.size });
  }

  it('each get the outputs of their own picture if every name moved up by one', async () => {
    for (let n = COUNT - 1; n >= 0; n--) rename(n, n + 1);
    await assertOwnPictures();
  });

  it('each get the outputs of their own picture if pairs exchanged names', async () => {
    for (let n = 0; n < COUNT; n += 2) {
      rename(n, -1);
      rename(n + 1, n);
      rename(-1, n + 1);
    }
    await assertOwnPictures();
  });

  it('each get the outputs of their own picture if new pictures replaced every second one', async () => {
    for (let n = 0; n < COUNT; n += 2) {
      rename(n + 1, n + COUNT);
      rename(n, n + 1);
      putOld(place.at(source(n)), await picture({ seed: 5_000 + n }));
    }
    await assertOwnPictures();
  });
});
