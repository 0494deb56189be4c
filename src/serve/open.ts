import { openLocalObjects } from '../adapters/local-storage/objects.ts';
import { holdStorage } from '../adapters/store/hold.ts';
import { openSqliteStore } from '../adapters/store/sqlite.ts';
import type { Engine } from '../engine.ts';
import type { ServeContext, Service } from './context.ts';
import type { ImageTools } from './job.ts';
import { STAGING } from './keys.ts';
import { type KeepTimes, startSweeper } from './sweep.ts';
import { startWorker } from './work.ts';

export { storeBeside } from '../adapters/sqlite/file.ts';

export interface ServiceOptions extends Pick<ServeContext, 'emit'>, Pick<ImageTools, 'options'> {
  /** Its child processes and its memory budget render uploads too. */
  readonly engine: Pick<Engine, 'rendering'>;
  /** Absolute path of the file of the store. */
  readonly store: string;
  /** Absolute path of the folder of the objects. */
  readonly storage: string;
  readonly keep: KeepTimes;
}

/**
 * Opens store and storage, and begins to process what waits. Errors: `index_unusable` and `index_newer`, also while
 * another process holds the store or the storage; those of storage that cannot be written.
 */
export async function openService(asked: ServiceOptions): Promise<Service> {
  const { engine, options, emit, keep } = asked;
  const store = await openSqliteStore(asked.store);
  let release = () => {};
  try {
    const hold = (root: string) => {
      const held = holdStorage(root);
      release = held.release;
      return held.check;
    };
    const objects = openLocalObjects(asked.storage, hold, [STAGING]);
    await objects.prepare();
    await store.recordStorage(asked.storage);
    const context = { store, objects, emit };
    const worker = startWorker({ ...context, ...engine.rendering(options), options });
    const sweeper = startSweeper({ ...context, worker }, keep);
    return {
      ...context,
      worker,
      async close() {
        await Promise.all([worker.stop(0), sweeper.stop()]);
        release();
        await store.close();
      },
    };
  } catch (error) {
    release();
    await store.close();
    throw error;
  }
}
