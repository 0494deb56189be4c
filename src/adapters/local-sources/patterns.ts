import { sep } from 'node:path';
import type { WalkRules } from '../../model.ts';

/** The rules of a walk, with the globs of what it includes and excludes made ready. Paths are below a root, with `/`. */
export interface MatchingRules extends WalkRules {
  isIncluded(path: string): boolean;
  isExcluded(path: string, isFolder: boolean): boolean;
  /** The globs that have matched nothing so far. */
  unmatched(): Readonly<Record<'include' | 'exclude', readonly string[]>>;
}

export async function withMatchers(rules: WalkRules): Promise<MatchingRules> {
  const [include, exclude] = await Promise.all([globsOf(rules.include), globsOf(rules.exclude)]);
  return {
    ...rules,
    isIncluded: (path) => include.length === 0 || isAnyMatch(include, path, false),
    isExcluded: (path, isFolder) => exclude.length > 0 && isAnyMatch(exclude, path, isFolder),
    unmatched: () => ({ include: unmatchedOf(include), exclude: unmatchedOf(exclude) }),
  };
}

/** Whether the rules leave out a file, for itself or for one of the folders above it. */
export function isLeftOut(path: string, { isIncluded, isExcluded }: MatchingRules): boolean {
  return isExcluded(path, false) || foldersOf(path).some((one) => isExcluded(one, true)) || !isIncluded(path);
}

/** A glob that was made ready. */
interface Glob {
  readonly glob: string;
  readonly isOfFolders: boolean;
  readonly matches: (path: string) => boolean;
  hasMatched: boolean;
}

/**
 * Globs for paths below a root. A glob without `/` matches the name at any depth. One that ends with `/` matches a folder
 * and everything in it. One that begins with `/` starts at the root. Extensions compare without case.
 */
async function globsOf(globs: readonly string[]): Promise<readonly Glob[]> {
  if (globs.length === 0) return [];
  const { default: picomatch } = await import('picomatch');
  return globs.map((glob) => {
    const plain = glob
      .split(sep)
      .join('/')
      .replace(/^(\.\/+)+/, '');
    const small = withSmallExtensions(plain.replace(/\/+$/, ''));
    const matches = small.includes('/')
      ? picomatch(small.replace(/^\//, ''), { dot: true })
      : picomatch(small, { dot: true, basename: true });
    return { glob, isOfFolders: plain.endsWith('/'), matches: (path) => matches(path), hasMatched: false };
  });
}

/** Whether one of the globs matches. Marks all that do. */
function isAnyMatch(globs: readonly Glob[], path: string, isFolder: boolean): boolean {
  const small = withSmallExtensions(path);
  let isMatch = false;
  for (const one of globs) {
    // Another glob has matched this path, and this glob has matched an earlier path: nothing is left to find out.
    if (isMatch && one.hasMatched) continue;
    const hasFolder = () => foldersOf(path).map(withSmallExtensions).some(one.matches);
    const isOne = one.isOfFolders ? (isFolder && one.matches(small)) || hasFolder() : one.matches(small);
    if (isOne) isMatch = one.hasMatched = true;
  }
  return isMatch;
}

function unmatchedOf(globs: readonly Glob[]): string[] {
  return globs.filter(({ hasMatched }) => !hasMatched).map(({ glob }) => glob);
}

/** The folders above a path, without the root. */
function foldersOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

/** The path or glob with its extensions in lower case: all that a brace lists, such as `*.{JPG,png}`. */
function withSmallExtensions(path: string): string {
  return path.replace(/\.[^./]*$|\.[^./,{}()|]*(?=[,})|])/g, (extension) => extension.toLowerCase());
}

/** The fixed folder of a glob, empty for none, and what its other part matches. Undefined where `path` is no glob. */
export async function readGlob(path: string) {
  const { default: picomatch } = await import('picomatch');
  const { base, glob, isGlob } = picomatch.scan(path);
  return isGlob ? { base, matches: picomatch(glob) } : undefined;
}
