import { openSqliteHistory, type PastBatches } from '../adapters/sqlite-index/history.ts';
import type { Config } from '../config.ts';

/** What happened, for commands that look at nothing else. */
export function openHistory({ index }: Config): Promise<PastBatches> {
  return openSqliteHistory(index);
}
