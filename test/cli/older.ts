import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { MIGRATIONS } from '../../src/adapters/sqlite-index/migrations.ts';
import { renamedSettings } from '../../src/core/job/settings-digest.ts';
import type { BatchOptions } from '../../src/model.ts';

/**
 * Turns an index into the index of an older version: without the later additions, and up to version 3 with the settings
 * digests of that version for all outputs of the batches.
 */
export function makeOlder(path: string, version: 2 | 3 | 4 | 11, { pruned = false } = {}): void {
  const db = keep(new Sqlite(path));
  db.exec('ALTER TABLE outputs DROP COLUMN linkable');
  db.exec('DROP INDEX jobs_degraded; DROP TABLE damaged; ALTER TABLE sources DROP COLUMN degraded');
  if (version < 11) dropUpTo10(db, version, pruned);
  db.exec(`PRAGMA user_version = ${version}`);
  const made = keep(new Sqlite(':memory:'));
  for (const step of MIGRATIONS.slice(0, version)) made.exec(step);
  expect(namesIn(db)).toEqual(namesIn(made));
  made.close();
  db.close();
}

function dropUpTo10(db: Sqlite.Database, version: number, pruned: boolean): void {
  db.exec('ALTER TABLE jobs DROP COLUMN part; ALTER TABLE batches DROP COLUMN aside');
  db.exec(
    'DROP INDEX batches_by_number; DROP INDEX batches_by_preset; ALTER TABLE batches DROP COLUMN number',
  );
  db.exec('DROP INDEX sources_missing; ALTER TABLE sources DROP COLUMN missing');
  db.exec('ALTER TABLE outputs DROP COLUMN metadata');
  db.exec('ALTER TABLE outputs DROP COLUMN recipe');
  if (version < 4) ageSettings(db);
  if (pruned) db.exec('DELETE FROM runs; DELETE FROM batches');
  if (version < 4) db.exec('DROP TABLE former_settings');
  db.exec('ALTER TABLE outputs DROP COLUMN presets');
  db.exec('DROP INDEX jobs_with_pages; ALTER TABLE sources DROP COLUMN pages');
  db.exec('ALTER TABLE jobs DROP COLUMN format; ALTER TABLE jobs DROP COLUMN pages');
  if (version === 2) db.exec('DROP INDEX outputs_by_checksum; ALTER TABLE sources DROP COLUMN ctime');
}

function ageSettings(db: Sqlite.Database): void {
  const options = keep(db.prepare<[], string>('SELECT options FROM batches').pluck()).all();
  const age = keep(db.prepare('UPDATE outputs SET settings = @from WHERE settings = @to'));
  for (const text of options) {
    for (const one of renamedSettings(JSON.parse(text) as BatchOptions)) age.run(one);
  }
}

function namesIn(db: Sqlite.Database): unknown[] {
  const columns = '(SELECT group_concat(name) FROM pragma_table_info(sqlite_schema.name)) AS columns';
  return keep(db.prepare(`SELECT name, ${columns} FROM sqlite_schema ORDER BY name`)).all();
}
