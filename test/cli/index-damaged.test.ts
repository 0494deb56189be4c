import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { leavesOf, rootPageOf, spoil, zeroHeader } from '../adapters/sqlite-index/filled.ts';
import { makeGate } from './gate.ts';
import { countsOf, errorOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { picture, printOf, putOld } from './pictures.ts';

const COUNT = 12;
let place: Place;
let sources: Sources;
let prints: () => Record<string, string>;
beforeEach(async () => {
  place = openPlace();
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
  sources = sourcesOf(place, 'photos');
  await place.process();
  prints = () => Object.fromEntries(place.files('out').map((name) => [name, printOf(place.at('out', name))]));
});

/** All kinds of damage that a start detects, among them a file that is not a database. */
const DAMAGE: [string, () => void][] = [
  ['cut in half', () => truncateSync(place.index, 4096 * 9)],
  ['with a header of zeros', () => zeroHeader(place.index)],
  ['with pages of noise', () => spoil(place.index, leavesOf(place.index).slice(2, 5))],
  ['with a look-up table of noise', () => spoil(place.index, [rootPageOf(place.index, 'outputs_by_source')])],
  ['of zeros', () => writeFileSync(place.index, Buffer.alloc(20_480))],
];

describe('an index', () => {
  it.each(DAMAGE)(
    '%s is detected before any work and repaired on request, and nothing is rendered again',
    async (_what, damage) => {
      const before = prints();
      damage();
      const damaged = readFileSync(place.index);
      const found = await place.process();
      expect([found.code, errorOf(found).code]).toEqual([3, 'index_unusable']);
      expect(found.stderr).toMatch(/error: .*index\.db: (the index is damaged|is no index)/);
      expect(found.stderr).toContain(`imgtool doctor --repair --index ${place.index}`);
      const looked = await place.run(['doctor']);
      expect([looked.code, looked.stdout.replace(/\s+/g, ' ')]).toEqual([
        1,
        expect.stringContaining('imgtool doctor --repair'),
      ]);
      expect(readFileSync(place.index).equals(damaged), 'the file is unchanged').toBe(true);

      const { code, stdout, stderr } = await place.run(['doctor', '--repair', '--json']);
      expect([code, stderr]).toEqual([0, '']);
      const { repair } = JSON.parse(stdout) as { repair: { state: string; movedTo: string } };
      expect(repair.state).toBe('repaired');
      expect(readFileSync(repair.movedTo).equals(damaged)).toBe(true);
      const again = await place.process();
      const { completed = 0, unchanged = 0, ...others } = countsOf(again);
      expect([again.code, others, completed + unchanged]).toEqual([0, {}, COUNT]);
      expect(prints()).toEqual(before);
      await assertInvariants(place, { sources, outcome: again });
      expect(countsOf(await place.process())).toEqual({ unchanged: COUNT });
    },
  );

  it('that is intact or absent needs no repair', async () => {
    const healthy = await place.run(['doctor', '--repair']);
    expect([healthy.code, healthy.stdout]).toEqual([0, expect.stringContaining('nothing needs repair')]);
    rmSync(place.index);
    const absent = await place.run(['doctor', '--repair']);
    expect([absent.code, absent.stdout]).toEqual([0, expect.stringContaining('nothing needs repair')]);
    expect(existsSync(place.index)).toBe(false);
  });

  it('without bytes counts as new', async () => {
    writeFileSync(place.index, '');
    const again = await place.process();
    expect([again.code, countsOf(again)]).toEqual([0, { completed: COUNT }]);
    await assertInvariants(place, { sources, outcome: again });
  });

  it('that lost its log is used or refused, and is rebuilt by the next run', async () => {
    const crashed = `${place.index}.crashed`;
    putOld(place.at('photos/new.jpg'), await picture({ seed: 100 }));
    const session = place.start([
      'process',
      '--json',
      '--variant',
      'a:w=40',
      '--variant',
      'b:w=20',
      '--out',
      'out',
      'photos',
    ]);
    await session.jobs(1);
    copyFileSync(place.index, crashed);
    await session.ended;
    rmSync(place.index);
    copyFileSync(crashed, place.index);
    if ((await place.process()).code === 3) await place.run(['doctor', '--repair']);
    const again = await place.process();
    expect([again.code, countsOf(again)]).toEqual([0, { unchanged: COUNT + 1 }]);
    await assertInvariants(place, { sources, outcome: again });
  });

  it('from a newer imgtool is refused with a clear message by every command, and never moved', async () => {
    const db = keep(new Sqlite(place.index));
    keep(db.prepare('PRAGMA user_version = 900')).run();
    db.close();
    const before = readFileSync(place.index);
    for (const args of [
      ['process', 'photos'],
      ['list'],
      ['status', 'abc'],
      ['doctor', '--repair'],
      ['doctor', '--backup', 'copy.db'],
    ]) {
      const { code, stderr } = await place.run(args);
      expect([code, stderr], args.join(' ')).toEqual([
        3,
        expect.stringMatching(/made by a newer imgtool[\s\S]*fix: update imgtool/),
      ]);
    }
    const looked = await place.run(['doctor']);
    expect([looked.code, looked.stdout.replace(/\s+/g, ' ')]).toEqual([
      1,
      expect.stringContaining('made by a newer imgtool'),
    ]);
    expect(readFileSync(place.index).equals(before)).toBe(true);
  });

  it('that is the database of another program is left alone', async () => {
    const other = place.at('recipes.db');
    const db = keep(new Sqlite(other));
    db.exec('CREATE TABLE recipes (name TEXT)');
    db.close();
    const before = readFileSync(other);
    for (const args of [
      ['process', 'photos'],
      ['list'],
      ['doctor', '--repair'],
      ['doctor', '--backup', 'copy.db'],
    ]) {
      const { code, stderr } = await place.run([...args, '--index', other]);
      expect([code, stderr], args.join(' ')).toEqual([3, expect.stringContaining('another program')]);
    }
    expect(readFileSync(other).equals(before)).toBe(true);
  });
});

describe('the repair of an index that is in use', () => {
  it('is refused and names the batch', async () => {
    for (const seed of [200, 201]) putOld(place.at(`more/${seed}.jpg`), await picture({ seed }));
    const gate = makeGate(place, { before: 'more' });
    const session = place.start(['process', '--json', '--jobs', '1', '--out', 'out', 'more'], gate);
    const { batch } = (await session.jobs(1))[0]!;
    await gate.held(session);
    const refused = await place.run(['doctor', '--repair']);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(`batch ${batch}`)]);
    gate.open();
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 2 }]);
  });
});
