import type { Database } from 'better-sqlite3';
import type { IndexHealth } from '../../../model/mended.ts';
import type { FoldName } from '../../../ports.ts';
import { valuesIn } from '../binding.ts';
import { damageOf } from '../check.ts';
import { connect } from '../connection.ts';
import { indexError } from '../errors.ts';
import { checkPlace, sizeOf } from '../file.ts';
import { createIndex } from '../index.ts';
import { COUNTED } from '../migrations.ts';

/** Reads the whole index and reports its size and what is wrong with it. Errors: `index_unusable`, `index_newer`. */
export async function checkSqliteIndex(path: string, fold: FoldName): Promise<IndexHealth> {
  const connection = await connect(path, 'look');
  const { db, read } = connection;
  try {
    if (sizeOf(path) === 0) checkPlace(path);
    // A table without a column that a statement needs is damage too.
    createIndex(connection, fold);
    return await read(() => ({
      path,
      version: Number(valuesIn(db, 'PRAGMA user_version')[0]),
      bytes: sizeOf(path) + sizeOf(`${path}-wal`),
      ...countRows(db),
      problems: indexProblems(db),
    }));
  } catch (error) {
    throw indexError(error, path);
  } finally {
    connection.close();
  }
}

/** Everything that is wrong with an index, read from end to end. Empty when the index is sound. */
export function indexProblems(db: Database): string[] {
  const damage = damageOf(db, 'integrity_check');
  return damage.length > 0 ? damage : [...valuesIn<string>(db, STRAY), ...valuesIn<string>(db, MISCOUNTED)];
}

/** Number of sources, outputs that were made, and batches. */
export function countRows(db: Database): Pick<IndexHealth, 'sources' | 'outputs' | 'batches'> {
  const count = (rows: string) => Number(valuesIn(db, `SELECT count(*) FROM ${rows}`)[0]);
  return {
    sources: count('sources'),
    outputs: count('outputs WHERE checksum IS NOT NULL'),
    batches: count('batches'),
  };
}

const STRAY = `SELECT 'a row of ' || "table" || ' belongs to nothing' FROM pragma_foreign_key_check`;

/** Batches whose counts differ from those of their jobs. */
const MISCOUNTED = `
SELECT 'the counts of batch ' || batches.id || ' are wrong' FROM batches LEFT JOIN counts ON counts.batch = batches.id
WHERE counts.batch IS NULL OR ${COUNTED.map(
  (state) =>
    `counts.${state} <> (SELECT count(*) FROM jobs WHERE jobs.batch = batches.id AND state = '${state}')`,
).join(' OR ')}`;
