import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../../../src/adapters/sqlite/binding.ts';
import { connect } from '../../../../src/adapters/sqlite/connection.ts';
import { openSqliteIndex } from '../../../../src/adapters/sqlite-index/index.ts';
import { indexProblems } from '../../../../src/adapters/sqlite-index/maintenance/health.ts';
import { repairSqliteIndex } from '../../../../src/adapters/sqlite-index/maintenance/repair.ts';
import { INDEX, MIGRATIONS } from '../../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../../src/core/batch/names.ts';
import { makePlace } from '../../../place.ts';
import { batchOptions } from '../../../records.ts';
import { countIn, fill, leavesOf, look, pagesOf, rootPageOf, spoil, zeroHeader } from '../filled.ts';

const COUNT = 2_000;
let path: string;
beforeEach(() => {
  path = join(makePlace(), 'state', 'index.db');
});

/** Checks all conditions that hold for an index after any repair. */
async function assertRepaired(damaged: Buffer): Promise<Awaited<ReturnType<typeof repairSqliteIndex>>> {
  const repaired = await repairSqliteIndex(path, foldName);
  expect(repaired).toMatchObject({ state: 'repaired', index: path });
  expect(repaired.problems).not.toEqual([]);
  expect(repaired.movedTo).toMatch(/index\.db\.broken-\d{8}T\d{6}Z(-\d)?$/);
  expect(readFileSync(repaired.movedTo ?? '').equals(damaged), 'the old file is kept unchanged').toBe(true);
  expect(look(path, indexProblems)).toEqual([]);
  for (const table of ['sources', 'outputs', 'batches', 'jobs'] as const) {
    expect(countIn(path, table), `as many ${table} as it says`).toBe(repaired.saved[table]);
  }
  expect(countIn(path, 'claims')).toBe(0);
  const index = await openSqliteIndex(path, foldName);
  for (const { state } of await index.batches(10)) expect(state).not.toBe('running');
  // The next start does the same.
  await index.recover(await index.dead());
  await index.close();
  expect([countIn(path, 'runs'), countIn(path, "jobs WHERE state = 'processing'")]).toEqual([0, 0]);
  expect(readdirSync(dirname(path)).filter((name) => name.includes('.repair'))).toEqual([]);
  return repaired;
}

const damagedBy = (how: () => void): Buffer => {
  how();
  return readFileSync(path);
};

describe('the repair of a damaged index', () => {
  beforeEach(() => fill(path, COUNT));

  it('saves every row if only a look-up table is damaged', async () => {
    const damaged = damagedBy(() => spoil(path, [rootPageOf(path, 'outputs_by_source')]));
    const { saved } = await assertRepaired(damaged);
    expect(saved).toEqual({ sources: COUNT, outputs: 2 * COUNT, batches: 2, jobs: COUNT });
    const rows = look(path, (db) => keep(db.prepare('SELECT * FROM counts ORDER BY batch')).all());
    expect(rows).toMatchObject([
      {
        batch: 'aaaa',
        completed: COUNT - COUNT / 100,
        unchanged: 5,
        bytes_in: 77,
        bytes_out: 33,
        processing: 0,
      },
      { batch: 'bbbb', pending: COUNT / 100, processing: 0 },
    ]);
    const { state, finished_at } =
      look(path, (db) =>
        keep(db.prepare<[], Record<string, unknown>>("SELECT * FROM batches WHERE id = 'bbbb'")).get(),
      ) ?? {};
    expect([state, Number(finished_at) > 1]).toEqual(['interrupted', true]);
  });

  it.each([1, 2, 3, 4, 5])('saves the rows outside of pages with noise, seed %i', async (seed) => {
    const leaves = leavesOf(path).filter((page) => page > 20);
    const spoiled = [...Array(8).keys()].map(
      (i) => leaves[(seed * 7_919 + i * 104_729) % leaves.length] ?? 0,
    );
    const damaged = damagedBy(() => spoil(path, spoiled, seed));
    const { saved } = await assertRepaired(damaged);
    expect(saved.batches).toBe(2);
    // A page has about 12 to 30 rows.
    for (const [rows, all] of [
      [saved.sources, COUNT],
      [saved.outputs, 2 * COUNT],
      [saved.jobs, COUNT],
    ] as const) {
      expect(all - rows, `lost of ${all}`).toBeLessThanOrEqual(8 * 40);
    }
  });

  it.each([6, 7, 8])('gives an intact index even if inner pages are lost, seed %i', async (seed) => {
    const pages = pagesOf(path);
    const spoiled = [...Array(60).keys()].map((i) => 2 + ((seed * 7_919 + i * 104_729) % (pages - 2)));
    await assertRepaired(damagedBy(() => spoil(path, spoiled, seed)));
  });

  it('saves the remaining rows of a truncated file', async () => {
    const damaged = damagedBy(() => truncateSync(path, Math.floor(pagesOf(path) * 0.6) * 4096));
    const { saved } = await assertRepaired(damaged);
    expect(saved.outputs).toBeGreaterThan(COUNT / 2);
  });

  it.each([
    ['a header of zeros', () => zeroHeader(path)],
    ['nothing but zeros', () => writeFileSync(path, Buffer.alloc(40_960))],
    ['a text', () => writeFileSync(path, 'this is a shopping list and no database at all, however long')],
  ])('replaces %s with an empty index if runs have used it', async (_what, how) => {
    mkdirSync(`${path}.runs`, { recursive: true });
    const { saved } = await assertRepaired(damagedBy(how));
    expect(saved).toEqual({ sources: 0, outputs: 0, batches: 0, jobs: 0 });
  });

  it('leaves alone any file that never was an index', async () => {
    const photo = join(dirname(path), 'photo.jpg');
    writeFileSync(photo, Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Buffer.alloc(500, 'jfif')]));
    const before = readFileSync(photo);
    await expect(repairSqliteIndex(photo, foldName)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('no index of imgtool'),
    });
    expect(readFileSync(photo).equals(before)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith('photo'))).toEqual(['photo.jpg']);
  });

  it('saves the rows of an index of the first version', async () => {
    const old = join(dirname(path), 'old.db');
    const db = keep(new Sqlite(old));
    db.exec(MIGRATIONS[0] ?? '');
    db.exec('PRAGMA user_version = 1; PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL');
    for (const [table, order] of Object.entries({ batches: 0, jobs: 1, sources: 2, outputs: 3 })) {
      expect(order).toBeLessThan(4);
      const names = keep(db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck());
      const columns = names.all(table).join(', ');
      db.exec(`ATTACH '${path}' AS new`);
      db.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM new.${table}`);
      db.exec('DETACH new');
    }
    db.close();
    rmSync(path);
    copyFileSync(old, path);
    const damaged = damagedBy(() => spoil(path, [rootPageOf(path, 'jobs_by_state')]));
    const { saved } = await assertRepaired(damaged);
    expect(saved).toEqual({ sources: COUNT, outputs: 2 * COUNT, batches: 2, jobs: COUNT });
    expect(look(path, (one) => keep(one.prepare('PRAGMA user_version').pluck()).get())).toBe(
      MIGRATIONS.length,
    );
  });

  it('never reuses the name of an index that was quarantined before', async () => {
    const names = new Set<string | null>();
    for (let i = 0; i < 3; i++) {
      names.add((await assertRepaired(damagedBy(() => zeroHeader(path)))).movedTo);
      if (i === 0) await fill(path, 10);
    }
    expect(names.size).toBe(3);
    for (const name of names) expect(existsSync(name ?? '')).toBe(true);
  });

  it('includes the rows of the log, and lacks only those rows if the log is gone', async () => {
    const { write, db, close } = await connect(INDEX, path);
    await write(() => db.exec("DELETE FROM jobs WHERE state = 'processing'"));
    const crashed = join(dirname(path), 'crashed.db');
    copyFileSync(path, crashed);
    copyFileSync(`${path}-wal`, `${crashed}-wal`);
    close();
    path = crashed;
    spoil(path, [rootPageOf(path, 'outputs_by_bytes')]);
    const { saved, movedTo } = await repairSqliteIndex(path, foldName);
    expect([saved.outputs, saved.jobs]).toEqual([2 * COUNT, COUNT - COUNT / 100]);
    expect(existsSync(`${movedTo}-wal`)).toBe(true);
    expect(look(path, indexProblems)).toEqual([]);
  });
});

describe('a repair without need', () => {
  it('reports a healthy index and changes nothing', async () => {
    await fill(path, 50);
    const before = readFileSync(path);
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'healthy', movedTo: null });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => name.includes('broken'))).toEqual([]);
  });

  it('reports a missing or empty index and creates nothing', async () => {
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'absent' });
    expect(existsSync(path)).toBe(false);
    (await connect(INDEX, path)).close();
    writeFileSync(path, '');
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'healthy' });
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('corrects counts that differ from the jobs', async () => {
    await fill(path, 200);
    const { write, db, close } = await connect(INDEX, path);
    await write(() => db.exec("UPDATE counts SET completed = 7 WHERE batch = 'aaaa'"));
    close();
    const { problems } = await assertRepaired(readFileSync(path));
    expect(problems[0]).toContain('batch aaaa');
  });
});

describe('a repair that is refused', () => {
  it('names the batch whose run uses the index', async () => {
    const index = await openSqliteIndex(path, foldName);
    const work = { run: 'abcd', command: 'process', inputs: [], cwd: '/', options: batchOptions() } as const;
    const run = await index.begin(work);
    await expect(repairSqliteIndex(path, foldName)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining(run.batch),
    });
    await index.end(run, 'finished');
    await index.close();
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'healthy' });
  });

  it('leaves a newer index unchanged, even if it is damaged', async () => {
    await fill(path, 500);
    const db = keep(new Sqlite(path));
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    for (const how of [() => {}, () => truncateSync(path, 8_192)]) {
      const before = damagedBy(how);
      await expect(repairSqliteIndex(path, foldName)).rejects.toMatchObject({ code: 'index_newer' });
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  it('leaves the database of another program unchanged, and so does a start', async () => {
    (await connect(INDEX, path)).close();
    rmSync(path);
    const db = keep(new Sqlite(path));
    db.exec('CREATE TABLE recipes (x TEXT); INSERT INTO recipes VALUES (1)');
    db.close();
    const before = readFileSync(path);
    await expect(repairSqliteIndex(path, foldName)).rejects.toMatchObject({ code: 'index_unusable' });
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      message: expect.stringContaining('another program'),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
