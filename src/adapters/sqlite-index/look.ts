import type { Index } from '../../ports.ts';
import { connect } from './connection.ts';
import { indexError } from './errors.ts';
import { openHistory } from './history.ts';

/** What can be looked up of batches and jobs, without all that works on them. */
export type PastBatches = Pick<Index, 'batch' | 'batches' | 'jobs' | 'close'>;

/** As `openSqliteIndex` does, for who only looks at what happened. It may be write-protected. */
export async function openSqliteHistory(path: string): Promise<PastBatches> {
  const connection = await connect(path, { purpose: 'look' });
  try {
    const { batch, batches, jobs } = openHistory(connection);
    return { batch, batches, jobs, close: async () => connection.close() };
  } catch (error) {
    connection.close();
    throw indexError(error, path);
  }
}
