import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { abortsWhenCollected, keep, keepBackups } from '../../../src/adapters/sqlite/binding.ts';
import { makePlace } from '../../place.ts';

/** If this test fails after an update of better-sqlite3, check whether the package still needs `keep`. */
it('`keep` finds the native object that makes backups, and does not disturb a backup', async () => {
  const db = keep(new Sqlite(join(makePlace(), 'a.db')));
  db.exec('CREATE TABLE one (id)');
  expect(keepBackups(db)).toBe(true);
  const copy = join(makePlace(), 'b.db');
  expect(await db.backup(copy)).toMatchObject({ remainingPages: 0 });
  const copied = keep(new Sqlite(copy));
  expect(keep(copied.prepare('SELECT name FROM sqlite_schema').pluck()).all()).toEqual(['one']);
  copied.close();
  db.close();
});

it('`keep` reports an object without a native object', () => {
  expect(keepBackups({ [Symbol('other')]: { close() {} } })).toBe(false);
});

it.each([
  ['20.19.0', '12.11.1', false],
  ['22.23.2', '12.11.1', false],
  ['24.19.0', '12.11.1', true],
  ['26.4.0', '12.11.1', true],
  ['26.4.0', '13.2.0', false],
])(
  'on Node %s with better-sqlite3 %s, collecting a statement aborts the process: %s',
  (node, sqlite, aborts) => {
    expect(abortsWhenCollected(node, sqlite)).toBe(aborts);
  },
);
