import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { hashOf, noise, picture, putOld } from './pictures.ts';
import { busyChildOf, canSee } from './processes.ts';
import { readIndex } from './recorded.ts';

/** A source that is not any more what is being rendered of it. */

const SLOW = 'photos/0.jpg';
const ARGS = [
  'process',
  '--json',
  '--jobs',
  '2',
  '--variant',
  'a:w=3000,format=avif,effort=3',
  '--out',
  'out',
];

let place: Place;
let other: Buffer;
beforeEach(async () => {
  place = openPlace();
  other = await picture({ seed: 5 });
  putOld(place.at(SLOW), await noise(1700, 1200));
  putOld(place.at('photos/1.jpg'), await picture({ seed: 1 }));
});

/** Each output recorded was made from the bytes recorded with it, and those are its source's. */
function assertOfItsSource(): void {
  for (const { source, digest, checksum } of readIndex(place.index).outputs) {
    if (checksum !== null) expect(digest, source).toBe(hashOf(source));
  }
}

describe.skipIf(!canSee)('in the midst of being rendered (seen in /proc)', () => {
  it.each([
    ['written over', () => writeFileSync(place.at(SLOW), other)],
    [
      'replaced by another file',
      () => {
        writeFileSync(place.at('new'), other);
        renameSync(place.at('new'), place.at(SLOW));
      },
    ],
    ['made longer', () => appendFileSync(place.at(SLOW), 'and more')],
  ] as const)('a source that is %s is rendered anew', async (_, change) => {
    const session = place.start([...ARGS, 'photos']);
    await busyChildOf(session.pid);
    change();
    expect(await session.event('job.retrying')).toMatchObject({
      ...{ source: SLOW, error: { code: 'source_changed' } },
    });
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
    expect(jobOf(outcome, SLOW)).toMatchObject({ attempts: 2, digest: hashOf(place.at(SLOW)) });
    assertOfItsSource();
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it.each([
    ['cut short', 'corrupt', () => truncateSync(place.at(SLOW), 5_000)],
    ['emptied', 'not_an_image', () => truncateSync(place.at(SLOW))],
    ['removed', 'source_missing', () => rmSync(place.at(SLOW))],
  ] as const)('a source that is %s has failed with %s, and has no output', async (_, code, change) => {
    const session = place.start([...ARGS, 'photos']);
    await busyChildOf(session.pid);
    change();
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 1, failed: 1 }]);
    expect(jobOf(outcome, SLOW)).toMatchObject({ state: 'failed', error: { code } });
    expect(place.files('out')).toEqual(['1_a.avif']);
    assertOfItsSource();
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });
});
