import { type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { ImgtoolError, systemCode } from '../../errors.ts';
import type { Inputs } from '../../ports.ts';
import { isLinkAt, resolved } from './files.ts';
import { hasPictureName, readGlob } from './patterns.ts';

/** An input as it was found before anything ran. */
export type Input = Root | NamedFile;

/** A folder to walk. For a quoted glob: the fixed part of it, and whether a root-relative path matches the rest. */
export interface Root {
  readonly kind: 'root';
  readonly given: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly real: string;
  /** It was a symbolic link when it was named, so it may lead elsewhere later. */
  readonly isLink: boolean;
  readonly matches?: (relative: string) => boolean;
  /** The glob as given. */
  readonly pattern?: string;
  /** It was there for an earlier batch and is not there now. */
  readonly isAway?: boolean;
}

export interface NamedFile {
  readonly kind: 'named';
  readonly given: string;
  readonly path: string;
  readonly real: string;
  readonly isAway?: boolean;
}

/** Looks at what was named. Errors: `no_input`, `usage`. */
export async function resolveInputs(inputs: Inputs): Promise<Input[]> {
  const { paths, list, cwd, onlyFolders = false, isAgain = false, once } = inputs;
  if (once !== undefined) return onceSources(paths, once.folders, cwd);
  const listed = list === null ? [] : await readList(list.from, list.nul, cwd);
  const found = isAgain
    ? await lookAtEach(
        paths,
        (given) => inputOf(given, cwd),
        (given) => awayOf(given, cwd),
      )
    : await lookAtEach(paths, (given) => (onlyFolders ? folderOf : inputOf)(given, cwd));
  return [...found, ...listed.map((given) => named(given, resolve(cwd, given)))];
}

/** Files that were sources, and folders that held sources. */
function onceSources(files: readonly string[], folders: readonly string[], cwd: string): Promise<Input[]> {
  const isFolder = new Set(folders);
  return lookAtEach(
    [...folders, ...files],
    (given) => (isFolder.has(given) ? onceRoot(given, cwd) : onceFile(given, cwd)),
    (given) => (isFolder.has(given) ? rootAt : named)(given, resolve(cwd, given)),
  );
}

type LookAt = (given: string) => Input | Promise<Input>;

/** With `awayOf` some inputs may be away, but not all: then a disk may not be mounted. Errors: those of `inputOf`. */
async function lookAtEach(paths: readonly string[], inputOf: LookAt, awayOf?: LookAt): Promise<Input[]> {
  const errors: unknown[] = [];
  const found: Input[] = [];
  for (const given of paths) {
    try {
      found.push(await inputOf(given));
    } catch (error) {
      if (awayOf === undefined) throw error;
      errors.push(error);
      found.push({ ...(await awayOf(given)), isAway: true });
    }
  }
  if (errors.length > 0 && found.every(({ isAway }) => isAway)) throw errors[0];
  return found;
}

/** A path as it is, whatever its name. */
function onceFile(given: string, cwd: string): NamedFile {
  const path = resolve(cwd, given);
  if (statNamed(given, path) === undefined) throw notThere(given);
  return named(given, path);
}

function onceRoot(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  if (statNamed(given, path)?.isDirectory() !== true) throw notThere(given);
  return rootAt(given, path);
}

/** What a path was that is away: a pattern, a picture by its name, or a folder. */
async function awayOf(given: string, cwd: string): Promise<Input> {
  const pattern = await patternOf(given, cwd);
  return pattern ?? (hasPictureName(given) ? named : rootAt)(given, resolve(cwd, given));
}

function rootAt(given: string, path: string): Root {
  return { kind: 'root', given, path, real: resolved(path), isLink: isLinkAt(path) };
}

function folderOf(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  const found = statNamed(given, path);
  if (found === undefined) throw notThere(given);
  if (found.isDirectory()) return rootAt(given, path);
  throw new ImgtoolError('usage', `${given}: is a file, and only folders are watched`, {
    fix: 'name its folder, with {{include}} for that file alone',
  });
}

function notThere(given: string): ImgtoolError {
  return new ImgtoolError('no_input', `${given}: is not there`, { fix: 'check the path; nothing was done' });
}

async function inputOf(given: string, cwd: string): Promise<Input> {
  const path = resolve(cwd, given);
  const found = statNamed(given, path);
  if (found !== undefined) return (found.isDirectory() ? rootAt : named)(given, path);
  const pattern = await patternOf(given, cwd);
  if (pattern === undefined || !statSync(pattern.path, { throwIfNoEntry: false })?.isDirectory()) {
    throw notThere(given);
  }
  return pattern;
}

/** The folder and the rest of a glob. Undefined where the path is none. */
async function patternOf(given: string, cwd: string): Promise<Root | undefined> {
  const read = await readGlob(given.split(sep).join('/'));
  if (read === undefined) return undefined;
  return { ...rootAt(read.base || '.', resolve(cwd, read.base)), matches: read.matches, pattern: given };
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

function named(given: string, path: string): NamedFile {
  return { kind: 'named', given, path, real: resolved(path) };
}

async function readList(from: string, nul: boolean, cwd: string): Promise<string[]> {
  try {
    const bytes = from === '-' ? await readAll(process.stdin) : await readFile(resolve(cwd, from));
    // Some editors put a byte order mark before the first entry.
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    const entries = text.split(nul ? '\0' : /\r?\n/);
    return entries.filter((entry) => entry !== '');
  } catch (error) {
    throw new ImgtoolError(
      'no_input',
      `${from}: the list cannot be read (${systemCode(error) ?? String(error)})`,
      {
        fix: 'check the path of the list; nothing was done',
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
