import { readFileSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, systemCode } from '../../../errors.ts';
import { keep, type Sqlite } from '../binding.ts';

/** Where a database's header says how it is written and read, and the word for "without a WAL". */
const FORMATS = [18, 19] as const;
const WITHOUT_WAL = 1;

/** Whether an index could not be opened because something there may not be written. */
export function mayBeLookedAt(error: unknown): boolean {
  const code = systemCode(error instanceof ImgtoolError ? error.cause : error) ?? '';
  return /^(EACCES|EPERM|EROFS|SQLITE_(CANTOPEN|READONLY|IOERR_(SHM|LOCK|DELETE)).*)$/.test(code);
}

/**
 * An index read into memory: readers of a WAL write too, beside it, and where they may not there is no other way. It
 * is not in use then, unless by someone who left something in the WAL. Errors: `index_unusable`, the system's.
 */
export function openSnapshot(Sqlite: Sqlite, path: string): Database {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new ImgtoolError(
      'index_unusable',
      `${path}: may only be read, and its end lies in a log beside it`,
      {
        fix: 'run the command as someone who may write there',
      },
    );
  }
  const bytes = readFileSync(path);
  for (const at of FORMATS) bytes[at] = WITHOUT_WAL;
  return keep(new Sqlite(bytes));
}
