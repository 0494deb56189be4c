import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keep } from '../../../src/adapters/sqlite-index/binding.ts';
import { isUpToDate, NEWEST } from '../../../src/adapters/sqlite-index/check.ts';
import { connect } from '../../../src/adapters/sqlite-index/connection.ts';
import { MIGRATIONS } from '../../../src/adapters/sqlite-index/migrations.ts';
import { makePlace } from '../../place.ts';

it('the check recognises the newest version by the names that the migrations create', async () => {
  const { db, close } = await connect(join(makePlace(), 'index.db'), { migrations: MIGRATIONS });
  const names = keep(
    db.prepare<[], string>("SELECT type || ' ' || name FROM sqlite_schema ORDER BY 1").pluck(),
  );
  expect(NEWEST).toEqual({ version: MIGRATIONS.length, names: names.all() });
  expect(isUpToDate(db)).toBe(true);
  close();
});

it('the check rejects an index that lacks a name or has another version', async () => {
  const { db, close } = await connect(join(makePlace(), 'index.db'));
  db.exec('DROP TRIGGER jobs_counted_in');
  expect(isUpToDate(db)).toBe(false);
  close();
  const older = await connect(join(makePlace(), 'index.db'), { migrations: MIGRATIONS.slice(0, 1) });
  expect(isUpToDate(older.db)).toBe(false);
  older.close();
});
