import { statSync } from 'node:fs';
import { ImgtoolError } from '../../errors.ts';

/** The files of an open index: whether they are still the ones that were opened. */
export interface Identity {
  /** Errors: `index_unusable` when one was deleted, moved away or replaced. Takes some microseconds. */
  check(): void;
}

/**
 * Remembers which file lies under an index's name, and from the first check on which WAL beside it. What is written
 * into files that lie there no more is lost to everyone else. `lost` is called once, as that is found.
 */
export function identityOf(path: string, lost: () => void): Identity {
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

/** What tells one file from another that has its name later. */
export function printOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts && `${facts.dev} ${facts.ino}`;
}
