import { ImgtoolError, systemCode } from '../../errors.ts';
import type { DatabaseKind } from './kind.ts';

/** An error about the file as a whole. */
export function unusable(message: string, fix: string, cause?: unknown): ImgtoolError {
  return new ImgtoolError('index_unusable', message, { fix, cause });
}

/** Turns any error of a step into one that names the file and what to do. */
export function databaseError(error: unknown, path: string, kind: DatabaseKind): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? '';
  const what = error instanceof Error ? error.message : String(error);
  if (isBusy(error)) {
    const fix =
      'end what else works with that file, such as a database browser, then run the same command again';
    return unusable(`${path}: another program has held the ${kind.noun} for too long`, fix, error);
  }
  // better-sqlite3 looks for its binding when the first database is opened. Its own error has no code.
  const isUnbound = /^(ERR_DLOPEN_FAILED|MODULE_NOT_FOUND)$/.test(code);
  if (isUnbound || what.startsWith('Could not locate the bindings file')) return withoutBinding(error);
  if (/^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)$/.test(code)) {
    const fix = 'free some space or name another place with {{index}}';
    return new ImgtoolError('no_space', `${path}: no space left for the ${kind.noun}`, { fix, cause: error });
  }
  if (code === 'SQLITE_NOTADB') {
    const fix = `name another file with {{index}}; if this was the ${kind.noun}: ${kind.fixDamage(path)}`;
    return unusable(`${path}: is no ${kind.noun} (${what})`, fix, error);
  }
  if (/^(EACCES|EPERM|EROFS|SQLITE_READONLY)$/.test(code)) {
    const fix = 'run it as someone who may, or name another place with {{index}}';
    return unusable(`${path}: may not be written (${code})`, fix, error);
  }
  // The file is sound, and the step itself is wrong.
  if (code.startsWith('SQLITE_CONSTRAINT')) return new ImgtoolError('internal', what, { cause: error });
  if (isDamage(error)) return damaged(path, what, kind, error);
  const fix = 'check the path, its permissions and the space there, or name another place with {{index}}';
  return unusable(`${path}: cannot be used (${what})`, fix, error);
}

export function withoutBinding(cause: unknown): ImgtoolError {
  const fix =
    'npm rebuild better-sqlite3 in the folder of imgtool; if that fails, see imgtool help files-and-uninstall';
  const why = `the SQLite binding is missing or made for another Node than ${process.version}`;
  // The message about a missing binding is a list of a dozen paths.
  const isMissing = systemCode(cause) !== 'ERR_DLOPEN_FAILED';
  return unusable(why, fix, isMissing ? undefined : cause);
}

/** Whether another connection was in the way. A moment later it may be gone. */
export function isBusy(error: unknown): boolean {
  // Many connections that open at once can keep the locks of the WAL from each other.
  return /^SQLITE_(BUSY.*|PROTOCOL)$/.test(systemCode(error) ?? '');
}

/** Whether SQLite cannot make sense of what it reads. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT.*|NOTADB|ERROR|IOERR_SHORT_READ)$/.test(systemCode(error) ?? '');
}

export function damaged(path: string, what: string, kind: DatabaseKind, cause?: unknown): ImgtoolError {
  return unusable(`${path}: the ${kind.noun} is damaged (${what})`, kind.fixDamage(path), cause);
}

export function newer(path: string, found: number, { migrations, noun }: DatabaseKind): ImgtoolError {
  const what = `was made by a newer imgtool (version ${found}, this one knows ${migrations.length})`;
  const fix = `update imgtool, or name another ${noun} with {{index}}`;
  return new ImgtoolError('index_newer', `${path}: ${what}`, { fix });
}

export function inRepair(path: string): ImgtoolError {
  const fix = 'wait until that has ended, then run the same command again';
  return unusable(`${path}: is being repaired`, fix);
}
