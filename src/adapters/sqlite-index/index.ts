import type { Index } from '../../ports.ts';
import { connect, indexError } from './connection.ts';
import { openHistory } from './history.ts';
import { openMade } from './made.ts';
import { openWork } from './work.ts';

/** The index in one SQLite file at an absolute path. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function openSqliteIndex(path: string): Promise<Index> {
  const connection = await connect(path);
  try {
    const made = openMade(connection);
    return {
      ...made.port,
      ...openWork(connection, made),
      ...openHistory(connection),
      close: async () => connection.close(),
    };
  } catch (error) {
    // Another program's tables: none of the statements fits them.
    connection.close();
    throw indexError(error, path);
  }
}
