import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../../../src/adapters/sqlite/connection.ts';
import { openSqliteIndex } from '../../../../src/adapters/sqlite-index/index.ts';
import { checkSqliteIndex } from '../../../../src/adapters/sqlite-index/maintenance/health.ts';
import { INDEX } from '../../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../../src/core/batch/names.ts';
import { makePlace } from '../../../place.ts';
import { batchOptions, newJob } from '../../../records.ts';
import { fill } from '../filled.ts';

it('the health check counts existing outputs, not reserved names, while a run uses the index', async () => {
  const path = join(makePlace(), 'index.db');
  const index = await openSqliteIndex(path, foldName);
  const work = { command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() } as const;
  const run = await index.begin({ run: '0abc', ...work });
  await index.add(run, [newJob('a.jpg')], { unchanged: 0, bytesIn: 0, bytesOut: 0 });
  expect(await checkSqliteIndex(path, foldName)).toMatchObject({ outputs: 0, batches: 1, problems: [] });
  await index.end(run, 'interrupted');
  await index.close();
  rmSync(path);
  await fill(path, 5);
  expect(await checkSqliteIndex(path, foldName)).toMatchObject({ sources: 5, outputs: 10 });
});

it('the health check refuses an index that lacks a column', async () => {
  const path = join(makePlace(), 'index.db');
  const { db, close } = await connect(INDEX, path);
  db.exec('ALTER TABLE jobs DROP COLUMN reused');
  close();
  await expect(checkSqliteIndex(path, foldName)).rejects.toMatchObject({ code: 'index_unusable' });
});
