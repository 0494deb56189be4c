import type { Database } from 'better-sqlite3';
import type { Backup, IndexHealth } from '../../../model/mended.ts';
import type { FoldName } from '../../../ports.ts';
import { valuesIn } from '../../sqlite/binding.ts';
import { damageOf, STRAY } from '../../sqlite/check.ts';
import { connect } from '../../sqlite/connection.ts';
import { copyDatabase } from '../../sqlite/copy.ts';
import { databaseError } from '../../sqlite/errors.ts';
import { checkPlace, sizeOf } from '../../sqlite/file.ts';
import { createIndex } from '../index.ts';
import { COUNTED, INDEX } from '../migrations.ts';

/** Reads the whole index and reports its size and what is wrong with it. Errors: `index_unusable`, `index_newer`. */
export async function checkSqliteIndex(path: string, fold: FoldName): Promise<IndexHealth> {
  const connection = await connect(INDEX, path, 'look');
  const { db, read } = connection;
  try {
    if (sizeOf(path) === 0) checkPlace(path, INDEX);
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
    throw databaseError(error, path, INDEX);
  } finally {
    connection.close();
  }
}

/**
 * Saves a copy of an index under a free name, all of it or nothing, also while runs work with the index. Errors: those of
 * `copyDatabase`.
 */
export async function backUpSqliteIndex(path: string, file: string, signal: AbortSignal): Promise<Backup> {
  const tidy = withoutRuns(Date.now());
  const copied = { kind: INDEX, tidy, problems: indexProblems, count: countRows };
  return { index: path, ...(await copyDatabase(path, file, copied, signal)) };
}

/** Removes runs from the copy. Nobody holds their locks beside the copy, so they would count as dead. */
const withoutRuns = (now: number) => `
BEGIN;
UPDATE jobs SET state = 'pending', run = NULL WHERE run IS NOT NULL;
UPDATE batches SET state = 'interrupted', finished_at = ${now} WHERE state = 'running';
DELETE FROM claims;
DELETE FROM runs;
COMMIT`;

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

/** Batches whose counts differ from those of their jobs. */
const MISCOUNTED = `
SELECT 'the counts of batch ' || batches.id || ' are wrong' FROM batches LEFT JOIN counts ON counts.batch = batches.id
WHERE counts.batch IS NULL OR ${COUNTED.map(
  (state) =>
    `counts.${state} <> (SELECT count(*) FROM jobs WHERE jobs.batch = batches.id AND state = '${state}')`,
).join(' OR ')}`;
