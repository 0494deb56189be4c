import { connect } from '../sqlite/connection.ts';
import { STORE } from './schema.ts';
import { executor } from './sqlite.ts';
import { changeSteps } from './steps/again.ts';

/**
 * Cancels what has not ended in a batch, or makes its failed and cancelled images wait again. Also works beside a process
 * that holds the store: that process looks for such changes. Returns the number of images; undefined for an unknown batch.
 * Errors: those of `connect`.
 */
export async function changeBatch(
  path: string,
  how: 'cancel' | 'retry',
  batch: string,
): Promise<number | undefined> {
  const connection = await connect(STORE, path);
  try {
    const carryOut = executor(connection);
    return await connection.write(() => carryOut(changeSteps[how](Date.now(), 'all', { batch })));
  } finally {
    connection.close();
  }
}
