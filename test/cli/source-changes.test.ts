import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { countsOf, jobOf, openPlace, type Place, type Session } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, hashOf, makeOld, picture, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';

/** A source that changes while it is being rendered. */

const FIRST = 'photos/0.jpg';
const BATCH = ['process', '--json', '--jobs', '1', '--variant', 'a:w=40', '--out', 'out', 'photos'];

let place: Place;
let other: Buffer;
beforeEach(async () => {
  place = openPlace();
  other = await picture({ seed: 5 });
  putOld(place.at(FIRST), await picture({ width: 1700, height: 1200 }));
  putOld(place.at('photos/1.jpg'), await picture({ seed: 1 }));
});

/** Checks that each recorded output comes from the recorded bytes, and that the source has those bytes. */
function assertOfItsSource(): void {
  for (const { source, digest, checksum } of readIndex(place.index).outputs) {
    if (checksum !== null) expect(digest, source).toBe(hashOf(source));
  }
}

/** A batch whose first picture is encoded. An action happens before the output is written. */
async function changedMeanwhile(change: () => void): Promise<Session> {
  const gate = makeGate(place, { before: 'out/', free: 0 });
  const session = place.start(BATCH, gate);
  await gate.held(session);
  change();
  gate.open();
  return session;
}

describe('during its rendering', () => {
  it.each([
    ['written over', () => writeFileSync(place.at(FIRST), other)],
    [
      'replaced by another file',
      () => {
        writeFileSync(place.at('new'), other);
        renameSync(place.at('new'), place.at(FIRST));
      },
    ],
    ['made longer', () => appendFileSync(place.at(FIRST), 'and more')],
  ] as const)('a source that is %s is rendered again', async (_, change) => {
    const session = await changedMeanwhile(change);
    expect(await session.event('job.retrying')).toMatchObject({
      ...{ source: FIRST, error: { code: 'source_changed' } },
    });
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
    expect(jobOf(outcome, FIRST)).toMatchObject({ attempts: 2, digest: hashOf(place.at(FIRST)) });
    assertOfItsSource();
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it.each([
    ['cut short', 'corrupt', () => truncateSync(place.at(FIRST), 5_000)],
    ['emptied', 'not_an_image', () => truncateSync(place.at(FIRST))],
    ['removed', 'source_missing', () => rmSync(place.at(FIRST))],
  ] as const)('a source that is %s fails with %s and has no output', async (_, code, change) => {
    const session = await changedMeanwhile(change);
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 1, failed: 1 }]);
    expect(jobOf(outcome, FIRST)).toMatchObject({ state: 'failed', error: { code } });
    expect(place.files('out')).toEqual(['1_a.webp']);
    assertOfItsSource();
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });
});

describe.skipIf(process.platform === 'win32')('a source edited with the same size, time and inode', () => {
  it('is rendered again, unless ctimes are ignored', async () => {
    const path = place.at(FIRST);
    const [before, after] = [commented(other, 'one'), commented(other, 'two')];
    putOld(path, before);
    await place.process();
    writeFileSync(path, after, { flag: 'r+' });
    makeOld(path);
    expect(countsOf(await place.process('--ignore-ctime'))).toEqual({ unchanged: 2 });
    const outcome = await place.process();
    expect(countsOf(outcome)).toEqual({ completed: 1, unchanged: 1 });
    expect(jobOf(outcome, FIRST).digest).toBe(hashOf(path));
    assertOfItsSource();
    expect(countsOf(await place.process())).toEqual({ unchanged: 2 });
  });
});
