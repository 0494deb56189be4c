import { isAbsolute } from 'node:path';
import type { Database } from 'better-sqlite3';
import { orUndefined } from '../../../errors.ts';
import type { SavedRows } from '../../../model/mended.ts';
import type { BatchOptions } from '../../../model.ts';
import type { FoldName } from '../../../ports.ts';
import { keep, valuesIn } from '../../sqlite/binding.ts';
import { NOTE_FORMER_SETTINGS } from '../migrations.ts';
import { countRows } from './health.ts';
import { readable, type SalvagedRow, type TableReading } from './unreadable.ts';

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
  const copyTable = (table: Table, key: string, mend: Mend, known?: readonly string[]) =>
    copy(from, to, mend, { table, key, known, lost: () => void incomplete.add(table) });
  copyTable('outputs', 'id', outputOf(fold));
  // An older version may have made these outputs. Digests of this version do no harm in the table.
  to.exec(NOTE_FORMER_SETTINGS);
  copyTable('batches', 'id', batchOf);
  copy(from, to, runOf, { table: 'runs', key: 'id', lost: () => {} });
  const jobs = copyTable('jobs', 'id', jobOf(to));
  // Where pages cannot be read, sources are looked up by names that other tables have.
  const known = valuesIn<string>(to, 'SELECT source FROM outputs UNION SELECT source FROM jobs ORDER BY 1');
  copyTable('sources', 'path', sourceOf, known);
  copyTotals(from, to);
  copy(from, to, (row) => row, { table: 'damaged', key: 'id', lost: () => {} });
  to.exec(interrupt(now));
  return { saved: { ...countRows(to), jobs }, incomplete: [...incomplete] };
}

/** Returns the number of saved rows. Calls `lost` also for rows that make no sense. */
function copy(from: Database, to: Database, mend: Mend, reading: Omit<TableReading, 'columns'>): number {
  const { table, key, lost } = reading;
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
  for (const row of readable(from, { ...reading, columns })) {
    const mended = mend(row);
    const changes = mended === undefined ? 0 : tried(() => insert.run(mended).changes);
    // Rows come twice only after damage.
    if (changes === 0) lost();
    saved += changes;
  }
  return saved;
}

/** Interrupts batches without a run. A batch with a run is recovered at the next start. */
const interrupt = (now: number) => `
UPDATE batches SET state = 'interrupted', finished_at = ${now}
  WHERE state = 'running' AND id NOT IN (SELECT batch FROM runs);
UPDATE batches SET state = 'interrupted'
  WHERE state = 'finished' AND id IN (SELECT batch FROM counts WHERE pending + processing + retrying > 0)`;

/** Copies what no job shows: the number of unchanged sources, and the bytes of all sources and outputs. */
function copyTotals(from: Database, to: Database): void {
  const columns = ['batch', 'unchanged', 'bytes_in', 'bytes_out'];
  if (!columns.every((name) => columnsOf(from, 'counts').includes(name))) return;
  const update = keep(
    to.prepare(`
      UPDATE counts SET unchanged = @unchanged, bytes_in = @bytes_in, bytes_out = @bytes_out
      WHERE batch = @batch AND @unchanged >= 0 AND @bytes_in >= 0 AND @bytes_out >= 0`),
  );
  const known = valuesIn<string>(to, 'SELECT id FROM batches ORDER BY id');
  const rows = readable(from, { table: 'counts', key: 'batch', columns, known, lost: () => {} });
  for (const row of rows) tried(() => update.run(row).changes);
}

function columnsOf(db: Database, table: string): string[] {
  return valuesIn<string>(db, 'SELECT name FROM pragma_table_info(?)', table);
}

/** Rows from a damaged page may break the rules of the schema. */
function tried(insert: () => number): number {
  return orUndefined(insert, /^SQLITE_(CONSTRAINT|MISMATCH)/) ?? 0;
}

const HEX = /^[0-9a-f]+$/;
const DIGEST = /^[0-9a-f]{64}$/;
const WHOLE = /^-?\d+$/;

function sourceOf(row: SalvagedRow): SalvagedRow | undefined {
  return isPath(row.path) && isLike(DIGEST, row.digest) && isLike(WHOLE, row.mtime) ? row : undefined;
}

const outputOf =
  (fold: FoldName): Mend =>
  (row) => {
    const { path, source, checksum, digest, mtime } = row;
    if (!isPath(path) || !isPath(source)) return undefined;
    // `distrust` leaves an empty checksum.
    const isMade = checksum !== null && checksum !== '';
    const isSound = isLike(DIGEST, checksum) && isLike(DIGEST, digest) && isLike(WHOLE, mtime);
    return isMade && !isSound ? undefined : { ...row, key: fold(path) };
  };

function batchOf(row: SalvagedRow): SalvagedRow | undefined {
  const { preset, out } = read(row.options) as Partial<BatchOptions>;
  if (!Array.isArray(read(row.inputs)) || typeof preset?.name !== 'string' || !isPath(out)) return undefined;
  return isLike(HEX, row.id) ? row : undefined;
}

function runOf(row: SalvagedRow): SalvagedRow | undefined {
  return isLike(HEX, row.id) ? row : undefined;
}

/** A job in work names its run, even when the row of the run was lost. */
function jobOf(to: Database): Mend {
  const insertRun = keep(to.prepare('INSERT OR IGNORE INTO runs (id, batch) VALUES (?, ?)'));
  const isThere = keep(to.prepare<[unknown], number>('SELECT 1 FROM runs WHERE id = ?').pluck());
  return (row) => {
    if (!isPath(row.source) || !Array.isArray(read(row.outputs))) return undefined;
    if (row.ms !== null && Object.keys(read(row.ms)).length === 0) return undefined;
    if (row.state !== 'processing') return { ...row, run: null };
    if (isLike(HEX, row.run)) tried(() => insertRun.run(row.run, row.batch).changes);
    return isLike(HEX, row.run) && isThere.get(row.run) === 1 ? row : { ...row, run: null, state: 'pending' };
  };
}

function isLike(form: RegExp, value: unknown): boolean {
  return typeof value === 'string' && form.test(value);
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
}

/** Parses JSON. An empty object for anything else. */
function read(text: unknown): object {
  const value: unknown = orUndefined(() => JSON.parse(String(text)));
  return typeof value === 'object' && value !== null ? value : {};
}
