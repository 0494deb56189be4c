import { statSync } from 'node:fs';
import { ImgtoolError } from '../../errors.ts';

/** Whether the files of an open index are still the ones that were opened. */
export interface Identity {
  /** Takes some microseconds. Errors: `index_unusable` when a file was deleted, moved or replaced. */
  check(): void;
}

/**
 * Remembers which file has the name of the index and, from the first check on, which file is its WAL. What is written
 * into files without these names is lost to other processes. Calls `lost` once, when a file has changed.
 */
export function watchIdentity(path: string, lost: () => void): Identity {
  const wal = `${path}-wal`;
  const own = printOf(path);
  let ownWal: string | undefined;
  let error: ImgtoolError | undefined;
  const gone = () => {
    if (printOf(path) !== own) return path;
    const now = printOf(wal);
    ownWal ??= now;
    return now === ownWal ? undefined : wal;
  };
  return {
    check() {
      if (error !== undefined) throw error;
      const name = gone();
      if (name === undefined) return;
      error = new ImgtoolError('index_unusable', `${name}: was deleted or replaced while it was in use`, {
        fix: 'run the same command again: an index that lacks outputs adopts those there are',
      });
      lost();
      throw error;
    },
  };
}

/** A mark of a file. Another file that gets the same name later has another mark. */
export function printOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts && `${facts.dev} ${facts.ino}`;
}
