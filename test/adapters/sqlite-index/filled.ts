import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { connect } from '../../../src/adapters/sqlite/connection.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import { batchOptions, sha } from '../../records.ts';

/** An index with rows, and ways to damage it. */

const PAGE = 4096;

/** Sources, each with two outputs and a job. A run is working on every hundredth job. */
export async function fill(path: string, sources: number): Promise<void> {
  const { write, prepare, close } = await connect(INDEX, path);
  const batch = prepare(
    `INSERT INTO batches (id, command, state, inputs, cwd, options, started_at, finished_at)
     VALUES (?, 'process', ?, '["photos"]', '/', '${JSON.stringify(batchOptions())}', 1, ?)`,
  );
  const source = prepare(
    "INSERT INTO sources VALUES (?, 1000, '1700000000000000000', '7', ?, 400, 300, 'jpeg', '#102030', 1, '1700000000500000000', 1, NULL)",
  );
  const output = prepare(
    `INSERT INTO outputs (key, path, source, variant, settings, digest, format, width, height, size, mtime, ino, checksum)
     VALUES (?, ?, ?, ?, 'aa', ?, 'webp', 100, 75, 300, '1700000001000000000', '8', ?)`,
  );
  const job = prepare(
    `INSERT INTO jobs (batch, source, given, relative, naming, state, run, finished_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?)`,
  );
  await write(() => {
    batch.run('aaaa', 'finished', 2);
    batch.run('bbbb', 'running', null);
    prepare("INSERT INTO runs (id, batch) VALUES ('dead', 'bbbb')").run();
    prepare("UPDATE counts SET unchanged = 5, bytes_in = 77, bytes_out = 33 WHERE batch = 'aaaa'").run();
    for (let i = 0; i < sources; i++) {
      const path = `/photos/${sha(`${i}`).slice(0, 6)}/${i}.jpg`;
      source.run(path, sha(path));
      for (const variant of ['a', 'b']) {
        const made = `/out/${i}_${variant}.webp`;
        output.run(foldName(made), made, path, variant, sha(path), sha(made));
      }
      if (i % 100 === 0) job.run('bbbb', path, path, path, 'processing', 'dead', null);
      else job.run('aaaa', path, path, path, 'completed', null, 3);
    }
  });
  close();
}

/** Overwrites some pages with noise, except the first page. */
export function spoil(path: string, pages: readonly number[], seed = 1): void {
  const file = openSync(path, 'r+');
  let state = seed;
  for (const page of pages) {
    const noise = Buffer.alloc(PAGE);
    for (let i = 0; i < PAGE; i++) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      noise[i] = state >> 16;
    }
    writeSync(file, noise, 0, PAGE, (page - 1) * PAGE);
  }
  closeSync(file);
}

export function zeroHeader(path: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(100), 0, 100, 0);
  closeSync(file);
}

export function rootPageOf(path: string, name: string): number {
  return look(path, (db) =>
    Number(keep(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck()).get(name)),
  );
}

/** Pages with rows of tables or look-up tables, without the inner pages of the trees. */
export function leavesOf(path: string): number[] {
  const bytes = readFileSync(path);
  return [...Array(bytes.length / PAGE).keys()].flatMap((i) =>
    i > 0 && (bytes[i * PAGE] === 0x0d || bytes[i * PAGE] === 0x0a) ? [i + 1] : [],
  );
}

export function pagesOf(path: string): number {
  return readFileSync(path).length / PAGE;
}

/** Reads from a database without any change. */
export function look<T>(path: string, at: (db: Database) => T): T {
  const db = keep(new Sqlite(path, { readonly: true }));
  try {
    return at(db);
  } finally {
    db.close();
  }
}

export function countIn(path: string, table: string): number {
  return look(path, (db) => Number(keep(db.prepare(`SELECT count(*) FROM ${table}`).pluck()).get()));
}
