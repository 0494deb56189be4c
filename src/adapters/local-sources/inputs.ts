import { type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ImgtoolError, systemCode } from '../../errors.ts';
import type { Inputs } from '../../ports.ts';
import { isLinkAt, resolved } from './files.ts';
import { hasPictureName, readGlob } from './patterns.ts';

/** An input as it was found before anything ran. */
export type Input = Root | NamedFile;

interface Named {
  readonly given: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly real: string;
  /** It was there for an earlier batch and is not there now. */
  readonly isAway?: boolean;
}

export interface NamedFile extends Named {
  readonly kind: 'named';
}

/** A folder to walk. For a quoted glob: the fixed part of it, and whether a root-relative path matches the rest. */
export interface Root extends Named {
  readonly kind: 'root';
  /** It was a symbolic link when it was named, so it may lead elsewhere later. */
  readonly isLink: boolean;
  readonly matches?: (relative: string) => boolean;
  /** The glob as given. */
  readonly pattern?: string;
}

/** Where a root leads now. A root that was no link, and was not behind one, always leads to itself. */
export function realNow(root: Root): string {
  return root.real === root.path || hasBecomeLink(root) ? root.real : resolved(root.path);
}

/** Whether a link has replaced a named folder, or one above it. */
export function hasBecomeLink({ path, real, isLink }: Root): boolean {
  return real === path ? resolved(path) !== path : !isLink && isLinkAt(path);
}

/** The existing path that a mistyped one most likely means. */
export type NearPath = (given: string, cwd: string) => string | undefined;

/** Looks at what was named. Errors: `no_input`, `usage`. */
export async function resolveInputs(inputs: Inputs, nearPath?: NearPath): Promise<Input[]> {
  const { paths, list, cwd, onlyFolders = false, isAgain = false, once } = inputs;
  if (once !== undefined) {
    const folders = new Set(once.folders);
    const awayOf: LookAtAway = (given) => (folders.has(given) ? rootAt : named)(given, cwd);
    const formerOf: LookAt = (given) => {
      const found = statNamed(given, cwd);
      const isThere = folders.has(given) ? found?.isDirectory() : found !== undefined;
      return isThere ? awayOf(given, cwd) : undefined;
    };
    return lookAtEach([...once.folders, ...paths], cwd, formerOf, { awayOf });
  }
  const listed = list === null ? [] : await readList(list.from, list.nul, cwd, nearPath);
  const look = onlyFolders && !isAgain ? folderOf : inputOf;
  const found = await lookAtEach(paths, cwd, look, isAgain ? { awayOf } : { nearPath });
  return [...found, ...listed.map((given) => named(given, cwd))];
}

type LookAtAway = (given: string, cwd: string) => Input | Promise<Input>;
/** Undefined for a path that is not there. */
type LookAt = (given: string, cwd: string) => Input | undefined | Promise<Input | undefined>;

/** With `awayOf` some inputs may be away, but not all: then a disk may not be mounted. Errors: those of `inputOf`. */
async function lookAtEach(
  paths: readonly string[],
  cwd: string,
  inputOf: LookAt,
  { awayOf, nearPath }: { awayOf?: LookAtAway; nearPath?: NearPath | undefined },
) {
  const errors: unknown[] = [];
  const found: Input[] = [];
  for (const given of paths) {
    try {
      const input = await inputOf(given, cwd);
      if (input === undefined) throw notThere(given, cwd, nearPath);
      found.push(input);
    } catch (error) {
      if (awayOf === undefined) throw error;
      errors.push(error);
      found.push({ ...(await awayOf(given, cwd)), isAway: true });
    }
  }
  if (errors.length > 0 && found.every(({ isAway }) => isAway)) throw errors[0];
  return found;
}

async function inputOf(given: string, cwd: string): Promise<Input | undefined> {
  const found = statNamed(given, cwd);
  if (found !== undefined) return (found.isDirectory() ? rootAt : named)(given, cwd);
  const pattern = await patternOf(given, cwd);
  return pattern !== undefined && statNamed(pattern.path, cwd)?.isDirectory() ? pattern : undefined;
}

function folderOf(given: string, cwd: string): Root | undefined {
  const found = statNamed(given, cwd);
  if (found === undefined) return undefined;
  if (found.isDirectory()) return rootAt(given, cwd);
  throw new ImgtoolError('usage', `${given}: is a file, and only folders are watched`, {
    fix: 'name its folder, with {{include}} for that file alone',
  });
}

/** What a path was that is away: a pattern, a picture by its name, or a folder. */
async function awayOf(given: string, cwd: string): Promise<Input> {
  return (await patternOf(given, cwd)) ?? (hasPictureName(given) ? named : rootAt)(given, cwd);
}

/** The folder and the rest of a glob. Undefined where the path is none. */
async function patternOf(given: string, cwd: string): Promise<Root | undefined> {
  const read = await readGlob(given.split(sep).join('/'));
  return read && { ...rootAt(read.base || '.', cwd), matches: read.matches, pattern: given };
}

function rootAt(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  return { kind: 'root', given, path, real: resolved(path), isLink: isLinkAt(path) };
}

function named(given: string, cwd: string): NamedFile {
  const path = resolve(cwd, given);
  return { kind: 'named', given, path, real: resolved(path) };
}

function statNamed(given: string, cwd: string): Stats | undefined {
  try {
    return statSync(resolve(cwd, given), { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw noInput(`${given}: cannot be looked at`, 'check the path and its permissions', error);
  }
}

async function readList(from: string, nul: boolean, cwd: string, nearPath?: NearPath): Promise<string[]> {
  try {
    const bytes = from === '-' ? await buffer(process.stdin) : await readFile(resolve(cwd, from));
    // Some editors put a byte order mark before the first entry.
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    return text.split(nul ? '\0' : /\r?\n/).filter((entry) => entry !== '');
  } catch (error) {
    const near = systemCode(error) === 'ENOENT' ? didYouMean(from, cwd, nearPath) : undefined;
    throw noInput(`${from}: the list cannot be read`, near ?? 'check the path of the list', error);
  }
}

function notThere(given: string, cwd: string, nearPath?: NearPath): ImgtoolError {
  return noInput(`${given}: is not there`, didYouMean(given, cwd, nearPath) ?? 'check the path');
}

function didYouMean(given: string, cwd: string, nearPath?: NearPath): string | undefined {
  // A glob has no near path: its parts match many names.
  const near = /[*?[{]/.test(given) ? undefined : nearPath?.(given, cwd);
  return near && `did you mean ${near}?`;
}

/** The error for an input that cannot be used. `cause` is the error of the system. */
export function noInput(message: string, fix: string, cause?: unknown): ImgtoolError {
  const why = cause === undefined ? '' : ` (${systemCode(cause) ?? String(cause)})`;
  const end = fix.endsWith('?') ? ' Nothing was done.' : '; nothing was done';
  return new ImgtoolError('no_input', `${message}${why}`, { fix: `${fix}${end}`, cause });
}
