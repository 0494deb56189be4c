import type { Backup } from '../../../model/mended.ts';
import { copyDatabase } from '../../sqlite/copy.ts';
import { INDEX } from '../migrations.ts';
import { countRows, indexProblems } from './health.ts';

/**
 * Saves a copy of an index under a free name, all of it or nothing, also while runs work with the index. Errors: those of
 * `copyDatabase`.
 */
export async function backUpSqliteIndex(path: string, file: string, signal: AbortSignal): Promise<Backup> {
  const tidy = withoutRuns(Date.now());
  const copied = { kind: INDEX, tidy, problems: indexProblems, count: countRows };
  return { index: path, ...(await copyDatabase(path, file, copied, signal)) };
}

/** Removes runs from the copy. In the place of the copy they would count as dead and be recovered. */
const withoutRuns = (now: number) => `
BEGIN;
UPDATE jobs SET state = 'pending', run = NULL WHERE run IS NOT NULL;
UPDATE batches SET state = 'interrupted', finished_at = ${now} WHERE state = 'running';
DELETE FROM claims;
DELETE FROM runs;
COMMIT`;
