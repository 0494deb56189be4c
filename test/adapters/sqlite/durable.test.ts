import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../../src/adapters/sqlite/connection.ts';
import { openDurable } from '../../../src/adapters/sqlite/durable.ts';
import { STORE } from '../../../src/adapters/store/schema.ts';

let folder: string;
let connection: Connection;
/** Ends the syncs that have begun, in their order. */
let begun: ((error?: Error) => void)[];

const flush = () =>
  new Promise<void>((resolve, reject) => {
    begun.push((error) => (error === undefined ? resolve() : reject(error)));
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imgtool-durable-'));
  connection = await connect(STORE, join(folder, 'serve.db'));
  begun = [];
});

afterEach(() => {
  connection.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a durable write', () => {
  it('is visible at once, and resolves once the log is synced', async () => {
    const { write } = openDurable(connection, flush);
    let isDurable = false;
    const end = write(() => count('a')).then(() => {
      isDurable = true;
    });
    await expect.poll(() => begun.length).toBe(1);
    expect(owners()).toEqual(['a']);
    expect(isDurable).toBe(false);
    begun[0]!();
    await end;
  });

  it('shares the sync that begins after the running one with the other writes that wait', async () => {
    const { write } = openDurable(connection, flush);
    const first = write(() => count('a'));
    await expect.poll(() => begun.length).toBe(1);
    const later = Promise.all(['b', 'c', 'd'].map((owner) => write(() => count(owner))));
    await expect.poll(owners).toEqual(['a', 'b', 'c', 'd']);
    begun[0]!();
    await first;
    await expect.poll(() => begun.length).toBe(2);
    begun[1]!();
    await later;
    expect(begun.length).toBe(2);
  });

  it('fails with its cause when the log cannot be synced, and so does every later step', async () => {
    const { write, writeUnsynced, read } = openDurable(connection, flush);
    const ends = Promise.allSettled([write(() => count('a'))]);
    await expect.poll(() => begun.length).toBe(1);
    const cause = new Error('EIO: i/o error, fdatasync');
    begun[0]!(cause);
    expect(await ends).toMatchObject([{ reason: { code: 'index_unusable', cause } }]);
    for (const how of [write, writeUnsynced, read])
      await expect(how(() => count('b'))).rejects.toMatchObject({ code: 'index_unusable', cause });
    expect(owners()).toEqual(['a']);
  });

  it('fails alone when the log cannot be opened', async () => {
    const { write, close } = openDurable({ ...connection, path: join(folder, 'elsewhere.db') }, flush);
    await expect(write(() => count('a'))).rejects.toMatchObject({ code: 'index_unusable' });
    writeFileSync(join(folder, 'elsewhere.db-wal'), '');
    const next = write(() => count('b'));
    await expect.poll(() => begun.length).toBe(1);
    begun[0]!();
    await next;
    expect(owners()).toEqual(['a', 'b']);
    close();
  });

  it('that fails in SQLite syncs nothing', async () => {
    const { write } = openDurable(connection, flush);
    const failure = new Error('no');
    const end = write(() => {
      throw failure;
    });
    await expect(end).rejects.toMatchObject({ cause: failure });
    expect(begun).toEqual([]);
  });
});

it('a write that need not be durable does not wait for the disk', async () => {
  const { writeUnsynced } = openDurable(connection, flush);
  await writeUnsynced(() => count('a'));
  expect(owners()).toEqual(['a']);
  expect(begun).toEqual([]);
});

function count(owner: string): void {
  connection
    .prepare('INSERT INTO limits (owner, starts_at, ends_at, uploads) VALUES (?, 0, 1, 1)')
    .run(owner);
}

function owners(): unknown[] {
  return connection.prepare('SELECT owner FROM limits ORDER BY owner').pluck().all();
}
