import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import type { Index } from '../../../src/ports.ts';
import { makePlace } from '../../place.ts';
import { batchOptions, newJob } from '../../records.ts';

const NOTHING = { unchanged: 0, bytesIn: 0, bytesOut: 0 };

let path: string;
let index: Index;
beforeEach(async () => {
  path = join(makePlace(), 'index.db');
  index = await openSqliteIndex(path, foldName);
});
afterEach(() => index.close());

const begin = (run = '0abc') =>
  index.begin({ run, command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() });
const locks = () => readdirSync(`${path}.runs`);

describe('a run', () => {
  it('that cannot begin leaves no lock', async () => {
    rmSync(path);
    await expect(begin()).rejects.toMatchObject({ code: 'index_unusable' });
    expect(locks()).toEqual([]);
  });

  it('whose lock was removed gets an error at its next check', async () => {
    const run = await begin();
    expect(await index.isCancelAsked(run)).toBe(false);
    rmSync(`${path}.runs`, { recursive: true });
    await expect(index.isCancelAsked(run)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('its lock was removed'),
    });
  });

  it('whose lock was removed does not end a batch that another run has resumed', async () => {
    const run = await begin();
    await index.add(run, [newJob('a.jpg')], NOTHING);
    rmSync(`${path}.runs`, { recursive: true });
    const other = await openSqliteIndex(path, foldName);
    await other.recover(await other.dead());
    const again = { states: [], withdrawn: [], walk: false, options: batchOptions() };
    const second = await other.resume('0def', run.batch, again);
    await index.end(run, 'interrupted');
    expect(await other.batch(run.batch)).toMatchObject({ state: 'running' });
    await other.end(second.run, 'interrupted');
    expect((await other.batch(run.batch)).state).toBe('interrupted');
    await other.close();
  });

  it('that died before its row existed is cleaned up in every output folder, and its lock is removed', async () => {
    const jobs = ['a.jpg', 'sub/b.jpg', 'sub/c.jpg'].map((name) => newJob(name));
    const run = await begin();
    await index.add(run, jobs, NOTHING);
    await index.end(run, 'interrupted');
    mkdirSync(`${path}.runs`, { recursive: true });
    writeFileSync(`${path}.runs/0dead.lock`, '');
    const dead = await index.dead();
    expect(dead).toEqual([
      { run: '0dead', batch: '', outputs: ['/out/a.jpg_small.webp', '/out/sub/c.jpg_small.webp'] },
    ]);
    expect(await index.dead(), 'until it is recovered').toEqual(dead);
    await index.recover(dead);
    expect([await index.dead(), locks()]).toEqual([[], []]);
  });

  it('that died costs no search for waiting jobs, unless its batch was to be stopped', async () => {
    const statement = Object.getPrototypeOf(keep(keep(new Sqlite(':memory:')).prepare('SELECT 1')));
    for (const isAsked of [false, true]) {
      const run = await begin(isAsked ? '0b' : '0a');
      await index.add(run, [newJob('x')], NOTHING);
      if (isAsked) await index.askToCancel(run.batch);
      await index.close();
      index = await openSqliteIndex(path, foldName);
      const ran = vi.spyOn(statement, 'run');
      await index.recover(await index.dead());
      const cancelling = ran.mock.contexts.filter((one) =>
        /'cancelled', finished_at/.test(Object(one).source),
      );
      ran.mockRestore();
      expect(cancelling).toHaveLength(isAsked ? 1 : 0);
      expect((await index.batch(run.batch)).counts).toMatchObject({ cancelled: isAsked ? 1 : 0 });
    }
  });
});
