import Sqlite, { type Database } from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { openGroupCommit, openGroupRead } from '../../../src/adapters/sqlite/group-commit.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';

let db: Database;
let transactions: number;
let together: ReturnType<typeof openGroupCommit>;

beforeEach(() => {
  db = keep(new Sqlite(':memory:'));
  db.exec('CREATE TABLE t (n INTEGER PRIMARY KEY)');
  transactions = 0;
  const once = db.transaction((step: () => unknown) => step());
  const write = async <T>(step: () => T) => {
    transactions++;
    return once.immediate(step) as T;
  };
  together = openGroupCommit({ db, path: 'index.db', kind: INDEX, write });
});

it('steps requested in the same turn share a transaction, and each gets its own result', async () => {
  const put = insert();
  const answers = await Promise.all([1, 2, 3].map((n) => together(() => put(n))));
  expect(answers).toEqual([1, 2, 3]);
  expect(transactions).toBe(1);
  await together(() => put(4));
  expect(transactions).toBe(2);
  expect(rows()).toEqual([1, 2, 3, 4]);
});

it('a step that throws changes nothing, and the steps beside it succeed', async () => {
  const put = insert();
  const ends = await Promise.allSettled([
    together(() => put(1)),
    together(() => {
      put(2);
      throw new Error('halfway');
    }),
    together(() => put(3)),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(ends[1]).toMatchObject({ reason: { code: 'index_unusable' } });
  expect(rows()).toEqual([1, 3]);
});

it('all steps fail without a record if one ends their transaction', async () => {
  const put = insert();
  const ends = await Promise.allSettled([
    together(() => put(1)),
    together(() => {
      db.exec('ROLLBACK');
      throw new Error('the disk is full');
    }),
    together(() => put(3)),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(rows()).toEqual([]);
});

it('reads requested in the same turn share a transaction, and one that throws fails alone', async () => {
  await together(() => insert()(1));
  let reads = 0;
  const read = async <T>(step: () => T) => {
    reads++;
    return db.transaction(step).deferred() as T;
  };
  const readTogether = openGroupRead({ db, path: 'index.db', kind: INDEX, read });
  const ends = await Promise.allSettled([
    readTogether(rows),
    readTogether(() => {
      throw new Error('no such row');
    }),
    readTogether(() => rows().length),
  ]);
  expect(ends).toMatchObject([
    { value: [1] },
    { reason: { code: 'index_unusable', message: expect.stringContaining('no such row') } },
    { value: 1 },
  ]);
  expect(reads).toBe(1);
});

it('all reads fail with the cause if SQLite ends their transaction', async () => {
  const read = async <T>(step: () => T) => db.transaction(step).deferred() as T;
  const readTogether = openGroupRead({ db, path: 'index.db', kind: INDEX, read });
  const cause = new Error('disk I/O error');
  const ends = await Promise.allSettled([
    readTogether(rows),
    readTogether(() => {
      db.exec('ROLLBACK');
      throw cause;
    }),
    readTogether(rows),
  ]);
  expect(ends).toMatchObject(Array(3).fill({ reason: cause }));
});

function insert(): (n: number) => number {
  const statement = keep(db.prepare('INSERT INTO t VALUES (?)'));
  return (n) => Number(statement.run(n).lastInsertRowid);
}

function rows(): unknown[] {
  return keep(db.prepare('SELECT n FROM t ORDER BY n').pluck()).all();
}
