import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../../src/adapters/sqlite/connection.ts';
import { openSqliteIndex } from '../../../../src/adapters/sqlite-index/index.ts';
import {
  backUpSqliteIndex,
  indexProblems,
} from '../../../../src/adapters/sqlite-index/maintenance/health.ts';
import { INDEX } from '../../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../../src/core/batch/names.ts';
import { makePlace } from '../../../place.ts';
import { batchOptions, newJob } from '../../../records.ts';
import { countIn, fill, look, rootPageOf, spoil } from '../filled.ts';

let path: string;
let file: string;
const never = new AbortController().signal;
beforeEach(() => {
  path = join(makePlace(), 'state', 'index.db');
  file = join(dirname(path), 'copy.db');
});

describe('a backup of the index', () => {
  it('is one consistent file with everything, while a batch continues', async () => {
    await fill(path, 3_000);
    const index = await openSqliteIndex(path, foldName);
    const work = { run: 'abcd', command: 'process', inputs: [], cwd: '/', options: batchOptions() } as const;
    const run = await index.begin(work);
    await index.add(run, [newJob('before.jpg')], { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] });
    let saved = false;
    const saving = backUpSqliteIndex(path, file, never).finally(() => {
      saved = true;
    });
    let added = 0;
    for (; !saved || added < 5; added++) {
      await index.add(run, [newJob(`${added}.jpg`)], { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] });
      await breathe();
    }
    expect(await saving).toMatchObject({ index: path, file, sources: 3_000, outputs: 6_000, batches: 3 });
    expect(added).toBeGreaterThan(4);
    expect(look(file, indexProblems)).toEqual([]);
    expect(countIn(file, 'jobs')).toBeLessThan(3_000 + added);
    expect(countIn(file, 'outputs'), 'reserved names are no outputs').toBeGreaterThan(6_000);
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('copy.db'))).toEqual(['copy.db']);
    await index.end(run, 'cancelled');
    await index.close();
  });

  it('is a usable index in which no run is alive', async () => {
    const index = await openSqliteIndex(path, foldName);
    const work = { run: 'abcd', command: 'process', inputs: [], cwd: '/', options: batchOptions() } as const;
    const run = await index.begin(work);
    await index.add(run, [newJob('a.jpg')], { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] });
    await index.take(run, 1, 0);
    await backUpSqliteIndex(path, file, never);
    const restored = await openSqliteIndex(file, foldName);
    // Otherwise its staged files would be removed while it works.
    expect(await restored.dead()).toEqual([]);
    expect(await restored.batch(run.batch)).toMatchObject({ state: 'interrupted', counts: { pending: 1 } });
    await restored.close();
    await index.end(run, 'cancelled');
    await index.close();
  });

  it.skipIf(process.platform === 'win32')(
    'is at no moment open to those who cannot read the index',
    async () => {
      await fill(path, 3_000);
      const folder = dirname(path);
      const modes = new Set<number>();
      chmodSync(path, 0o600);
      let saved = false;
      const saving = backUpSqliteIndex(path, file, never).finally(() => {
        saved = true;
      });
      while (!saved) {
        const copies = readdirSync(folder).filter((name) => name.startsWith('copy.db'));
        for (const name of copies) modes.add(statSync(join(folder, name)).mode & 0o777);
        await breathe();
      }
      await saving;
      expect([...modes]).toEqual([0o600]);
    },
  );

  it('never replaces an existing file', async () => {
    (await connect(INDEX, path)).close();
    writeFileSync(file, 'mine');
    await expect(backUpSqliteIndex(path, file, never)).rejects.toMatchObject({
      code: 'usage',
      fix: expect.any(String),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await expect(backUpSqliteIndex(path, path, never)).rejects.toMatchObject({ code: 'usage' });
  });

  it('reports a missing index and creates nothing', async () => {
    const other = join(makePlace(), 'copy.db');
    await expect(backUpSqliteIndex(path, other, never)).rejects.toMatchObject({ code: 'index_unusable' });
    mkdirSync(dirname(path));
    writeFileSync(path, '');
    await expect(backUpSqliteIndex(path, other, never)).rejects.toMatchObject({ code: 'index_unusable' });
    expect([readdirSync(dirname(path)), readdirSync(dirname(other))]).toEqual([['index.db'], []]);
  });

  it('reports a missing folder with the advice to create it', async () => {
    (await connect(INDEX, path)).close();
    const lost = join(dirname(path), 'no', 'copy.db');
    await expect(backUpSqliteIndex(path, lost, never)).rejects.toMatchObject({ code: 'usage' });
  });

  it('is refused for a damaged index, because a copy would not help', async () => {
    await fill(path, 500);
    spoil(path, [rootPageOf(path, 'outputs_by_source')]);
    await expect(backUpSqliteIndex(path, file, never)).rejects.toMatchObject({
      code: 'index_unusable',
      fix: expect.stringContaining('--repair'),
    });
    expect(existsSync(file)).toBe(false);
  });

  it('that is stopped leaves no file', async () => {
    await fill(path, 3_000);
    const before = readdirSync(dirname(path));
    await expect(backUpSqliteIndex(path, file, AbortSignal.abort())).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(readdirSync(dirname(path))).toEqual(before);
  });

  it('contains the newest records, which a plain copy of the file would lack', async () => {
    const { write, db, close } = await connect(INDEX, path);
    copyFileSync(path, `${path}.old`);
    await write(() =>
      db.exec(
        "INSERT INTO sources VALUES ('/a.jpg', 1, '1', '1', 'x', 1, 1, 'jpeg', NULL, 1, NULL, NULL, NULL, 0)",
      ),
    );
    await backUpSqliteIndex(path, file, never);
    expect(countIn(file, 'sources')).toBe(1);
    close();
    rmSync(`${path}.old`);
  });
});
