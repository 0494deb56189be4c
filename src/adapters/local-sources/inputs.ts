import { type Stats, statSync } from 'node:fs';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { ImgtoolError, noInput, systemCode } from '../../errors.ts';
import type { Inputs } from '../../ports.ts';
import { isLinkAt, isWithin, resolved } from './files.ts';
import { readList } from './list.ts';
import { didYouMean, hasPictureName, type NearPath } from './names.ts';
import { readGlob } from './patterns.ts';

/** An input as it was found before anything ran. */
export type Input = Root | NamedFile;

interface InputPath {
  readonly given: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly real: string;
  /** It was there for an earlier batch and is not there now. */
  readonly isAway?: boolean;
}

export interface NamedFile extends InputPath {
  readonly kind: 'named';
  /** Whether a list named it. */
  readonly isListed: boolean;
  /** Whether `relative` has its folders. */
  readonly isPlaced: boolean;
  /** Its path below the base, with `/`; without a base its name alone. */
  readonly relative: string;
}

/** A folder to walk. For a quoted glob: the fixed part of it, and whether a root-relative path matches the rest. */
export interface Root extends InputPath {
  readonly kind: 'root';
  /** Its path below the base with `/` at the end; empty without a base. */
  readonly prefix: string;
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

/**
 * Looks at what was named. `base` is the absolute path of the folder from which the paths of outputs start. It must
 * exist, unless an earlier batch had it. Without it a relative path of a list starts from the working folder. Errors:
 * `no_input`, `usage`.
 */
export async function resolveInputs(
  inputs: Inputs,
  base: string | null,
  nearPath?: NearPath,
): Promise<Input[]> {
  const isFirst = !inputs.isAgain && inputs.once === undefined;
  if (base && isFirst) checkBase(base, inputs.cwd, nearPath);
  const all = await lookAtInputs(inputs, nearPath);
  return base ? all.map((input) => placed(input, base)) : all;
}

function checkBase(base: string, cwd: string, nearPath?: NearPath): void {
  const found = statNamed(base, cwd);
  if (found?.isDirectory()) return;
  const lack = found === undefined ? 'is not there' : 'is not a folder';
  const near = found === undefined ? didYouMean(base, cwd, nearPath) : undefined;
  throw noInput(`${base}: the base ${lack}`, near ?? 'name a folder above the inputs, or leave out {{base}}');
}

/** The input with its path below the base, if it is there. */
function placed(input: Input, base: string): Input {
  if (!isWithin(input.path, base)) return input.kind === 'root' ? input : { ...input, ...flat(input.path) };
  const below = relative(base, input.path).split(sep).join('/');
  if (input.kind === 'named') return { ...input, isPlaced: true, relative: below };
  return { ...input, prefix: below === '' ? '' : `${below}/` };
}

function flat(path: string): Pick<NamedFile, 'isPlaced' | 'relative'> {
  return { isPlaced: false, relative: basename(path) };
}

async function lookAtInputs(inputs: Inputs, nearPath?: NearPath): Promise<Input[]> {
  const { paths, list, cwd, onlyFolders, isAgain = false, once } = inputs;
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
  const listed = list === null ? [] : await readList(list, cwd, nearPath);
  const look: LookAt = onlyFolders && !isAgain ? (given) => folderOf(given, cwd, onlyFolders) : inputOf;
  const found = await lookAtEach(paths, cwd, look, isAgain ? { awayOf } : { nearPath });
  return [...found, ...listed.map((given) => listedFile(given, cwd))];
}

type LookAtAway = (given: string, cwd: string) => Input | Promise<Input>;
/** Undefined for a path that is not there. */
type LookAt = (given: string, cwd: string) => Input | undefined | Promise<Input | undefined>;

/**
 * Looks at each input. With `awayOf`, some inputs may be away. All of them may not: a disk may not be mounted. Errors:
 * those of `inputOf`.
 */
async function lookAtEach(
  paths: readonly string[],
  cwd: string,
  inputOf: LookAt,
  { awayOf, nearPath }: { awayOf?: LookAtAway; nearPath?: NearPath | undefined },
) {
  const errors: unknown[] = [];
  const found: Input[] = [];
  for (const given of paths) {
    // A script with an unset variable would process the working folder.
    if (given === '') throw noInput('an empty path was named', 'name a file or folder; . is this folder');
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

async function folderOf(given: string, cwd: string, how: 'watched' | 'mirrored'): Promise<Root | undefined> {
  const found = statNamed(given, cwd);
  if (found?.isDirectory()) return rootAt(given, cwd);
  const isPattern = found === undefined && (await patternOf(given, cwd)) !== undefined;
  if (found === undefined && !isPattern) return undefined;
  const what = `${given}: is a ${isPattern ? 'pattern' : 'file'}, and only folders are ${how}`;
  const fix = how === 'watched' ? 'name its folder, with {{include}} for that file alone' : NO_MIRROR;
  throw new ImgtoolError('usage', what, { fix });
}

const NO_MIRROR = 'name its folder, or leave out {{mirror}}; {{mirror false}} overrides a settings file';

/** What a path was that is away: a pattern, a picture by its name, or a folder. */
async function awayOf(given: string, cwd: string): Promise<Input> {
  return (await patternOf(given, cwd)) ?? (hasPictureName(given) ? named : rootAt)(given, cwd);
}

/** The folder and the rest of a glob. Undefined for a path that is no glob. */
async function patternOf(given: string, cwd: string): Promise<Root | undefined> {
  const read = await readGlob(given.split(sep).join('/'));
  return read && { ...rootAt(read.base || '.', cwd), matches: read.matches, pattern: given };
}

function rootAt(given: string, cwd: string): Root {
  const path = resolve(cwd, given);
  return { kind: 'root', given, path, prefix: '', real: resolved(path), isLink: isLinkAt(path) };
}

function named(given: string, cwd: string): NamedFile {
  const path = resolve(cwd, given);
  return { kind: 'named', given, path, real: resolved(path), isListed: false, ...flat(path) };
}

function listedFile(given: string, cwd: string): NamedFile {
  const file: NamedFile = { ...named(given, cwd), isListed: true };
  return isAbsolute(given) ? file : (placed(file, cwd) as NamedFile);
}

function statNamed(given: string, cwd: string): Stats | undefined {
  try {
    return statSync(resolve(cwd, given), { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw noInput(`${given}: cannot be looked at`, 'check the path and its permissions', error);
  }
}

function notThere(given: string, cwd: string, nearPath?: NearPath): ImgtoolError {
  return noInput(`${given}: is not there`, didYouMean(given, cwd, nearPath) ?? 'check the path');
}
