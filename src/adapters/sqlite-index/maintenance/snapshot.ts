import { readFileSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, systemCode } from '../../../errors.ts';
import { keep, type Sqlite } from '../binding.ts';

/** Positions in the header of a database that say how it is written and read, and the value for “without a WAL”. */
const FORMATS = [18, 19] as const;
const WITHOUT_WAL = 1;

/** Whether an index could not be opened because something there is write-protected. */
export function mayBeLookedAt(error: unknown): boolean {
  const code = systemCode(error instanceof ImgtoolError ? error.cause : error) ?? '';
  return /^(EACCES|EPERM|EROFS|SQLITE_(CANTOPEN|READONLY|IOERR_(SHM|LOCK|DELETE)).*)$/.test(code);
}

/**
 * Reads an index into memory. Readers of a WAL write beside it too; where they cannot, this is the only way. Nobody
 * works with such an index, unless there is something in its WAL. Errors: `index_unusable`, those of the system.
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
