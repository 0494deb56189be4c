import { isAbsolute } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { SavedRows } from '../../../model/mended.ts';
import type { BatchOptions } from '../../../model.ts';
import type { FoldName } from '../../../ports.ts';
import { keep } from '../binding.ts';
import { NOTE_FORMER_SETTINGS } from '../migrations.ts';
import { countRows } from './health.ts';
import { readable, type SalvagedRow } from './unreadable.ts';

export interface Salvage {
  readonly saved: SavedRows;
  /** Tables with rows that could not be read. */
  readonly incomplete: readonly Table[];
}

type Table = keyof SavedRows;
type Mend = (row: SalvagedRow) => SalvagedRow | undefined;

/**
 * Copies every readable row that makes sense from a damaged index of any version into a new one: the columns that both
 * have. Runs stay, because only the next start can remove their staged files. Call it in a transaction.
 */
export function salvage(from: Database, to: Database, fold: FoldName, now: number): Salvage {
  const incomplete = new Set<Table>();
  const copyTable = (table: Table, key: string, mended: Mend, known?: readonly string[]) =>
    copy(from, to, { table, key, mended, known, lost: () => void incomplete.add(table) });
  copyTable('outputs', 'id', outputOf(fold));
  // An older version may have made these outputs. Digests of this version do no harm in the table.
  to.exec(NOTE_FORMER_SETTINGS);
  copyTable('batches', 'id', batchOf);
  const ids = keep(to.prepare<[], string>('SELECT id FROM batches ORDER BY id').pluck()).all();
  copy(from, to, { table: 'runs', key: 'id', mended: runOf, known: [], lost: () => {} });
  const jobs = copyTable('jobs', 'id', jobOf(to));
  // Source names from other tables lead past pages that cannot be read.
  const known = keep(
    to.prepare<[], string>('SELECT source FROM outputs UNION SELECT source FROM jobs ORDER BY 1').pluck(),
  ).all();
  copyTable('sources', 'path', sourceOf, known);
  copyTallies(from, to, ids);
  interrupt(to, now);
  return { saved: { ...countRows(to), jobs }, incomplete: [...incomplete] };
}

interface Copying {
  readonly table: Table | 'runs';
  readonly key: string;
  readonly mended: Mend;
  readonly known: readonly string[] | undefined;
  /** Called when rows cannot be read, or make no sense. */
  readonly lost: () => void;
}

function copy(from: Database, to: Database, { table, key, mended, known, lost }: Copying): number {
  const columns = columnsOf(from, table).filter((name) => columnsOf(to, table).includes(name));
  if (!columns.includes(key)) {
    lost();
    return 0;
  }
  const values = columns.map((name) => `@${name}`).join(', ');
  const insert = keep(
    to.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${values})`),
  );
  let saved = 0;
  for (const row of readable(from, { table, key, columns, known, lost })) {
    const whole = mended(row);
    const changes = whole === undefined ? 0 : tried(() => insert.run(whole).changes);
    // Rows come twice only after damage.
    if (changes === 0) lost();
    saved += changes;
  }
  return saved;
}

/** Interrupts batches without a run. A batch with a run is recovered at the next start. */
function interrupt(to: Database, now: number): void {
  keep(
    to.prepare(
      `UPDATE batches SET state = 'interrupted', finished_at = ?
       WHERE state = 'running' AND id NOT IN (SELECT batch FROM runs)`,
    ),
  ).run(now);
  keep(
    to.prepare(
      `UPDATE batches SET state = 'interrupted' WHERE state = 'finished' AND id IN
         (SELECT batch FROM counts WHERE pending + processing + retrying > 0)`,
    ),
  ).run();
}

/** Copies what no job shows: the number of unchanged sources, and the bytes of all. */
function copyTallies(from: Database, to: Database, batches: readonly string[]): void {
  const columns = ['batch', 'unchanged', 'bytes_in', 'bytes_out'];
  if (!columns.every((name) => columnsOf(from, 'counts').includes(name))) return;
  const update = keep(
    to.prepare(
      `UPDATE counts SET unchanged = @unchanged, bytes_in = @bytes_in, bytes_out = @bytes_out
       WHERE batch = @batch AND @unchanged >= 0 AND @bytes_in >= 0 AND @bytes_out >= 0`,
    ),
  );
  const rows = readable(from, { table: 'counts', key: 'batch', columns, known: batches, lost: () => {} });
  for (const row of rows) tried(() => update.run(row).changes);
}

function columnsOf(db: Database, table: string): string[] {
  return keep(db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck()).all(table);
}

/** Rows from a damaged page may break the rules of the schema. */
function tried(insert: () => number): number {
  try {
    return insert();
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^SQLITE_(CONSTRAINT|MISMATCH)/.test(String(error.code)))
      return 0;
    throw error;
  }
}

function sourceOf(row: SalvagedRow): SalvagedRow | undefined {
  return isPath(row.path) && isDigest(row.digest) && isWhole(row.mtime) ? row : undefined;
}

const outputOf =
  (fold: FoldName): Mend =>
  (row) => {
    const { path, source, checksum } = row;
    if (!isPath(path) || !isPath(source)) return undefined;
    const isSound =
      // `distrust` leaves an empty checksum.
      checksum === null ||
      checksum === '' ||
      (isDigest(checksum) && isDigest(row.digest) && isWhole(row.mtime));
    return isSound ? { ...row, key: fold(path) } : undefined;
  };

function batchOf(row: SalvagedRow): SalvagedRow | undefined {
  const { preset, out } = read(row.options) as Partial<BatchOptions>;
  if (!Array.isArray(read(row.inputs)) || typeof preset?.name !== 'string' || !isPath(out)) return undefined;
  return isHex(row.id) ? row : undefined;
}

function runOf(row: SalvagedRow): SalvagedRow | undefined {
  return isHex(row.id) ? row : undefined;
}

/** A job in work names its run, even when the row of the run was lost. */
function jobOf(to: Database): Mend {
  const insertRun = keep(to.prepare('INSERT OR IGNORE INTO runs (id, batch) VALUES (?, ?)'));
  const isThere = keep(to.prepare<[unknown], number>('SELECT 1 FROM runs WHERE id = ?').pluck());
  return (row) => {
    if (!isPath(row.source) || !Array.isArray(read(row.outputs))) return undefined;
    if (row.ms !== null && Object.keys(read(row.ms)).length === 0) return undefined;
    if (row.state !== 'processing') return { ...row, run: null };
    if (isHex(row.run)) tried(() => insertRun.run(row.run, row.batch).changes);
    return isHex(row.run) && isThere.get(row.run) === 1 ? row : { ...row, run: null, state: 'pending' };
  };
}

function isHex(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]+$/.test(value);
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

/** Parses JSON. An empty object for anything else. */
function read(text: unknown): object {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
