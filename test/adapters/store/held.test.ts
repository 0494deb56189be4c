import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { STORE } from '../../../src/adapters/store/schema.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import { newImage, upload } from '../../contract/store-steps.ts';
import { makePlace } from '../../place.ts';

/** A store that one process holds at a time. */

let path: string;
beforeEach(() => {
  path = join(makePlace(), 'index.serve.db');
});

it('cannot be opened twice, and the error names the process that holds it', async () => {
  const store = await openSqliteStore(path);
  await expect(openSqliteStore(path)).rejects.toMatchObject({
    code: 'index_unusable',
    message: `${path}: is in use by imgtool serve (process ${process.pid} on ${hostname()})`,
    fix: 'end that process, or name another {{index}}',
  });
  await store.recover();
  await store.close();
  await (await openSqliteStore(path)).close();
});

it('is given to one of two that open it at once', async () => {
  const ends = await Promise.allSettled([openSqliteStore(path), openSqliteStore(path)]);
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const end of ends) if (end.status === 'fulfilled') await end.value.close();
});

it('refuses to go on when its lock was removed', async () => {
  const store = await openSqliteStore(path);
  rmSync(`${path}.runs`, { recursive: true });
  await expect(store.recover()).rejects.toMatchObject({
    code: 'index_unusable',
    message: expect.stringContaining('its lock was removed'),
  });
  await store.close();
});

it('refuses to go on when its file was replaced, and says how to go on', async () => {
  const store = await openSqliteStore(path);
  for (const end of ['', '-wal', '-shm']) rmSync(path + end);
  await expect(upload(store)).rejects.toMatchObject({ code: 'index_unusable', fix: STORE.fixLoss });
  await store.close();
});

it('writes to the disk with each commit, and leaves no lock behind', async () => {
  const pragmas: string[] = [];
  const exec = Sqlite.prototype.exec;
  Sqlite.prototype.exec = function (text) {
    pragmas.push(text);
    return exec.call(this, text);
  };
  const store = await openSqliteStore(path).finally(() => {
    Sqlite.prototype.exec = exec;
  });
  expect(pragmas.find((text) => text.includes('synchronous'))).toContain('synchronous = FULL');
  const db = keep(new Sqlite(path));
  expect(keep(db.prepare('PRAGMA journal_mode').pluck()).get()).toBe('wal');
  db.close();
  await store.close();
  expect(readdirSync(`${path}.runs`)).toEqual([]);
});

it('is held without a note of its process where the note cannot be written', async () => {
  mkdirSync(`${path}.runs/serve.txt`, { recursive: true });
  const store = await openSqliteStore(path);
  const message = expect.stringContaining('(another process)');
  await expect(openSqliteStore(path)).rejects.toMatchObject({ message });
  await store.close();
});

it('whose file was deleted while a service works with it is not made again', async () => {
  const store = await openSqliteStore(path);
  rmSync(path);
  await expect(openSqliteStore(path)).rejects.toMatchObject({
    code: 'index_unusable',
    message: `${path}: was deleted while another process works with it`,
    fix: STORE.fixLeftBehind,
  });
  await store.close();
});

it('reports a step that breaks a rule of the schema as an error of its own', async () => {
  const store = await openSqliteStore(path);
  const { first } = await upload(store);
  await expect(upload(store, { images: [newImage({ id: first.id })] })).rejects.toMatchObject({
    code: 'internal',
  });
  await store.close();
});

it('shares one commit among the steps of a turn', async () => {
  const store = await openSqliteStore(path);
  await upload(store);
  const before = commitsIn(`${path}-wal`);
  await Promise.all([upload(store), upload(store), upload(store)]);
  expect(commitsIn(`${path}-wal`) - before).toBe(1);
  await upload(store);
  await upload(store);
  expect(commitsIn(`${path}-wal`) - before).toBe(3);
  await store.close();
});

/** The number of commits in a log: frames that tell the size of the database (https://sqlite.org/fileformat2.html#walformat). */
function commitsIn(wal: string): number {
  const bytes = readFileSync(wal);
  const frame = 24 + bytes.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at < bytes.length; at += frame) if (bytes.readUInt32BE(at + 4) !== 0) commits++;
  return commits;
}
