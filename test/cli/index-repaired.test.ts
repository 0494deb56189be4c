import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { rootPageOf, spoil, zeroHeader } from '../adapters/sqlite-index/filled.ts';
import { makeGate } from './gate.ts';
import { countsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { picture, putOld } from './pictures.ts';

const COUNT = 8;
let place: Place;
let sources: Sources;
beforeEach(async () => {
  place = openPlace();
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
  sources = sourcesOf(place, 'photos');
});

const locks = () => readdirSync(`${place.index}.runs`);
const text = (stdout: string) => stdout.replace(/\s+/g, ' ');

/** A batch that is killed in the middle, with a staged file. */
async function killBatch(): Promise<void> {
  const gate = makeGate(place, { free: 2 });
  const args = ['process', '--json', '--jobs', '1', ...SMALL, '--out', 'out', 'photos'];
  const session = place.start(args, gate);
  await session.jobs(2);
  await gate.held(session);
  session.signal('SIGKILL', 'group');
  await session.ended;
  // Otherwise the log would hide the damage.
  const db = keep(new Sqlite(place.index));
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const [lock = ''] = locks();
  place.put(`out/.imgtool-${lock.replace('.lock', '')}-0.tmp`, 'half a picture');
}

describe('after the repair of an index that a crash has damaged', () => {
  it.each([
    ['a look-up table', () => spoil(place.index, [rootPageOf(place.index, 'jobs_by_state')])],
    ['the runs', () => spoil(place.index, [rootPageOf(place.index, 'runs')])],
    [
      'the runs and jobs',
      () => spoil(place.index, [rootPageOf(place.index, 'runs'), rootPageOf(place.index, 'jobs')]),
    ],
  ])(
    'the next start removes the dead run’s staged files, even after the loss of %s',
    async (_what, damage) => {
      await killBatch();
      damage();
      const { code, stdout } = await place.run(['doctor', '--repair', '--json']);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { repair: { state: 'repaired' } }]);
      expect(locks()).toHaveLength(1);
      const again = await place.process();
      expect([again.code, Object.values(countsOf(again)).reduce((sum, n) => sum + n, 0)]).toEqual([0, COUNT]);
      expect(locks()).toEqual([]);
      await assertInvariants(place, { sources, outcome: again });
    },
  );
});

describe('a repair that saved nothing', () => {
  it('says so, and makes no promise about outputs among the sources', async () => {
    await place.process('--out', 'photos');
    zeroHeader(place.index);
    const { code, stdout } = await place.run(['doctor', '--repair']);
    expect([code, text(stdout)]).toEqual([0, expect.stringContaining('Nothing could be saved')]);
    expect(text(stdout)).toContain('will be taken for pictures');
    expect(text(stdout)).toContain('0 outputs');
  });
});

describe('the fix that doctor names for a damaged index', () => {
  it('works when pasted into a shell, and doctor counts outputs as verify does', async () => {
    mkdirSync(place.at("it's here"));
    const index = place.at("it's here", 'index.db');
    await place.process('--index', index);
    const well = await place.run(['doctor', '--index', index]);
    expect(text(well.stdout)).toContain(`${COUNT} sources, ${2 * COUNT} outputs, 1 batch)`);
    const db = keep(new Sqlite(index));
    db.exec('UPDATE counts SET completed = 7');
    db.close();
    const { code, stdout } = await place.run(['doctor', '--index', index], { env: { COLUMNS: '400' } });
    const quoted = `'${index.replace("'", "'\\''")}'`;
    expect([code, stdout.replace(/\s+/g, '')]).toEqual([
      1,
      expect.stringContaining(`--repair --index ${quoted}`.replace(/\s+/g, '')),
    ]);
    expect(existsSync(index)).toBe(true);
  });
});
