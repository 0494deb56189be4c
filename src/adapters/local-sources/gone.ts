import { readdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { SourceProbe } from '../../ports.ts';
import { isNothing } from './files.ts';

export const localSourceProbe: SourceProbe = {
  missing: async (paths) => paths.filter(isNothing),
  gone: async (paths) => goneOf(paths),
};

/** Of these paths, those of files that are gone, by the rule of `Sources.gone`. */
function goneOf(paths: readonly string[]): string[] {
  const folders = new Map<string, ReadonlySet<string> | null>();
  const entriesOf = (folder: string): ReadonlySet<string> | null => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const entries = readEntries(folder);
    folders.set(folder, entries);
    return entries;
  };
  return paths.filter((path) => {
    const above = folderAbove(path);
    const entries = above === null ? null : entriesOf(above);
    if (entries === null || entries.size === 0) return false;
    // A disk that ignores case finds a renamed file also under its former spelling.
    return isNothing(path) || (above === dirname(path) && !entries.has(basename(path)));
  });
}

/** The nearest folder above that exists. Null where nobody can tell: it cannot be read, or is behind a link. */
function folderAbove(path: string): string | null {
  const above = dirname(path);
  if (above === path) return path;
  try {
    return statSync(above).isDirectory() ? above : folderAbove(above);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return null;
    // A dangling link may lead to a disk that is not mounted.
    return isNothing(above) ? folderAbove(above) : null;
  }
}

/** Null where the folder cannot be read. */
function readEntries(folder: string): ReadonlySet<string> | null {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return null;
  }
}
