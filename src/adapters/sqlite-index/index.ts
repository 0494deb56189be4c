import type { Index } from '../../ports.ts';
import { connect } from './connection.ts';
import { openHistory } from './history.ts';
import { openMade } from './made.ts';
import { openWork } from './work.ts';

/** The index in one SQLite file at an absolute path. Errors: `index_unusable`, `index_newer`, `no_space`. */
export async function openSqliteIndex(path: string): Promise<Index> {
  const connection = await connect(path);
  const made = openMade(connection);
  return {
    ...made.port,
    ...openWork(connection, made),
    ...openHistory(connection),
    close: async () => connection.close(),
  };
}
