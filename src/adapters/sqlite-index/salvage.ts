import { isAbsolute } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { BatchOptions } from '../../model.ts';
import { keep } from './kept.ts';
import { keyOf } from './key.ts';
import { type Row, readable } from './unreadable.ts';

/** How many rows were saved. */
export interface Saved {
  readonly sources: number;
  readonly outputs: number;
  readonly batches: number;
  readonly jobs: number;
}

/** Runs and their claims are those of processes, and end with them. */
const OF_RUNS = { run: null };

/**
 * Copies into a new index whatever can be read of a damaged one and makes sense, whichever version it has: of a row the
 * columns that both know. Batches that ran are interrupted, their jobs in work wait. Call it in a transaction.
 */
export function salvage(from: Database, to: Database, now: number): Saved {
  const outputs = copy(from, to, 'outputs', 'id', outputOf);
  const batches = copy(from, to, 'batches', 'id', (row) => batchOf(row, now));
  const ids = keep(to.prepare<[], string>('SELECT id FROM batches ORDER BY id').pluck()).all();
  const jobs = copy(from, to, 'jobs', 'id', jobOf);
  // Names that others know lead past pages that cannot be read.
  const known = keep(
    to.prepare<[], string>('SELECT source FROM outputs UNION SELECT source FROM jobs ORDER BY 1').pluck(),
  ).all();
  const sources = copy(from, to, 'sources', 'path', sourceOf, known);
  copyTallies(from, to, ids);
  keep(
    to.prepare(
      `UPDATE batches SET state = 'interrupted' WHERE state = 'finished' AND id IN
         (SELECT batch FROM counts WHERE pending + processing + retrying > 0)`,
    ),
  ).run();
  return { sources, outputs, batches, jobs };
}

function copy(
  from: Database,
  to: Database,
  table: string,
  key: string,
  mended: (row: Row) => Row | undefined,
  known?: readonly string[],
): number {
  const columns = columnsOf(from, table).filter((name) => columnsOf(to, table).includes(name));
  if (!columns.includes(key)) return 0;
  const values = columns.map((name) => `@${name}`).join(', ');
  const insert = keep(
    to.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${values})`),
  );
  let saved = 0;
  for (const row of readable(from, table, key, columns, known)) {
    const whole = mended(row);
    if (whole !== undefined) saved += tried(() => insert.run(whole).changes);
  }
  return saved;
}

/** What no row of a job tells: how many sources were unchanged, and the bytes of all. */
function copyTallies(from: Database, to: Database, batches: readonly string[]): void {
  const columns = ['batch', 'unchanged', 'bytes_in', 'bytes_out'];
  if (!columns.every((name) => columnsOf(from, 'counts').includes(name))) return;
  const update = keep(
    to.prepare(
      `UPDATE counts SET unchanged = @unchanged, bytes_in = @bytes_in, bytes_out = @bytes_out
       WHERE batch = @batch AND @unchanged >= 0 AND @bytes_in >= 0 AND @bytes_out >= 0`,
    ),
  );
  for (const row of readable(from, 'counts', 'batch', columns, batches)) tried(() => update.run(row).changes);
}

function columnsOf(db: Database, table: string): string[] {
  return keep(db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck()).all(table);
}

/** What a damaged page says may be refused by the schema: types, checks, a batch that is not there. */
function tried(insert: () => number): number {
  try {
    return insert();
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^SQLITE_(CONSTRAINT|MISMATCH)/.test(String(error.code)))
      return 0;
    throw error;
  }
}

function sourceOf(row: Row): Row | undefined {
  return isPath(row.path) && isDigest(row.digest) && isWhole(row.mtime) ? row : undefined;
}

function outputOf(row: Row): Row | undefined {
  const { path, source, checksum } = row;
  if (!isPath(path) || !isPath(source)) return undefined;
  const isSound =
    // An empty checksum is that of an output nobody trusts.
    checksum === null ||
    checksum === '' ||
    (isDigest(checksum) && isDigest(row.digest) && isWhole(row.mtime));
  return isSound ? { ...row, key: keyOf(path) } : undefined;
}

function batchOf(row: Row, now: number): Row | undefined {
  const { preset, out } = read(row.options) as Partial<BatchOptions>;
  if (!Array.isArray(read(row.inputs)) || typeof preset?.name !== 'string' || !isPath(out)) return undefined;
  if (typeof row.id !== 'string' || !/^[0-9a-f]+$/.test(row.id)) return undefined;
  return row.state === 'running' ? { ...row, state: 'interrupted', finished_at: now } : row;
}

function jobOf(row: Row): Row | undefined {
  if (!isPath(row.source) || !Array.isArray(read(row.outputs))) return undefined;
  if (row.ms !== null && Object.keys(read(row.ms)).length === 0) return undefined;
  return { ...row, ...OF_RUNS, state: row.state === 'processing' ? 'pending' : row.state };
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isWhole(value: unknown): boolean {
  return typeof value === 'string' && /^-?\d+$/.test(value);
}

/** What a text holds as JSON; nothing when it is none. */
function read(text: unknown): object {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
