import { ImgtoolError, repairCommand, systemCode } from '../../errors.ts';

/** Turns any error of a step into one that names the index and what to do. */
export function indexError(error: unknown, path: string): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? '';
  const what = error instanceof Error ? error.message : String(error);
  if (isBusy(error)) return held(path, error);
  // better-sqlite3 looks for its binding when the first database is opened, and this error has no code.
  if (code === 'ERR_DLOPEN_FAILED' || /^Could not locate the bindings file/.test(what))
    return withoutBinding(error);
  switch (code) {
    case 'SQLITE_FULL':
    case 'SQLITE_IOERR_SHMSIZE':
    case 'ENOSPC':
    case 'EDQUOT':
      return new ImgtoolError('no_space', `${path}: no space left for the index`, {
        fix: 'free some space or name another place with {{index}}',
        cause: error,
      });
    case 'SQLITE_NOTADB':
      return new ImgtoolError('index_unusable', `${path}: is no index (${what})`, {
        fix: `name another file with {{index}}; if this was the index: ${repairCommand(path)}`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'SQLITE_READONLY':
      return new ImgtoolError('index_unusable', `${path}: may not be written (${code})`, {
        fix: 'run it as someone who may, or name another place with {{index}}',
        cause: error,
      });
    case 'SQLITE_ERROR':
    case 'SQLITE_IOERR_SHORT_READ':
      return damaged(path, what, error);
    default:
      if (code.startsWith('SQLITE_CORRUPT')) return damaged(path, what, error);
      return new ImgtoolError('index_unusable', `${path}: cannot be used (${what})`, {
        fix: 'check the path, its permissions and the space there, or name another place with {{index}}',
        cause: error,
      });
  }
}

export function withoutBinding(cause: unknown): ImgtoolError {
  return new ImgtoolError('index_unusable', 'the SQLite binding is missing or made for another Node', {
    fix: 'npm rebuild better-sqlite3 --allow-scripts=better-sqlite3',
    cause,
  });
}

/** Whether another connection was in the way. A moment later it may be gone. */
export function isBusy(error: unknown): boolean {
  const code = systemCode(error) ?? '';
  // Many connections that open at once can keep the locks of the WAL from each other.
  return code.startsWith('SQLITE_BUSY') || code === 'SQLITE_PROTOCOL';
}

export function damaged(path: string, what: string, cause?: unknown): ImgtoolError {
  return new ImgtoolError('index_unusable', `${path}: the index is damaged (${what})`, {
    fix: repairCommand(path),
    cause,
  });
}

export function notOurs(path: string): ImgtoolError {
  return new ImgtoolError('index_unusable', `${path}: is the database of another program`, {
    fix: 'name another file with {{index}}',
  });
}

export function noIndex(path: string): ImgtoolError {
  return new ImgtoolError(
    'index_unusable',
    `${path}: is no index of imgtool, so there is nothing to repair`,
    {
      fix: 'nothing was touched; name the index with {{index}}',
    },
  );
}

export function stillInUse(path: string): ImgtoolError {
  return new ImgtoolError('index_unusable', `${path}: was deleted while a run works with it`, {
    fix: 'wait until that run has ended, then run the same command again',
  });
}

export function newer(path: string, found: number, known: number): ImgtoolError {
  return new ImgtoolError(
    'index_newer',
    `${path}: was made by a newer imgtool (version ${found}, this one knows ${known})`,
    { fix: 'update imgtool, or name another index with {{index}}' },
  );
}

export function inRepair(path: string): ImgtoolError {
  return new ImgtoolError('index_unusable', `${path}: is being repaired`, {
    fix: 'wait until that has ended, then run the same command again',
  });
}

function held(path: string, cause: unknown): ImgtoolError {
  return new ImgtoolError('index_unusable', `${path}: another program has held the index for too long`, {
    fix: 'end what else works with that file, such as a database browser, then run the same command again',
    cause,
  });
}
