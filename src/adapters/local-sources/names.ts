import { PICTURE_EXTENSIONS, UNSUPPORTED_KINDS } from '../../model/sources.ts';
import type { WalkRules } from '../../model.ts';

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
  return PICTURE_EXTENSIONS.has(extensionOf(name));
}

/** What a person calls a file with this name, if that is a picture or video of a format that no walk takes. */
export function unsupportedKind(name: string): string | undefined {
  return UNSUPPORTED_KINDS.get(extensionOf(name));
}

const extensionOf = (name: string): string => /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

/** The existing path that a mistyped one most likely means. */
export type NearPath = (given: string, cwd: string) => string | undefined;

export function didYouMean(given: string, cwd: string, nearPath?: NearPath): string | undefined {
  // A glob has no near path: its parts match many names.
  const near = /[*?[{]/.test(given) ? undefined : nearPath?.(given, cwd);
  return near && `did you mean ${near}?`;
}
