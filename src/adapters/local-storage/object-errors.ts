import {
  ImgtoolError,
  outputUnreadable,
  removeError,
  systemCode,
  withSetting,
  writeError,
} from '../../errors.ts';

// Errors of the folder of the objects.

export const isAbsence = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');

/** The setting that names the folder of the objects, for hints. */
export const SETTING = 'storage';

export function storageError(error: unknown, what: string): ImgtoolError {
  const { code, message, fix, cause } = withSetting(writeError(error, what), SETTING);
  // The service goes on by itself.
  const advice = fix?.replace(', then run the same command again', '');
  return new ImgtoolError(code, message, { fix: advice, cause });
}

/** A handler of errors of a folder in which nothing can be stored: another try does not help. */
export const failAtRoot = (root: string) => (error: unknown) => {
  const { code, message, fix = `choose another {{${SETTING}}}`, cause } = storageError(error, root);
  throw new ImgtoolError(code === 'io' ? 'not_writable' : code, message, { fix, cause });
};

export const failAt = (what: string) => (error: unknown) => {
  throw storageError(error, what);
};

/** A handler of errors of a removal: what is gone needs none. */
export const failRemoving = (what: string) => (error: unknown) => {
  if (!isAbsence(error)) throw removeError(error, what);
};

/** A handler of errors of reading a folder: a missing one is empty. */
export const failReading =
  (what: string) =>
  (error: unknown): [] => {
    if (isAbsence(error)) return [];
    throw withSetting(outputUnreadable(error, what), SETTING);
  };

export function missing(key: string): ImgtoolError {
  return new ImgtoolError('source_missing', `${key}: is not in storage (any more)`, {
    fix: 'upload it again',
  });
}
