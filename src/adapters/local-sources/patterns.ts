import { sep } from 'node:path';
import type { WalkRules } from '../../model.ts';

/** The rules of a walk, with the globs of what it includes and excludes made ready. Paths are below a root, with `/`. */
export interface MatchingRules extends WalkRules {
  isIncluded(path: string): boolean;
  isExcluded(path: string, isFolder: boolean): boolean;
}

export async function withMatchers(rules: WalkRules): Promise<MatchingRules> {
  const { include, exclude } = rules;
  const isIncluded = include.length === 0 ? () => true : await matcherOf(include);
  const isExcluded = exclude.length === 0 ? () => false : await matcherOf(exclude);
  return { ...rules, isIncluded: (path) => isIncluded(path, false), isExcluded };
}

/** Whether the rules leave out a file, for itself or for one of the folders above it. */
export function isLeftOut(path: string, { isIncluded, isExcluded }: MatchingRules): boolean {
  return !isIncluded(path) || isExcluded(path, false) || foldersOf(path).some((one) => isExcluded(one, true));
}

/**
 * Matches a path below a root. A glob without `/` matches the name at any depth. One that ends with `/` matches a folder
 * and everything in it. One that begins with `/` starts at the root. Extensions compare without case.
 */
async function matcherOf(globs: readonly string[]): Promise<(path: string, isFolder: boolean) => boolean> {
  const { default: picomatch } = await import('picomatch');
  const oneOf = (some: readonly string[]) => {
    const all = some.map(withSmallExtensions);
    const byPath = picomatch(
      all.filter((glob) => glob.includes('/')).map((glob) => glob.replace(/^\//, '')),
      { dot: true },
    );
    const byName = picomatch(
      all.filter((glob) => !glob.includes('/')),
      { dot: true, basename: true },
    );
    return (path: string) => {
      const small = withSmallExtensions(path);
      return byPath(small) || byName(small);
    };
  };
  const all = globs.map((glob) =>
    glob
      .split(sep)
      .join('/')
      .replace(/^(\.\/+)+/, ''),
  );
  const isOne = oneOf(all.filter((glob) => !glob.endsWith('/')));
  const folders = all.filter((glob) => glob.endsWith('/')).map((glob) => glob.replace(/\/+$/, ''));
  if (folders.length === 0) return isOne;
  const isOneFolder = oneOf(folders);
  return (path, isFolder) =>
    isOne(path) || (isFolder && isOneFolder(path)) || foldersOf(path).some(isOneFolder);
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
