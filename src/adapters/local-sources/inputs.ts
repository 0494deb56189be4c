import { type BigIntStats, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { ImgtoolError, systemCode } from '../../errors.ts';
import type { Inputs } from '../../ports.ts';
import { picomatch } from './patterns.ts';
import { hasPictureName } from './walk.ts';

/** An input as it was found before anything ran. */
export type Input = Root | Named;

/** A folder to walk; for a quoted glob, its fixed part, and whether a root-relative path matches. */
export interface Root {
  readonly kind: 'root';
  readonly given: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly real: string;
  /** It was a symbolic link when it was named, so that it may lead elsewhere later. */
  readonly isLink: boolean;
  readonly matches?: (relative: string) => boolean;
  /** The glob as given. */
  readonly pattern?: string;
  /** It was there for an earlier batch, and is not now. */
  readonly isAway?: boolean;
}

export interface Named {
  readonly kind: 'named';
  readonly given: string;
  readonly path: string;
  readonly real: string;
  readonly isAway?: boolean;
}

/** Resolves what was named. Errors: `no_input`. */
export async function resolveInputs(inputs: Inputs): Promise<Input[]> {
  const { paths, list, cwd, onlyFolders = false, isAgain = false, once } = inputs;
  if (once !== undefined) return onceSources(paths, once.folders, cwd);
  const listed = list === null ? [] : await readList(list.from, list.nul, cwd);
  const asGiven = (given: string) => inputOf(given, cwd, onlyFolders);
  return [
    ...(isAgain ? stillThere(paths, (given) => inputOf(given, cwd, false), awayIn(cwd)) : paths.map(asGiven)),
    ...listed.map((given) => named(given, resolve(cwd, given))),
  ];
}

/** Files that were sources, and folders in which others were found. */
function onceSources(files: readonly string[], folders: readonly string[], cwd: string): Input[] {
  const isFolder = new Set(folders);
  return stillThere(
    [...folders, ...files],
    (given) => (isFolder.has(given) ? onceRoot(given, cwd) : sourceOf(given, cwd)),
    (given) => (isFolder.has(given) ? rootAt(given, resolve(cwd, given)) : named(given, resolve(cwd, given))),
  );
}

/** Those that were there once, unless all are gone: then a disk may not be mounted. */
function stillThere(
  paths: readonly string[],
  inputOf: (given: string) => Input,
  awayOf: (given: string) => Input,
): Input[] {
  let gone: unknown;
  const found = paths.map((given): Input => {
    try {
      return inputOf(given);
    } catch (error) {
      gone ??= error;
      return { ...awayOf(given), isAway: true };
    }
  });
  if (gone !== undefined && found.every(({ isAway }) => isAway)) throw gone;
  return found;
}

/** A path as it is, whatever its name. */
function sourceOf(given: string, cwd: string): Named {
  const path = resolve(cwd, given);
  if (statNamed(given, path) === undefined) throw notThere(given);
  return named(given, path);
}

function onceRoot(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  if (statNamed(given, path)?.isDirectory() !== true) throw notThere(given);
  return rootAt(given, path);
}

/** What a path that is gone was: by its name a picture, or else a folder. */
const awayIn =
  (cwd: string) =>
  (given: string): Input => {
    const path = resolve(cwd, given);
    const pattern = patternOf(given, cwd);
    if (pattern !== undefined) return pattern;
    return hasPictureName(given) ? named(given, path) : rootAt(given, path);
  };

function rootAt(given: string, path: string): Root {
  return { kind: 'root', given, path, real: resolved(path), isLink: isLinkAt(path) };
}

function folderOf(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  const found = statNamed(given, path);
  if (found === undefined) throw notThere(given);
  if (found.isDirectory()) return rootAt(given, path);
  throw new ImgtoolError('usage', `${given}: is a file, and only folders are watched`, {
    fix: 'name its folder, with --include for that file alone',
  });
}

function notThere(given: string): ImgtoolError {
  return new ImgtoolError('no_input', `${given}: is not there`, { fix: 'check the path; nothing was done' });
}

function inputOf(given: string, cwd: string, onlyFolders: boolean): Input {
  if (onlyFolders) return folderOf(given, cwd);
  const path = resolve(cwd, given);
  const found = statNamed(given, path);
  if (found?.isDirectory()) return rootAt(given, path);
  if (found !== undefined) return named(given, path);
  const pattern = patternOf(given, cwd);
  if (pattern === undefined || !statSync(pattern.path, { throwIfNoEntry: false })?.isDirectory()) {
    throw notThere(given);
  }
  return pattern;
}

/** Undefined where it is none. */
function patternOf(given: string, cwd: string): Root | undefined {
  const { base, glob, isGlob } = picomatch().scan(given.split(sep).join('/'));
  if (!isGlob) return undefined;
  const path = resolve(cwd, base);
  return {
    ...rootAt(base || '.', path),
    matches: picomatch()(glob),
    pattern: given,
  };
}

function statNamed(given: string, path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw new ImgtoolError(
      'no_input',
      `${given}: cannot be looked at (${systemCode(error) ?? String(error)})`,
      {
        fix: 'check the path and its permissions; nothing was done',
        cause: error,
      },
    );
  }
}

function named(given: string, path: string): Named {
  return { kind: 'named', given, path, real: resolved(path) };
}

/** A path with the links of the part that exists resolved. */
export function resolved(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const above = dirname(path);
    if (above === path || systemCode(error) === 'ELOOP') return path;
    return join(resolved(above), basename(path));
  }
}

export function isLinkAt(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    // Nothing is there, or nobody may look.
    return false;
  }
}

/** Whether a path is a folder's or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What tells a file or folder from others, also from one that gets its inode later; undefined where nothing is. */
export function identityOf(path: string): string | undefined {
  try {
    return identityIn(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

export function identityIn({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

async function readList(from: string, nul: boolean, cwd: string): Promise<string[]> {
  try {
    const bytes = from === '-' ? await readAll(process.stdin) : await readFile(resolve(cwd, from));
    const entries = bytes.toString('utf8').split(nul ? '\0' : /\r?\n/);
    return entries.filter((entry) => entry !== '');
  } catch (error) {
    throw new ImgtoolError(
      'no_input',
      `${from}: the list cannot be read (${systemCode(error) ?? String(error)})`,
      {
        fix: 'check the path given to --files-from; nothing was done',
        cause: error,
      },
    );
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
