import type { WalkRules } from '../../model.ts';

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|ico|heic|heif|jxl|jp2|svg)$/i;

/**
 * Folders that systems keep for themselves, for example for thumbnails, deleted files and snapshots. Names that begin
 * with a dot are hidden anyway.
 */
const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  // Synology DSM.
  ...['@eadir', '@tmp', '@sharebin', '@sharesnap', '#recycle', '#snapshot'],
  // QNAP QTS, and other network storage.
  ...['@recycle', '@recently-snapshot', '@transcode', '~snapshot', 'network trash folder', 'temporary items'],
  // Windows.
  ...['$recycle.bin', 'recycler', 'recycled', 'system volume information', '$extend', 'found.000'],
  // macOS: what an archive holds beside the files.
  '__macosx',
  // ext2, ext3 and ext4.
  'lost+found',
]);

export function isSystemFolder(name: string): boolean {
  return SYSTEM_FOLDERS.has(name.toLowerCase());
}

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

/** Matches a path below a root. A glob without `/` matches the name at any depth. Extensions compare without case. */
async function matcherOf(globs: readonly string[]): Promise<(relative: string) => boolean> {
  const { default: picomatch } = await import('picomatch');
  const all = globs.map(withSmallExtensions);
  const byPath = picomatch(
    all.filter((glob) => glob.includes('/')),
    { dot: true },
  );
  const byName = picomatch(
    all.filter((glob) => !glob.includes('/')),
    { dot: true, basename: true },
  );
  return (relative) => {
    const path = withSmallExtensions(relative);
    return byPath(path) || byName(path);
  };
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
