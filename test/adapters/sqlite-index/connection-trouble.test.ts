import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/adapters/sqlite/connection.ts';
import { locksOf, REPAIR } from '../../../src/adapters/sqlite/locks.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';
import { makePlace } from '../../place.ts';
import { fill, rootPageOf, spoil } from './filled.ts';

/** An index that others use, that is damaged, or that is being repaired. */

const fresh = () => join(makePlace(), 'index.db');

describe('a busy index', () => {
  it('does not block the event loop during the wait', async () => {
    const path = fresh();
    const one = await connect(INDEX, path);
    const other = await connect(INDEX, path);
    one.db.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => {
      if (++ticks === 5) one.db.exec('COMMIT');
    }, 10);
    await other.write(() => other.db.exec("INSERT INTO runs SELECT 'x', id FROM batches"));
    clearInterval(ticking);
    expect(ticks).toBeGreaterThanOrEqual(5);
    one.close();
    other.close();
  });

  it('that stays busy causes an error with the possible reasons', async () => {
    const path = fresh();
    const one = await connect(INDEX, path);
    const other = await connect(INDEX, path, 'work', 100);
    one.db.exec('BEGIN IMMEDIATE');
    await expect(other.write(() => other.db.exec('DELETE FROM runs'))).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('another program'),
      fix: expect.stringContaining('run the same command again'),
    });
    one.db.exec('COMMIT');
    await other.write(() => other.db.exec('DELETE FROM runs'));
    one.close();
    other.close();
  });

  it('never blocks the event loop for longer than a few milliseconds at a time', async () => {
    const path = fresh();
    const one = await connect(INDEX, path);
    const other = await connect(INDEX, path);
    one.db.exec('BEGIN IMMEDIATE');
    const tries: number[] = [];
    const { timeout } = other.db.prepare<[], { timeout: number }>('PRAGMA busy_timeout').get() ?? {};
    expect(timeout).toBeLessThanOrEqual(5);
    const writing = other.write(() => tries.push(performance.now()));
    const turns = await turnsWithin(50);
    // A blocked loop would turn once or twice.
    expect(turns).toBeGreaterThan(4);
    expect(tries).toEqual([]);
    one.db.exec('COMMIT');
    await writing;
    expect(tries).toHaveLength(1);
    one.close();
    other.close();
  });
});

/** Counts the turns of the event loop within some milliseconds. */
async function turnsWithin(milliseconds: number): Promise<number> {
  let turns = 0;
  for (const since = performance.now(); performance.now() - since < milliseconds; turns++) await breathe();
  return turns;
}

describe('damage', () => {
  it('that a step finds is reported as damage, with the command that repairs it', async () => {
    const path = fresh();
    await fill(path, 300);
    const root = rootPageOf(path, 'outputs');
    // No page is in memory yet.
    const { read, prepare, close } = await connect(INDEX, path, 'look');
    spoil(path, [root]);
    await expect(read(() => prepare('SELECT count(*) FROM outputs NOT INDEXED').all())).rejects.toMatchObject(
      {
        code: 'index_unusable',
        message: expect.stringContaining('damaged'),
        fix: `imgtool doctor --repair --index ${path}`,
      },
    );
    close();
  });

  it('in a small index is found on opening for writing, not on opening for reading', async () => {
    const path = fresh();
    await fill(path, 300);
    spoil(path, [rootPageOf(path, 'outputs_by_bytes')]);
    await expect(connect(INDEX, path)).rejects.toMatchObject({ code: 'index_unusable' });
    (await connect(INDEX, path, 'look')).close();
  });

  it('is reported with a command that quotes the path for a shell', async () => {
    const path = join(makePlace(), "it's here", 'index.db');
    mkdirSync(dirname(path));
    writeFileSync(path, Buffer.alloc(5_000));
    const quoted = `'${path.replace("'", "'\\''")}'`;
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      fix: expect.stringContaining(`--index ${quoted}`),
    });
  });
});

describe('a run', () => {
  it('counts as alive if its lock exists and cannot be opened', async () => {
    const path = fresh();
    const { locks, close } = await connect(INDEX, path);
    // As for a user without permission, or a process without a free descriptor.
    mkdirSync(`${path}.runs/abcd.lock`, { recursive: true });
    expect([locks.isHeld('abcd'), locks.isHeld('gone')]).toEqual([true, false]);
    close();
  });
});

describe('an index that is being repaired', () => {
  it('cannot be opened until the repair has ended', async () => {
    const path = fresh();
    await fill(path, 10);
    const repair = locksOf(Sqlite, path, INDEX);
    repair.hold(REPAIR);
    for (const purpose of ['work', 'look'] as const) {
      await expect(connect(INDEX, path, purpose)).rejects.toMatchObject({
        code: 'index_unusable',
        message: expect.stringContaining('is being repaired'),
      });
    }
    repair.release(REPAIR);
    (await connect(INDEX, path)).close();
  });
});
