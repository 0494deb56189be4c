import type { Database } from 'better-sqlite3';
import { orUndefined } from '../../../errors.ts';
import { keep, valuesIn } from '../../sqlite/binding.ts';

export type SalvagedRow = Readonly<Record<string, unknown>>;

/** How many ranges of a table are tried before the rest is given up. */
const MOST_LOOKS = 20_000;
/** Above the id of every row. */
const HIGHEST_ID = 2 ** 40;
/** Sorts after every text. */
const AFTER_ALL_TEXT = Buffer.alloc(0);

type RowKey = number | string;
type Keys = readonly string[];

export interface TableReading {
  readonly table: string;
  readonly key: string;
  readonly columns: readonly string[];
  /** Text keys to try, in the order of SQLite. */
  readonly known?: Keys | undefined;
  /** Called when rows cannot be read. */
  readonly lost: () => void;
}

/**
 * The readable rows of a table, in no order, some of them twice. Skips pages that cannot be read: reads from both ends
 * up to the damage, then from keys inside the rest, halving it each time. Any number may be a key; text keys are taken
 * from `known`.
 */
export function* readable(db: Database, { table, key, columns, known = [], lost }: TableReading) {
  const rows = `SELECT ${columns.join(', ')} FROM ${table} NOT INDEXED WHERE ${key} > ? AND ${key} <= ?`;
  const prepare = (sql: string) =>
    orUndefined(() => keep(db.prepare<[RowKey, RowKey | Buffer], SalvagedRow>(sql)));
  const upwards = prepare(`${rows} ORDER BY ${key}`);
  const downwards = prepare(`${rows} ORDER BY ${key} DESC`);
  // The schema of the table cannot be read.
  if (upwards === undefined || downwards === undefined) return lost();
  const [type] = valuesIn(db, 'SELECT type FROM pragma_table_info(?) WHERE name = ?', table, key);
  let looks = MOST_LOOKS;
  yield* type === 'TEXT' ? between('', undefined, known) : between(0, HIGHEST_ID, []);

  /** Rows above one key, up to another. `inside`: the known keys among them. */
  function* between(after: RowKey, upTo: RowKey | undefined, inside: Keys): Generator<SalvagedRow> {
    if (looks-- <= 0) return;
    const end = upTo ?? AFTER_ALL_TEXT;
    const low = yield* untilDamage(keep(upwards!.iterate(after, end)), key, after, 1);
    if (low.isDone) return;
    lost();
    const from = low.last ?? after;
    const high = yield* untilDamage(keep(downwards!.iterate(from, end)), key, upTo, -1);
    if (high.isDone) return;
    const left = inside.filter((one) => isBetween(one, from, high.last));
    const middle =
      typeof from === 'number' ? Math.floor((from + Number(high.last)) / 2) : left[left.length >> 1];
    if (middle === undefined || !isBetween(middle, from, high.last)) return;
    yield* between(from, middle, left);
    yield* between(middle, high.last, left);
  }
}

/** Yields rows while their keys go in one direction. Returns the last key, and whether all rows were read. */
function* untilDamage(
  rows: IterableIterator<SalvagedRow>,
  key: string,
  from: RowKey | undefined,
  direction: 1 | -1,
): Generator<SalvagedRow, { last: RowKey | undefined; isDone: boolean }> {
  let last = from;
  try {
    for (const row of rows) {
      const found = row[key];
      const isKey = typeof found === 'number' || typeof found === 'string';
      // A damaged page may lead back to an earlier one.
      const isOnward =
        isKey && (last === undefined || compare(found, last) * direction > 0 || found === from);
      if (!isOnward) return { last, isDone: false };
      last = found;
      yield row;
    }
    return { last, isDone: true };
  } catch {
    // SQLite cannot read the next row.
    return { last, isDone: false };
  }
}

/** Compares like SQLite: numbers by value, text by its bytes. */
function compare(a: RowKey, b: RowKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function isBetween(key: RowKey, low: RowKey, high: RowKey | undefined): boolean {
  return compare(key, low) > 0 && (high === undefined || compare(key, high) < 0);
}
