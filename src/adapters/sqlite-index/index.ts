import type { Index } from '../../ports.ts';
import { openAgain } from './again.ts';
import { connect, type Purpose } from './connection.ts';
import { indexError } from './errors.ts';
import { openHistory } from './history.ts';
import { openMade } from './made.ts';
import { openRuns } from './runs.ts';
import { openWork } from './work.ts';

/**
 * The index in one SQLite file at an absolute path; one that is only looked at may be write-protected. Errors:
 * `index_unusable`, `index_newer`, `no_space`.
 */
export async function openSqliteIndex(path: string, purpose: Purpose = 'work'): Promise<Index> {
  const connection = await connect(path, { purpose });
  try {
    const made = openMade(connection);
    return {
      ...made.port,
      ...openRuns(connection),
      ...openWork(connection, made),
      ...openHistory(connection),
      ...openAgain(connection),
      close: async () => connection.close(),
    };
  } catch (error) {
    // Another program's tables: none of the statements fits them.
    connection.close();
    throw indexError(error, path);
  }
}
