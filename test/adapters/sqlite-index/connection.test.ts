import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { connect } from '../../../src/adapters/sqlite/connection.ts';
import { locksOf } from '../../../src/adapters/sqlite/locks.ts';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { INDEX, MIGRATIONS } from '../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import { makePlace } from '../../place.ts';
import { batchOptions } from '../../records.ts';
import { look } from './filled.ts';

const fresh = () => join(makePlace(), 'index.db');

/** Makes an index of the first version with one source. */
function fillFirstVersion(path: string, more = ''): void {
  const db = keep(new Sqlite(path));
  db.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1; ${more}`);
  db.exec("INSERT INTO sources VALUES ('/a.jpg', 1, '1', '1', 'x', 1, 1, 'jpeg', NULL, 1)");
  db.close();
}

describe('opening the index', () => {
  it('creates the file and its folder in WAL mode at the newest version', async () => {
    const path = join(makePlace(), 'a', 'b', 'index.db');
    const { db, close } = await connect(INDEX, path);
    expect(keep(db.prepare('PRAGMA journal_mode').pluck()).get()).toBe('wal');
    expect(keep(db.prepare('PRAGMA user_version').pluck()).get()).toBe(MIGRATIONS.length);
    expect(keep(db.prepare('PRAGMA foreign_keys').pluck()).get()).toBe(1);
    close();
  });

  it('makes no file and no folder for a caller that only looks', async () => {
    const path = join(makePlace(), 'a', 'index.db');
    const index = await openSqliteIndex(path, foldName, 'look');
    expect(await index.batches(9)).toEqual([]);
    await expect(index.batch('abc')).rejects.toMatchObject({ code: 'unknown_batch' });
    await index.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('uses an index that another process has created at the same time', async () => {
    const path = fresh();
    const begin = Sqlite.prototype.transaction;
    const locks: Database[] = [];
    vi.spyOn(Sqlite.prototype, 'transaction').mockImplementationOnce(function (this: Database, step) {
      const other = keep(new Sqlite(path));
      for (const step of MIGRATIONS) other.exec(step);
      other.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
      other.close();
      mkdirSync(`${path}.runs`);
      locks.push(keep(new Sqlite(`${path}.runs/0a.lock`)));
      locks[0]?.exec('BEGIN EXCLUSIVE');
      return begin.call(this, step);
    });
    const { close, locks: ours } = await connect(INDEX, path);
    expect(ours.held()).toEqual(['0a']);
    close();
    locks[0]?.close();
  });

  it('refuses an index from a newer imgtool and leaves it as it was', async () => {
    const path = fresh();
    const db = keep(new Sqlite(path));
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      code: 'index_newer',
      fix: expect.stringContaining('{{index}}'),
    });
  });

  it('suggests a fix for a file that is not an index', async () => {
    const path = fresh();
    writeFileSync(path, 'this is a shopping list and no database at all, however long it may be');
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      code: 'index_unusable',
      fix: expect.stringContaining(`imgtool doctor --repair --index ${path}`),
    });
  });

  it('reports a folder at the path of the index', async () => {
    const path = fresh();
    mkdirSync(path);
    await expect(connect(INDEX, path)).rejects.toMatchObject({ code: 'index_unusable' });
  });

  it('migrates an older index step by step and keeps a copy', async () => {
    const path = fresh();
    fillFirstVersion(path);
    const { db, close } = await connect(INDEX, path);
    expect(keep(db.prepare('PRAGMA user_version').pluck()).get()).toBe(MIGRATIONS.length);
    const columns = keep(db.prepare("SELECT name FROM pragma_table_info('jobs')").pluck()).all();
    expect(columns).toContain('degraded');
    expect(keep(db.prepare('SELECT ctime FROM sources').pluck()).all()).toEqual([null]);
    expect(keep(db.prepare('SELECT count(*) FROM former_settings').pluck()).get()).toBe(0);
    close();
    const copy = keep(new Sqlite(`${path}.v1`, { readonly: true }));
    expect(keep(copy.prepare('PRAGMA user_version').pluck()).get()).toBe(1);
    expect(keep(copy.prepare('SELECT path FROM sources').pluck()).all()).toEqual(['/a.jpg']);
    copy.close();
  });

  it('does not change an older index while a run uses it', async () => {
    const path = fresh();
    fillFirstVersion(path);
    const locks = locksOf(Sqlite, path, INDEX);
    locks.hold('abcd');
    await expect(connect(INDEX, path)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('cannot be updated while another imgtool works with it'),
    });
    expect(existsSync(`${path}.v1`)).toBe(false);
    locks.release('abcd');
    const { db, close } = await connect(INDEX, path);
    expect(keep(db.prepare('PRAGMA user_version').pluck()).get()).toBe(MIGRATIONS.length);
    close();
  });

  it('undoes a migration that fails halfway', async () => {
    const path = fresh();
    // The last migration makes a table with this name.
    fillFirstVersion(path, 'CREATE TABLE former_settings (x TEXT) STRICT');
    await expect(connect(INDEX, path)).rejects.toMatchObject({ code: 'index_unusable' });
    const { version, columns } = look(path, (db) => ({
      version: keep(db.prepare('PRAGMA user_version').pluck()).get(),
      columns: keep(db.prepare("SELECT name FROM pragma_table_info('jobs')").pluck()).all(),
    }));
    expect(version).toBe(1);
    expect(columns).not.toContain('degraded');
    const db = keep(new Sqlite(path));
    db.exec('DROP TABLE former_settings');
    db.close();
    (await connect(INDEX, path)).close();
  });

  it('leaves no lock file of an ended run', async () => {
    const path = fresh();
    const index = await openSqliteIndex(path, foldName);
    const run = await index.begin({
      run: 'abcd',
      command: 'process',
      inputs: [],
      cwd: '/',
      options: batchOptions(),
    });
    expect(readdirSync(`${path}.runs`)).toEqual(['abcd.lock']);
    await index.end(run, 'finished');
    await index.close();
    expect(readdirSync(`${path}.runs`)).toEqual([]);
  });
});

describe('the schema', () => {
  const insertJob = (db: Database, columns: string, values: string) =>
    db.exec(
      `INSERT INTO jobs (batch, source, given, relative, naming, ${columns}) VALUES ('b', 's', 's', 's', 0, ${values})`,
    );

  it.each([
    ['a failed job without an error', 'state, finished_at', "'failed', 1"],
    ['an error on a job that did not fail', 'state, error_code, error_message', "'pending', 'io', 'x'"],
    ['a completed job without the time it ended', 'state', "'completed'"],
    ['a pending job with a time it ended', 'state, finished_at', "'pending', 1"],
    ['a processing job without a run', 'state', "'processing'"],
    ['a job of a run that is not there', 'state, run', "'processing', 'nobody'"],
    ['a duplicate of nothing', 'state, finished_at', "'duplicate', 1"],
    ['a state nobody knows', 'state', "'sleeping'"],
  ])('refuses %s', async (_what, columns, values) => {
    const { db, close } = await connect(INDEX, fresh());
    db.exec(`INSERT INTO batches (id, command, state, inputs, cwd, options, started_at)
      VALUES ('b', 'process', 'running', '[]', '/', '{}', 1)`);
    expect(() => insertJob(db, columns, values)).toThrow(/constraint/i);
    expect(() => insertJob(db, 'state', "'pending'")).not.toThrow();
    close();
  });

  it('refuses a job of a missing batch, and a finished batch with unfinished jobs', async () => {
    const { db, close } = await connect(INDEX, fresh());
    expect(() => insertJob(db, 'state', "'pending'")).toThrow(/FOREIGN KEY/);
    db.exec(`INSERT INTO batches (id, command, state, inputs, cwd, options, started_at)
      VALUES ('b', 'process', 'running', '[]', '/', '{}', 1)`);
    insertJob(db, 'state', "'pending'");
    expect(() => db.exec("UPDATE batches SET state = 'finished', finished_at = 2")).toThrow(/constraint/i);
    close();
  });

  it('has an index for every statement, so none reads a whole table', async () => {
    const path = fresh();
    const prepare = vi.spyOn(Sqlite.prototype, 'prepare');
    const index = await openSqliteIndex(path, foldName);
    const statements = new Set(prepare.mock.calls.map(([sql]) => sql));
    prepare.mockRestore();
    const { db, close } = await connect(INDEX, path);
    const scans: string[] = [];
    for (const sql of statements) {
      const bound = sql.replace(/@\w+|\?/g, '1');
      const plan = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${bound}`).all();
      for (const { detail } of plan) {
        if (
          /^SCAN (jobs|batches|sources|outputs|claims)(?! USING (COVERING )?INDEX batches_by_(start|number))/.test(
            detail,
          )
        ) {
          scans.push(`${detail}: ${sql}`);
        }
        // Only batches of older versions have no number, and are sorted by their starts.
        if (/TEMP B-TREE(?! FOR LAST 2 TERMS OF ORDER BY)/.test(detail)) scans.push(`${detail}: ${sql}`);
      }
    }
    expect(statements.size).toBeGreaterThan(25);
    expect(scans).toEqual([]);
    close();
    await index.close();
  });
});
