import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { storeBeside } from '../../src/adapters/sqlite/file.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import { countsOf, errorOf, has, jobOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { allow, forbid, isForOthers, runAsNobody } from './nobody.ts';
import { commented, picture, putOld } from './pictures.ts';

/** Unwritable and unreadable files: an error comes before any work, or fails only the file that it concerns. */

const BATCH = ['process', '--json', ...SMALL, '--out', 'out', 'photos'];

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a', 'b', 'sub/c'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
});

const run = () => runAsNobody(place, BATCH);

/** The command is refused before any work, with one error and a fix. */
function assertRefused(outcome: Outcome, what: RegExp): void {
  const { code, stderr } = outcome;
  expect([code, errorOf(outcome).fix], stderr).toEqual([3, expect.any(String)]);
  expect(stderr).toMatch(what);
  expect(stderr.match(/error:/g)).toHaveLength(1);
  expect(stderr).toMatch(/fix: /);
  expect(stderr).not.toMatch(/\n\s+at |internal/);
}

async function assertAllDone(): Promise<void> {
  const sources = sourcesOf(place, 'photos');
  const outcome = await run();
  expect([outcome.code, place.files('out').length], outcome.stderr).toEqual([0, 6]);
  await assertInvariants(place, { sources, outcome });
}

describe.skipIf(!isForOthers)('without permission (root needs setpriv and a readable checkout)', () => {
  it('an output folder is refused before any work', async () => {
    mkdirSync(place.at('out'));
    forbid(place.at('out'), 0o555);
    assertRefused(await run(), /out.*may not be written/);
    const list = await runAsNobody(place, ['list', '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject({ batches: [] });
    allow(place.at('out'));
    await assertAllDone();
  });

  it('the records of uploads of another user are left out of a list', async () => {
    await assertAllDone();
    const store = storeBeside(place.index);
    await (await openSqliteStore(store)).close();
    forbid(store, 0o000);
    const { code, stdout, stderr } = await runAsNobody(place, ['list', '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ batches: [{ command: 'process' }] });
  });

  it('a folder in the output folder fails only the pictures that belong there', async () => {
    mkdirSync(place.at('out/sub'), { recursive: true });
    forbid(place.at('out/sub'), 0o555);
    const sources = sourcesOf(place, 'photos');
    const outcome = await run();
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 2, failed: 1 }]);
    expect(jobOf(outcome, 'photos/sub/c.jpg').error).toMatchObject({
      ...{ code: 'not_writable', fix: expect.any(String) },
    });
    await assertInvariants(place, { sources, outcome });
    allow(place.at('out/sub'));
    await assertAllDone();
  });

  it('an output that may not be read is of no use to a copy of its source, which is rendered for it', async () => {
    await run();
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 1 }));
    forbid(place.at('out/a_a.webp'), 0);
    const outcome = await runAsNobody(place, [...BATCH, '--duplicates', 'copy']);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { unchanged: 3, completed: 1 }]);
    expect(jobOf(outcome, 'photos/copy.jpg').outputs?.map(({ action }) => action)).toEqual([
      'rendered',
      'copied',
    ]);
    allow(place.at('out/a_a.webp'));
    const again = await runAsNobody(place, [...BATCH, '--duplicates', 'copy']);
    expect([again.code, place.files('out').length], again.stderr).toEqual([0, 8]);
  });

  it('a folder for the index is refused before any work', async () => {
    mkdirSync(dirname(place.index), { recursive: true });
    forbid(dirname(place.index), 0o555);
    assertRefused(await run(), /index\.db/);
    expect(existsSync(place.at('out'))).toBe(false);
    allow(dirname(place.index));
    await assertAllDone();
  });

  it.each([
    ['the file', 0o755],
    ['its folder too', 0o555],
  ])('an index of which %s is read-only is refused before any work', async (_, mode) => {
    await assertAllDone();
    putOld(place.at('photos/d.jpg'), await picture({ seed: 9 }));
    forbid(place.index, 0o444);
    forbid(dirname(place.index), mode);
    assertRefused(await run(), /index\.db/);
    expect(place.files('out')).toHaveLength(6);
  });

  it('a source fails alone', async () => {
    const sources = sourcesOf(place, 'photos');
    forbid(place.at('photos/b.jpg'), 0);
    const outcome = await run();
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 2, failed: 1 }]);
    expect(jobOf(outcome, 'photos/b.jpg').error).toMatchObject({
      ...{ code: 'source_unreadable', fix: expect.any(String) },
    });
    allow(place.at('photos/b.jpg'));
    await assertInvariants(place, { sources, outcome });
    await assertAllDone();
  });

  it('read-only sources in read-only folders suffice', async () => {
    const sources = sourcesOf(place, 'photos');
    for (const source of sources.keys()) forbid(source, 0o444);
    for (const folder of ['photos/sub', 'photos']) forbid(place.at(folder), 0o555);
    const outcome = await run();
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 3 }]);
    await assertInvariants(place, { sources, outcome });
  });
});

it.skipIf(!has('prlimit'))(
  'sixty-four open files are enough for hundreds of pictures (prlimit)',
  async () => {
    const count = 150;
    const one = await picture();
    for (let i = 0; i < count; i++) putOld(place.at(`many/${i}.jpg`), commented(one, `picture ${i}`));
    const args = ['process', '--json', '--jobs', '2', '--variant', 'a:w=20', '--out', 'out', 'many'];
    const outcome = await place.run(args, { before: ['prlimit', '--nofile=64'] });
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: count }]);
    expect(place.files('out')).toHaveLength(count);
  },
);
