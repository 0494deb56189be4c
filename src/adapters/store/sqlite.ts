import { chmodSync } from 'node:fs';
import type { Statement as Prepared } from 'better-sqlite3';
import { orUndefined } from '../../errors.ts';
import type { Store } from '../../ports.ts';
import { type Connection, connect } from '../sqlite/connection.ts';
import { openDurable } from '../sqlite/durable.ts';
import { BESIDE, realPlace } from '../sqlite/file.ts';
import { openGroupCommit, openGroupRead } from '../sqlite/group-commit.ts';
import { type Hold, holdStore } from './hold.ts';
import { STORE } from './schema.ts';
import type { Statement, StoreStep } from './sql.ts';
import { changeSteps } from './steps/changes.ts';
import { imageSteps } from './steps/images.ts';
import { closeBatch } from './steps/parts.ts';
import { queueSteps } from './steps/queue.ts';
import { upkeepSteps } from './steps/upkeep.ts';
import { uploadSteps } from './steps/uploads.ts';

/**
 * Opens the store in one SQLite file, and holds it until it is closed or the process ends. `now` returns milliseconds
 * since 1970. Errors: those of `connect`; `index_unusable` while another process holds the store.
 */
export async function openSqliteStore(
  path: string,
  { now = Date.now }: { now?: () => number } = {},
): Promise<Store> {
  const connection = await connect(STORE, path);
  try {
    const hold = holdStore(connection);
    // The names of owners and of their files are for the service alone.
    for (const end of ['', ...BESIDE]) orUndefined(() => chmodSync(realPlace(path) + end, 0o600));
    return storeOn(connection, hold, now);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function storeOn(connection: Connection, hold: Hold, now: () => number): Store {
  const durable = openDurable(connection);
  const group = openGroupCommit({ ...connection, write: durable.write });
  const carryOut = executor(connection);
  /** Makes methods of steps that such transactions carry out. */
  const methods =
    (transaction: Connection['write'], check = () => {}) =>
    <A extends readonly unknown[], T>(step: (now: number, ...asked: A) => StoreStep<T>) =>
    (...asked: A) =>
      transaction(() => {
        check();
        return carryOut(step(Math.floor(now()), ...asked));
      });
  const write = methods(group, hold.check);
  /**
   * For what may be taken back by a power cut. `take`: the image waits again. `endBatch`: the next start ends the batch.
   * `quota`: the window is moved again.
   */
  const writeUnsynced = methods(openGroupCommit({ ...connection, write: durable.writeUnsynced }), hold.check);
  const read = methods(openGroupRead({ ...connection, read: durable.read }));
  return {
    accept: write(uploadSteps.accept),
    replay: read(uploadSteps.replay),
    quota: writeUnsynced(uploadSteps.quota),
    countRefused: write(uploadSteps.countRefused),
    resetQuota: write(uploadSteps.resetQuota),
    take: writeUnsynced(queueSteps.take),
    begin: write(queueSteps.begin),
    lost: read(queueSteps.lost),
    settle: write(queueSteps.settle),
    endBatch: writeUnsynced(closeBatch),
    giveBack: write(queueSteps.giveBack),
    unended: read(queueSteps.unended),
    recover: write(queueSteps.recover),
    image: read(imageSteps.image),
    imageOfJob: read(imageSteps.imageOfJob),
    jobOf: read(imageSteps.jobOf),
    images: read(imageSteps.images),
    batchOf: read(imageSteps.batchOf),
    imagesOf: read(imageSteps.imagesOf),
    cancel: write(changeSteps.cancel),
    retry: write(changeSteps.retry),
    remove: write(changeSteps.remove),
    dropRows: write(changeSteps.dropRows),
    made: read(upkeepSteps.made),
    stats: read(upkeepSteps.stats),
    waiting: read(upkeepSteps.waiting),
    failed: read(upkeepSteps.failed),
    // What it sees must be durable: its caller removes the other objects.
    referred: write(upkeepSteps.referred),
    sweep: write(upkeepSteps.sweep),
    recordStorage: write(upkeepSteps.recordStorage),
    async close() {
      if (!connection.db.open) return;
      // Steps of this turn come first. Their callers receive their errors.
      await group(() => {}).catch(() => {});
      hold.release();
      durable.close();
    },
  };
}

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
    const now = Date.now();
    return await connection.write(() => {
      if (how === 'retry') return carryOut(changeSteps.retry(now, 'all', { batch }));
      return carryOut(changeSteps.cancel(now, 'all', { batch }))?.length;
    });
  } finally {
    connection.close();
  }
}

/** Carries out steps, inside a transaction. Each statement is prepared once. */
export function executor({ prepare }: Connection): <T>(step: StoreStep<T>) => T {
  const prepared = new Map<string, Prepared<unknown[]>>();
  const run = ({ parts, values }: Statement): unknown[] => {
    const text = parts.join('?');
    const statement = prepared.get(text) ?? prepare<unknown[]>(text);
    prepared.set(text, statement);
    if (statement.reader) return statement.all(...values);
    statement.run(...values);
    return [];
  };
  return (step) => {
    let turn = step.next([]);
    while (turn.done !== true) turn = step.next(run(turn.value));
    return turn.value;
  };
}
