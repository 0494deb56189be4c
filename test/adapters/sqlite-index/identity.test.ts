import { copyFileSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../../src/adapters/sqlite/connection.ts';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { indexProblems } from '../../../src/adapters/sqlite-index/maintenance/health.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import { makePlace } from '../../place.ts';
import { batchOptions } from '../../records.ts';
import { countIn, look } from './filled.ts';

let path: string;
let index: Connection;
beforeEach(async () => {
  path = join(makePlace(), 'index.db');
  index = await connect(INDEX, path);
});

const put = (name: string) =>
  index.db.exec(
    `INSERT INTO sources VALUES ('${name}', 1, '1', '1', 'x', 1, 1, 'jpeg', NULL, 1, NULL, NULL, NULL)`,
  );

const LOST: [string, () => void][] = [
  ['deleted', () => rmSync(path)],
  ['moved away', () => renameSync(path, `${path}.away`)],
  [
    'replaced by a copy',
    () => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
  ],
  ['left without its log', () => rmSync(`${path}-wal`)],
];

describe('an index file in use', () => {
  it.each(LOST)('that is %s makes the next step fail, both reads and writes', async (_what, lose) => {
    await index.write(() => put('/before'));
    lose();
    const missed = {
      code: 'index_unusable',
      message: expect.stringContaining('deleted or replaced'),
      fix: expect.stringContaining('same command'),
    };
    await expect(index.read(() => 1)).rejects.toMatchObject(missed);
    await expect(index.write(() => put('/after'))).rejects.toMatchObject(missed);
    await expect(index.write(() => put('/after'))).rejects.toMatchObject(missed);
    index.close();
  });

  it.each(LOST)('that is %s during a step makes the step fail', async (_what, lose) => {
    const step = index.write(() => {
      put('/during');
      lose();
    });
    await expect(step).rejects.toMatchObject({ code: 'index_unusable' });
    index.close();
  });

  it('that is moved away stays complete at its new path, and no new file uses its log', async () => {
    await index.write(() => put('/before'));
    renameSync(path, `${path}.away`);
    await expect(index.read(() => 1)).rejects.toThrow();
    expect(statSync(`${path}-wal`).size).toBe(0);
    index.close();
    expect([look(`${path}.away`, indexProblems), countIn(`${path}.away`, 'sources')]).toEqual([[], 1]);
    const next = await connect(INDEX, path);
    expect(next.db.prepare('SELECT count(*) FROM sources').pluck().get()).toBe(0);
    next.close();
  });

  it('that is deleted is not created again before its run has ended', async () => {
    index.close();
    const one = await openSqliteIndex(path, foldName);
    const work = { run: 'abcd', command: 'process', inputs: [], cwd: '/', options: batchOptions() } as const;
    await one.begin(work);
    rmSync(path);
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      message: expect.stringContaining('was deleted while'),
    });
    await one.close();
    (await connect(INDEX, path)).close();
  });

  it('that is replaced by a backup leaves the backup unchanged', async () => {
    await index.write(() => put('/first'));
    index.close();
    copyFileSync(path, `${path}.copy`);
    const backup = readFileSync(`${path}.copy`);
    index = await connect(INDEX, path);
    await index.write(() => put('/second'));
    renameSync(`${path}.copy`, path);
    await expect(index.write(() => put('/third'))).rejects.toThrow();
    index.close();
    expect(readFileSync(path).equals(backup)).toBe(true);
    const next = await connect(INDEX, path);
    expect(next.db.prepare('SELECT path FROM sources').pluck().all()).toEqual(['/first']);
    expect(indexProblems(next.db)).toEqual([]);
    next.close();
  });

  it('is one index under every name, and all connections see its runs as alive', async () => {
    const name = join(makePlace(), 'link.db');
    symlinkSync(path, name);
    const one = await openSqliteIndex(path, foldName);
    const other = await openSqliteIndex(name, foldName);
    const work = { run: 'abcd', command: 'process', inputs: [], cwd: '/', options: batchOptions() } as const;
    const run = await one.begin(work);
    expect(await other.dead()).toEqual([]);
    expect(await other.batch(run.batch)).toMatchObject({ state: 'running' });
    await one.end(run, 'finished');
    await one.close();
    await other.close();
    index.close();
  });
});
