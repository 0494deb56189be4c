import type { WalkRules } from '../../model.ts';

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|ico|heic|heif|jxl|jp2|svg)$/i;

/** Whether a walk takes a file with this name. */
export function mayBeSource(name: string, { allFiles }: Pick<WalkRules, 'allFiles'>): boolean {
  return allFiles || hasPictureName(name);
}

export function hasPictureName(name: string): boolean {
  return PICTURE.test(name);
}

/** The rules of a walk, with the globs of what it includes and excludes made ready. */
export interface MatchingRules extends WalkRules {
  isIncluded(relative: string): boolean;
  isExcluded(relative: string): boolean;
}

export async function withMatchers(rules: WalkRules): Promise<MatchingRules> {
  const { include, exclude } = rules;
  const isIncluded = include.length === 0 ? () => true : await matcherOf(include);
  const isExcluded = exclude.length === 0 ? () => false : await matcherOf(exclude);
  return { ...rules, isIncluded, isExcluded };
}

async function matcherOf(globs: readonly string[]): Promise<(relative: string) => boolean> {
  const { default: picomatch } = await import('picomatch');
  return picomatch([...globs], { dot: true });
}

/** The fixed folder of a glob, empty for none, and what its other part matches. Undefined where `path` is no glob. */
export async function readGlob(path: string) {
  const { default: picomatch } = await import('picomatch');
  const { base, glob, isGlob } = picomatch.scan(path);
  return isGlob ? { base, matches: picomatch(glob) } : undefined;
}
