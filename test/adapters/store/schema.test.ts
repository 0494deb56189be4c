import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { keep, valuesIn } from '../../../src/adapters/sqlite/binding.ts';
import { connect } from '../../../src/adapters/sqlite/connection.ts';
import { schemaNames } from '../../../src/adapters/sqlite/kind.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';
import { STORE } from '../../../src/adapters/store/schema.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import { restoreCommand } from '../../../src/errors.ts';
import type { Store } from '../../../src/ports.ts';
import {
  completed,
  HOUR,
  newImage,
  newUpload,
  output,
  takeNext,
  tornEnd,
  upload,
} from '../../contract/store-steps.ts';
import { makePlace } from '../../place.ts';
import { rootPageOf, spoil } from '../sqlite-index/filled.ts';

let path: string;
beforeEach(() => {
  path = join(makePlace(), 'index.serve.db');
});

/** Makes a store with some uploads. */
async function fill(): Promise<string> {
  const store = await openSqliteStore(path);
  for (let n = 0; n < 300; n++) await upload(store);
  const { id } = await upload(store);
  await store.close();
  return id;
}

describe('a file that is no good store', () => {
  it('is reported as damaged, with the commands that restore a copy', async () => {
    const id = await fill();
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    spoil(path, [rootPageOf(path, 'images_by_batch')]);
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining(`${path}: the store is damaged`),
      fix: restoreCommand(path),
    });
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
    copyFileSync(copy, path);
    const store = await openSqliteStore(path);
    expect(await store.batchOf('all', id)).toBeDefined();
    await store.close();
  });

  it('is reported as foreign when it is no database', async () => {
    writeFileSync(path, 'this is a shopping list and no database at all, however long it may be');
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('is no store'),
    });
  });

  it('is left alone when it is an index', async () => {
    const db = keep(new Sqlite(path));
    db.exec('CREATE TABLE sources (path TEXT); CREATE TABLE outputs (key TEXT); PRAGMA user_version = 1');
    db.close();
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'index_unusable',
      message: expect.stringContaining('is the database of another program'),
    });
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('is refused when a newer imgtool has made it', async () => {
    await fill();
    const db = keep(new Sqlite(path));
    db.exec(`PRAGMA user_version = ${STORE.migrations.length + 1}`);
    db.close();
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'index_newer',
      message: expect.stringContaining('was made by a newer imgtool'),
      fix: 'update imgtool, or name another store with {{index}}',
    });
  });
});

/** Calls every method so that each of its statements runs. */
async function useAll(store: Store): Promise<void> {
  const quota = { uploads: 50, window: HOUR };
  const key = { route: '/upload', key: 'k', fingerprint: 'f', body: '{}' };
  const made = newUpload({ quota, key, images: [1, 2, 3, 4].map(() => newImage()) });
  await store.accept(made);
  await store.accept(made);
  await store.quota('ann', quota);
  await store.countRefused('ann', 1, quota);
  const [one, two, three, four] = made.images.map(({ id }) => id) as [string, string, string, string];
  await store.settle(await takeNext(store), completed(one));
  const claim = await takeNext(store);
  await store.lost([claim]);
  await store.settle(claim, { state: 'retrying', error: { code: 'io', message: 'x' }, delay: 0 });
  await store.settle(await takeNext(store), tornEnd);
  await store.settle(claim, tornEnd);
  await store.giveBack([await takeNext(store)]);
  await store.begin(await takeNext(store));
  await store.unended();
  await store.recover();
  await store.endBatch(made.id);
  for (const what of [{ batch: made.id }, { job: made.images[1]?.job ?? '' }]) {
    await store.cancel('all', what);
    await store.retry('all', what);
  }
  await store.images({ owner: 'ann' }, [one, two]);
  await store.image('all', one);
  await store.imageOfJob('all', three);
  await store.imagesOf('all', made.id, one, 2);
  await store.batchOf('all', made.id);
  await store.made('ann', made.images[0]?.uploaded?.digest ?? '', ['aa']);
  await store.stats();
  await store.failed(9);
  await store.waiting();
  await store.referred([output(one).key]);
  await store.cancel('all', { batch: made.id });
  await store.recordStorage('/storage');
  await store.retry('all', { batch: made.id });
  await store.remove('all', four);
  await store.sweep(0, 0);
  await store.dropRows(four);
  await store.resetQuota('ann');
}

describe('the schema of the store', () => {
  const COLUMNS = 'id, job, batch, owner, bucket, name, priority, created_at';
  const insert = (db: Database, columns: string, values: string) =>
    db.exec(
      `INSERT INTO images (${COLUMNS}, ${columns}) VALUES ('i', 'j', 'b', 'ann', 'shop', 'a', 1, 1, ${values})`,
    );

  it.each([
    ['a failed image without an error', 'state, digest, bytes, completed_at', "'failed', 'd', 1, 1"],
    [
      'an error on an image that waits',
      'state, digest, bytes, error_code, error_message',
      "'pending', 'd', 1, 'io', 'x'",
    ],
    ['a cancelled image without its end', 'state, digest, bytes', "'cancelled', 'd', 1"],
    ['a waiting image with an end', 'state, digest, bytes, completed_at', "'pending', 'd', 1, 1"],
    ['an image in work without a worker', 'state, digest, bytes', "'processing', 'd', 1"],
    ['a waiting image with a worker', 'state, digest, bytes, worker', "'pending', 'd', 1, 'w'"],
    ['a waiting image without a digest', 'state', "'pending'"],
    ['a completed image without a size', 'state, digest, bytes, completed_at', "'completed', 'd', 1, 1"],
    ['a waiting image that is deleted', 'state, digest, bytes, deleted_at', "'pending', 'd', 1, 1"],
    ['an unknown state', 'state, digest, bytes', "'sleeping', 'd', 1"],
  ])('refuses %s', async (_what, columns, values) => {
    const { db, close } = await connect(STORE, path);
    db.exec("INSERT INTO batches VALUES ('b', 'ann', 'shop', '{}', 1, NULL)");
    expect(() => insert(db, columns, values)).toThrow(/constraint/i);
    expect(() => insert(db, 'state, digest, bytes', "'pending', 'd', 1")).not.toThrow();
    close();
  });

  it.each([
    ['store', STORE],
    ['index', INDEX],
  ])('of the %s has exactly the names by which a damaged file is recognised', async (_, kind) => {
    const { db, close } = await connect(kind, path);
    const made = valuesIn<string>(
      db,
      "SELECT type || ' ' || name FROM sqlite_schema WHERE name <> 'sqlite_sequence'",
    );
    expect(schemaNames(kind, kind.migrations.length).sort()).toEqual(made.sort());
    close();
  });

  it('refuses an image without its batch', async () => {
    const { db, close } = await connect(STORE, path);
    expect(() => insert(db, 'state, digest, bytes', "'pending', 'd', 1")).toThrow(/FOREIGN KEY/);
    close();
  });

  it('has an index for every statement, so none reads a whole table', async () => {
    const prepare = vi.spyOn(Sqlite.prototype, 'prepare');
    const store = await openSqliteStore(path);
    await useAll(store);
    const statements = new Set(prepare.mock.calls.map(([text]) => text));
    prepare.mockRestore();
    await store.close();
    const { db, close } = await connect(STORE, path);
    const scans: string[] = [];
    for (const text of statements) {
      if (!/\b(images|batches|outputs|events|keys|limits)\b/.test(text)) continue;
      const plan = keep(
        db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${text.replace(/\?/g, '1')}`),
      ).all();
      for (const { detail } of plan) {
        // A scan in the order of an index ends with the limit, or reads only rows that are asked for.
        if (/^SCAN (?!CONSTANT)/.test(detail) && !/USING (COVERING )?INDEX/.test(detail)) {
          scans.push(`${detail}: ${text.replace(/\s+/g, ' ')}`);
        }
      }
    }
    expect(scans).toEqual([]);
    expect(statements.size).toBeGreaterThan(40);
    close();
  });
});
