import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../../src/adapters/sqlite/connection.ts';
import { openSqliteIndex } from '../../../../src/adapters/sqlite-index/index.ts';
import { repairSqliteIndex } from '../../../../src/adapters/sqlite-index/maintenance/repair.ts';
import { INDEX } from '../../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../../src/core/batch/names.ts';
import type { DeadRun } from '../../../../src/ports.ts';
import { makePlace } from '../../../place.ts';
import { countIn, fill, leavesOf, rootPageOf, spoil, zeroHeader } from '../filled.ts';

const COUNT = 2_000;
/** The jobs that the dead run of a filled index was working on. */
const TAKEN = [...Array(COUNT / 100).keys()].flatMap((i) =>
  ['a', 'b'].map((variant) => `/out/${i * 100}_${variant}.webp`),
);
const ALL = ['sources', 'outputs', 'batches', 'jobs'];

let path: string;
beforeEach(async () => {
  path = join(makePlace(), 'state', 'index.db');
  await fill(path, COUNT);
  mkdirSync(`${path}.runs`);
  writeFileSync(`${path}.runs/dead.lock`, '');
});

/** The folders that the next start cleans up. The start then leaves nothing of the dead run. */
async function foundByNext(): Promise<DeadRun[]> {
  const index = await openSqliteIndex(path, foldName);
  const dead = await index.dead();
  await index.recover(dead);
  expect(await index.dead()).toEqual([]);
  await index.close();
  expect([countIn(path, 'runs'), countIn(path, "jobs WHERE state = 'processing'")]).toEqual([0, 0]);
  expect(readdirSync(`${path}.runs`)).toEqual([]);
  return dead;
}

describe('the repair of an index with a dead run', () => {
  it.each([
    ['which is kept', 'jobs_by_state'],
    ['whose row is lost: its jobs name it', 'runs'],
  ])('leaves the dead run to the next start, %s', async (_what, spoiled) => {
    spoil(path, [rootPageOf(path, spoiled)]);
    const { saved, incomplete } = await repairSqliteIndex(path, foldName);
    expect([saved.jobs, incomplete]).toEqual([COUNT, []]);
    const [dead, ...others] = await foundByNext();
    expect([dead?.run, dead?.batch, others]).toEqual(['dead', 'bbbb', []]);
    expect([...(dead?.outputs ?? [])].sort()).toEqual([...TAKEN].sort());
  });

  it('makes the next start clean up every output folder if the jobs are lost too', async () => {
    spoil(path, [rootPageOf(path, 'runs'), rootPageOf(path, 'jobs')]);
    const { incomplete } = await repairSqliteIndex(path, foldName);
    expect(incomplete).toEqual(['jobs']);
    expect(await foundByNext()).toEqual([
      { run: 'dead', batch: '', outputs: [expect.stringMatching(/^\/out\//)] },
    ]);
  });

  it('leaves no lock file if nothing could be saved', async () => {
    zeroHeader(path);
    expect((await repairSqliteIndex(path, foldName)).incomplete).toEqual(ALL);
    expect(await foundByNext()).toEqual([{ run: 'dead', batch: '', outputs: [] }]);
  });

  it('names the tables that lost rows', async () => {
    const last = leavesOf(path).at(-1) ?? 0;
    spoil(path, [last]);
    const { saved, incomplete } = await repairSqliteIndex(path, foldName);
    const all = { sources: COUNT, outputs: 2 * COUNT, batches: 2, jobs: COUNT };
    const short = Object.entries(all).flatMap(([table, rows]) =>
      rows > saved[table as keyof typeof saved] ? [table] : [],
    );
    expect(short.length).toBeGreaterThan(0);
    expect(incomplete).toEqual(expect.arrayContaining(short));
    expect(incomplete.length).toBeLessThan(ALL.length);
  });
});

describe('a repair that was killed while it replaced the index', () => {
  const QUARANTINED = 'index.db.broken-20260101T000000Z';
  /** An index that was not closed, with many rows only in its log. */
  const crash = async () => {
    const { write, db, close } = await connect(INDEX, path);
    await write(() => db.exec("DELETE FROM jobs WHERE state = 'processing'"));
    const crashed = join(dirname(path), 'crashed', 'index.db');
    mkdirSync(dirname(crashed));
    copyFileSync(path, crashed);
    copyFileSync(`${path}-wal`, `${crashed}-wal`);
    close();
    path = crashed;
  };
  const quarantined = () => join(dirname(path), QUARANTINED);
  const brokenOnes = () => readdirSync(dirname(path)).filter((name) => name.includes('broken'));

  it.each([true, false])(
    'is repeated with the log that it had quarantined (damaged: %s)',
    async (isDamaged) => {
      await crash();
      if (isDamaged) spoil(path, [rootPageOf(path, 'outputs_by_bytes')]);
      linkSync(path, quarantined());
      linkSync(`${path}-wal`, `${quarantined()}-wal`);
      rmSync(`${path}-wal`);
      const { state, saved, movedTo } = await repairSqliteIndex(path, foldName);
      expect(state).toBe(isDamaged ? 'repaired' : 'healthy');
      if (isDamaged) expect([saved.outputs, saved.jobs]).toEqual([2 * COUNT, COUNT - COUNT / 100]);
      expect(countIn(path, 'jobs')).toBe(COUNT - COUNT / 100);
      const left = movedTo === null ? [] : [movedTo, `${movedTo}-wal`];
      expect(brokenOnes().map((name) => join(dirname(path), name))).toEqual(left);
    },
  );

  it('does not use that log for a database with newer writes', async () => {
    await crash();
    linkSync(path, quarantined());
    linkSync(`${path}-wal`, `${quarantined()}-wal`);
    rmSync(`${path}-wal`);
    await fillLater(path);
    const size = statSync(`${quarantined()}-wal`).size;
    expect(await repairSqliteIndex(path, foldName)).toMatchObject({ state: 'healthy' });
    expect(countIn(path, "jobs WHERE state = 'processing'")).toBe(COUNT / 100);
    expect(statSync(`${quarantined()}-wal`).size, 'the log is kept').toBe(size);
  });
});

/** What a process does that opens the index without its log. */
async function fillLater(path: string): Promise<void> {
  const { write, db, close } = await connect(INDEX, path);
  await write(() => db.exec('UPDATE sources SET seen_at = 2'));
  close();
}
