import { copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { look } from '../adapters/sqlite-index/filled.ts';
import { makeGate } from './gate.ts';
import { countsOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, putOld } from './pictures.ts';
import { startWatch } from './watching.ts';

const COUNT = 16;
const BATCH = ['process', '--json', '--jobs', '2', '--variant', 'a:w=60', '--out', 'out', 'photos'];

let place: Place;
let sources: Sources;
beforeEach(async () => {
  place = openPlace();
  const one = await noise(120, 90);
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  sources = sourcesOf(place, 'photos');
});

const copyOver = () => {
  copyFileSync(place.index, `${place.index}.copy`);
  renameSync(`${place.index}.copy`, place.index);
};

describe('an index that is lost while a batch works with it', () => {
  it.each([
    ['deleted', () => rmSync(place.index)],
    ['replaced by a copy', copyOver],
    ['moved away', () => renameSync(place.index, `${place.index}.away`)],
    ['deleted with all beside it', () => rmSync(dirname(place.index), { recursive: true })],
  ])('because it was %s ends that batch, and the same command completes the work', async (_what, lose) => {
    const gate = makeGate(place, { free: 2 });
    const session = place.start(BATCH, gate);
    await session.jobs(2);
    await gate.held(session, 2);
    lose();
    gate.open();
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([3, null]);
    expect(outcome.stderr + outcome.stdout).toMatch(/was deleted or replaced while it was in use/);
    expect(outcome.stderr + outcome.stdout).toContain('run the same command again');
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    expect(jobsOf(outcome).length).toBeLessThan(COUNT);
    expect(place.files('out').filter((name) => name.includes('.imgtool-'))).toEqual([]);
    const again = await place.run(BATCH);
    expect(again.code, again.stderr).toBe(0);
    const { completed = 0, unchanged = 0, ...others } = countsOf(again);
    expect([others, completed + unchanged]).toEqual([{}, COUNT]);
    expect(place.files('out')).toHaveLength(COUNT);
    await assertInvariants(place, { sources, outcome: again });
  });

  it('contains every job that was reported as completed', async () => {
    const gate = makeGate(place, { free: 3 });
    const session = place.start(BATCH, gate);
    await session.jobs(3);
    await gate.held(session, 2);
    renameSync(place.index, `${place.index}.away`);
    gate.open();
    const outcome = await session.ended;
    const reported = jobsOf(outcome)
      .filter(({ state }) => state === 'completed')
      .map(({ source }) => source);
    expect(reported.length).toBeGreaterThanOrEqual(3);
    const recorded = look(`${place.index}.away`, (db) =>
      db
        .prepare<[], { given: string; path: string }>(
          "SELECT given, outputs.path FROM jobs JOIN outputs USING (source) WHERE state = 'completed'",
        )
        .all(),
    );
    expect(recorded.map(({ given }) => given)).toEqual(expect.arrayContaining(reported));
    for (const { path } of recorded) expect(existsSync(path)).toBe(true);
    const listed = await place.run(['list', '--json', '--index', `${place.index}.away`]);
    expect(listed.stdout).toContain('"state":"interrupted"');
  });
});

describe('a run whose lock is removed while it works', () => {
  it('ends at once, even while it has nothing to do, and the same command completes the work', async () => {
    const session = startWatch(place, '--scan-interval', '1h');
    await session.jobs(COUNT);
    rmSync(`${place.index}.runs`, { recursive: true });
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([3, null]);
    expect(outcome.stderr + outcome.stdout).toMatch(/is in use, and its lock was removed/);
    const again = await place.process();
    expect([again.code, countsOf(again)]).toEqual([0, { unchanged: COUNT }]);
    await assertInvariants(place, { sources, outcome: again });
  });
});

describe('a backup', () => {
  it('can be made while a batch runs, and can replace the index', async () => {
    const gate = makeGate(place, { free: 2 });
    const session = place.start(BATCH, gate);
    await session.jobs(2);
    await gate.held(session, 2);
    const saved = await place.run(['doctor', '--backup', 'copy.db', '--json']);
    expect([saved.code, saved.stderr]).toEqual([0, '']);
    expect(JSON.parse(saved.stdout)).toMatchObject({
      v: 1,
      backup: { index: place.index, file: place.at('copy.db'), batches: 1 },
    });
    gate.open();
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: COUNT }]);
    const rows = look(place.at('copy.db'), (db) =>
      keep(db.prepare('SELECT count(*) AS n, state FROM jobs GROUP BY state')).all(),
    );
    const [counts] = look(place.at('copy.db'), (db) =>
      keep(db.prepare<[], Record<string, number>>('SELECT * FROM counts')).all(),
    );
    for (const { n, state } of rows as { n: number; state: string }[]) expect(counts?.[state]).toBe(n);
    expect(look(place.at('copy.db'), (db) => keep(db.prepare('PRAGMA integrity_check').pluck()).get())).toBe(
      'ok',
    );
    copyFileSync(place.at('copy.db'), place.index);
    const again = await place.run(BATCH);
    expect(again.code, again.stderr).toBe(0);
    await assertInvariants(place, { sources, outcome: again });
  });

  it('overwrites nothing and requires an index', async () => {
    const none = await place.run(['doctor', '--backup', 'copy.db']);
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('there is no index yet')]);
    expect(none.stderr).toContain('fix: name the index of imgtool process or of imgtool serve with --index');
    expect([existsSync(place.index), existsSync(place.at('copy.db'))]).toEqual([false, false]);
    await place.process();
    place.put('copy.db', 'mine');
    const taken = await place.run(['doctor', '--backup', 'copy.db']);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringMatching(/exists already\nfix: /)]);
    expect(readFileSync(place.at('copy.db'), 'utf8')).toBe('mine');
    const both = await place.run(['doctor', '--repair', '--backup', 'other.db']);
    expect(both.code).toBe(2);
  });
});
