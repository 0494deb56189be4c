import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { schemaOf, versionOf } from '../../../src/adapters/sqlite/check.ts';
import { connect } from '../../../src/adapters/sqlite/connection.ts';
import { schemaNames } from '../../../src/adapters/sqlite/kind.ts';
import { INDEX, MIGRATIONS } from '../../../src/adapters/sqlite-index/migrations.ts';
import { makePlace } from '../../place.ts';

it.each([0, 1, 2, 3, 4])('the check knows the names that the migrations to version %i create', (version) => {
  const db = keep(new Sqlite(':memory:'));
  for (const step of MIGRATIONS.slice(0, version)) db.exec(step);
  db.exec(`PRAGMA user_version = ${version}`);
  const names = keep(db.prepare<[], string>("SELECT type || ' ' || name FROM sqlite_schema").pluck());
  expect(schemaNames(INDEX, version)).toEqual(names.all());
  expect(schemaOf(db, 'index.db', INDEX)).toEqual({ version, missing: [] });
  expect(version).toBeLessThanOrEqual(MIGRATIONS.length);
  db.close();
});

it('the check recognises the newest version, and rejects an index that lacks a name', async () => {
  const { db, close } = await connect(INDEX, join(makePlace(), 'index.db'));
  expect(versionOf(db, 'index.db', INDEX)).toBe(MIGRATIONS.length);
  expect(schemaNames(INDEX, MIGRATIONS.length)).toHaveLength(28);
  db.exec('DROP TRIGGER jobs_counted_in');
  expect(() => versionOf(db, 'index.db', INDEX)).toThrow(
    'index.db: the index is damaged (it has no trigger jobs_counted_in)',
  );
  close();
});
