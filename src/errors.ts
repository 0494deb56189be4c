import { type ErrorCode, hasTrait } from './errors/codes.ts';

export { classOf, type ErrorClass, type ErrorCode, hasTrait, isErrorCode } from './errors/codes.ts';

/** An error for the user. `message` names the thing, the expected value and the actual one. `fix` says what to do next. */
export class ImgtoolError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, options: { fix?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ImgtoolError';
    this.code = code;
    this.fix = options.fix;
  }

  /** Whether the same attempt may succeed a moment later. */
  get retryable(): boolean {
    return hasTrait(this.code, 'retryable');
  }

  /** Whether no other image could succeed either. */
  get fatal(): boolean {
    return hasTrait(this.code, 'fatal');
  }
}

/** The system's code of a failed call (`ENOENT` …), if the error has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What the function returns, or undefined if it throws: for calls where a failure is an answer too. With `codes`, only
 * for an error with one of these codes of the system.
 */
export function orUndefined<T>(ask: () => T, codes?: RegExp): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (codes?.test(systemCode(error) ?? '') === false) throw error;
    return undefined;
  }
}

/** Turns any thrown value into an ImgtoolError. Unexpected errors are `internal`. */
export function asImgtoolError(error: unknown): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ImgtoolError('internal', message, { cause: error });
}

/** The same error, with a hint that names another setting than the folder of outputs or the index. */
export function withSetting({ code, message, fix, cause }: ImgtoolError, setting: string): ImgtoolError {
  const named = fix?.replace(/\{\{(out|index)\}\}( or \{\{name\}\})?/, `{{${setting}}}`);
  return new ImgtoolError(code, message, { fix: named, cause });
}

/** The part of an error that is recorded and reported. */
export function failureOf({ code, message, fix }: ImgtoolError) {
  return fix === undefined ? { code, message } : { code, message, fix };
}

/** The error for a foreign file under an output's name. */
export function outputExists(path: string, cause?: unknown): ImgtoolError {
  const fix = 'move that file away, choose another {{out}} or {{name}}, or replace it with {{force}}';
  const message = `its output ${path} exists and was not made by imgtool`;
  return new ImgtoolError('output_exists', message, { fix, cause });
}

/** The error of a new source whose name was that of another source, with an edit that must stay. */
export function editOfAnother(path: string): ImgtoolError {
  const message = `its output ${path} is an edit of another source's output`;
  const fix = 'move that file away, choose another {{out}} or {{name}}, or use {{keepEdited false}}';
  return new ImgtoolError('output_exists', message, { fix });
}

export function batchRunning(id: string): ImgtoolError {
  const fix = `{{command status ${id} --watch}} shows it, {{command cancel ${id}}} stops it`;
  return new ImgtoolError('batch_running', `batch ${id} is being worked on`, { fix });
}

export function unknownBatch(id: string): ImgtoolError {
  return new ImgtoolError('unknown_batch', `${id}: no batch has this id`, { fix: '{{command list}}' });
}

const MORE_OF_ID = 'give more of the id';

/** The error for the first digits of an id that two batches have. */
export function severalBatches(id: string, one: string, other: string): ImgtoolError {
  const message = `${id}: several batch ids begin like this (${one}, ${other})`;
  return new ImgtoolError('unknown_batch', message, { fix: MORE_OF_ID });
}

export function isOfSeveral({ fix }: ImgtoolError): boolean {
  return fix === MORE_OF_ID;
}

export function outputIsSource(path: string): ImgtoolError {
  const fix = 'move that source away, or choose another {{out}} or {{name}}';
  return new ImgtoolError('output_is_source', `its output ${path} would replace a source`, { fix });
}

export function stoppedEarly(): ImgtoolError {
  return new ImgtoolError('cancelled', 'stopped before it was done');
}

export function svgRefused(): ImgtoolError {
  const message = 'SVG is not read unless it is asked for: it can be made to hang';
  const fix = 'add {{allowSvg}} when you trust where the file comes from';
  return new ImgtoolError('unsupported_format', message, { fix });
}

/** The error for a picture with more pixels than the limit. Width and height are those of the upright picture. */
export function tooManyPixels(width: number, height: number, limit: number): ImgtoolError {
  const mega = `${(limit / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} Mpx`;
  const needed = Math.ceil((width * height) / 1e6);
  const size = [width, height].map((side) => side.toLocaleString('en')).join(' x ');
  const fix = `raise it with {{limitPixels ${needed}M}} if you trust the picture`;
  return new ImgtoolError('too_large', `${size} px is over the limit of ${mega}`, { fix });
}

/** The error for a source that a symbolic link has replaced since the walk. */
export function isLinkNow(cause?: unknown): ImgtoolError {
  const fix = 'put a file in its place, or name the link itself if you trust it';
  return new ImgtoolError('source_outside', 'is a symbolic link now', { fix, cause });
}

/** The error for an input that cannot be used. `cause` is the error of the system. */
export function noInput(message: string, fix: string, cause?: unknown): ImgtoolError {
  const why = cause === undefined ? '' : ` (${systemCode(cause) ?? String(cause)})`;
  const end = fix.endsWith('?') ? ' Nothing was done.' : '; nothing was done';
  return new ImgtoolError('no_input', `${message}${why}`, { fix: `${fix}${end}`, cause });
}

/** The error for a failed write in storage. `what` is the path, for example "out/a.webp". */
export function writeError(error: unknown, what: string): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? String(error);
  const as = (kind: ErrorCode, message: string, fix?: string) =>
    new ImgtoolError(kind, `${what}: ${message}`, { fix, cause: error });
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    const fix = 'free some space or choose another {{out}}, then run the same command again';
    return as('no_space', 'no space left to write it', fix);
  }
  if (code === 'EROFS') {
    return as('not_writable', `may not be written (${code})`, 'it is read-only: choose another {{out}}');
  }
  if (['EACCES', 'EPERM'].includes(code)) {
    const fix = 'check the permissions of the folder or choose another {{out}}';
    return as('not_writable', `may not be written (${code})`, fix);
  }
  const fix = BAD_NAMES[code];
  return as(fix === undefined ? 'io' : 'not_writable', `could not be written (${code})`, fix);
}

/** The error for a failed read of an output. */
export function outputUnreadable(error: unknown, path: string): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? String(error);
  const as = (kind: ErrorCode, message: string, fix?: string) =>
    new ImgtoolError(kind, `${path}: ${message} (${code})`, { fix, cause: error });
  if (['EACCES', 'EPERM'].includes(code)) {
    const fix = 'give yourself permission to read it, or choose another {{out}}';
    return as('output_unreadable', 'may not be read', fix);
  }
  const fix = BAD_NAMES[code];
  return as(fix === undefined ? 'io' : 'not_writable', 'could not be read', fix);
}

/** The error for a stored file that cannot be removed. */
export function removeError(error: unknown, path: string): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? String(error);
  const fix = UNREMOVABLE[code];
  const [kind, may] = fix === undefined ? (['io', 'could'] as const) : (['not_writable', 'may'] as const);
  return new ImgtoolError(kind, `${path}: ${may} not be removed (${code})`, { fix, cause: error });
}

/** What to do where a file may not be removed. */
const UNREMOVABLE: Readonly<Record<string, string>> = {
  EACCES: 'check the permissions of its folder',
  EPERM: 'check the permissions of its folder, and whether the file is protected',
  EROFS: 'its disk is read-only: make it writable',
};

/** What to do where a disk refuses a name. */
const BAD_NAMES: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'the path or a name in it is too long: choose a shorter {{out}} or {{name}}',
  EINVAL: 'the disk may not allow a character in this name: rename the source, or choose another {{out}}',
};

/** The error for a failed read of a source. */
export function readError(error: unknown): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = systemCode(error) ?? String(error);
  const as = (kind: ErrorCode, message: string, fix?: string) =>
    new ImgtoolError(kind, message, { fix, cause: error });
  if (['ENOENT', 'ENOTDIR'].includes(code)) {
    return as('source_missing', 'is not there (any more)', 'check the path, or leave it out');
  }
  if (code === 'ENAMETOOLONG') {
    return as(
      'source_missing',
      `has a longer path than its disk allows (${code})`,
      'check the path, or leave it out',
    );
  }
  if (['EACCES', 'EPERM'].includes(code)) {
    const fix = 'give yourself permission to read it, or leave it out with {{exclude}}';
    return as('source_unreadable', `may not be read (${code})`, fix);
  }
  const isPassing = ['EMFILE', 'ENFILE', 'EIO', 'EAGAIN'].includes(code);
  const fix = code === 'EINVAL' ? 'its disk refuses this: copy the file to another disk' : undefined;
  return as(isPassing ? 'io' : 'source_unreadable', `could not be read (${code})`, fix);
}

/** The command line that repairs the index. */
export function repairCommand(path: string): string {
  return `imgtool doctor --repair --index ${shellWord(path)}`;
}

/** How a store of uploads is restored. No repair can say which objects belong to lost rows. */
export function restoreCommand(path: string): string {
  const file = shellWord(path);
  const restore = `rm -f ${file}-wal ${file}-shm && cp <copy> ${file}`;
  return `end imgtool serve, then restore a copy (from imgtool doctor --backup): ${restore}`;
}

/** The command line that removes the records at these paths and below them. `otherIndex`: not the usual index. */
export function forgetCommand(paths: readonly string[], otherIndex?: string): string {
  return commandLine('forget', paths, [], otherIndex);
}

/** The command line that makes the wrong outputs of a batch or at these paths again; of the whole index for none. */
export function fixCommand(
  batchOrPaths: readonly string[],
  otherIndex?: string,
  flags: readonly string[] = [],
): string {
  return commandLine('verify', batchOrPaths, ['--fix', ...flags], otherIndex);
}

function commandLine(verb: string, paths: readonly string[], flags: readonly string[], otherIndex?: string) {
  const plain = paths.map((path) => (path.startsWith('-') ? `./${path}` : path));
  const index = otherIndex === undefined ? [] : ['--index', otherIndex];
  return ['imgtool', verb, ...[...plain, ...flags, ...index].map(shellWord)].join(' ');
}

/** The text as one word of a shell, in quotes if it needs them. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
