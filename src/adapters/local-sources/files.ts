import { type BigIntStats, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { ImgtoolError, isLinkNow, orUndefined, readError, systemCode } from '../../errors.ts';
import type { SourceFacts, Walk } from '../../model.ts';
import type { SourceProbe } from '../../ports.ts';

type CtimeRule = Pick<Walk, 'ignoreCtime'>;

/** Facts of a regular file. Null where there is none, or a link that is not followed. */
export function factsAt(path: string, follow: boolean, rules: CtimeRule): SourceFacts | null {
  const look = follow ? statSync : lstatSync;
  const found = orUndefined(() => look(path, { bigint: true, throwIfNoEntry: false }));
  return found?.isFile() ? factsIn(found, rules) : null;
}

function factsIn({ size, mtimeNs, ctimeNs, ino }: BigIntStats, { ignoreCtime }: CtimeRule): SourceFacts {
  const ctime = ignoreCtime ? null : String(ctimeNs);
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino), ctime };
}

/** Facts of a source. Errors: `source_missing`, `source_unreadable`, `source_outside` for a link that is not followed. */
export function statFile(path: string, follow: boolean, rules: CtimeRule): SourceFacts {
  try {
    const found = (follow ? statSync : lstatSync)(path, { bigint: true });
    if (found.isSymbolicLink()) throw isLinkNow();
    if (found.isFile()) return factsIn(found, rules);
    const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : 'a device or socket';
    const fix = 'name a picture, or leave it out';
    throw new ImgtoolError('source_unreadable', `is ${kind}, not a file`, { fix });
  } catch (error) {
    throw readError(error);
  }
}

export function isLinkAt(path: string): boolean {
  return orUndefined(() => lstatSync(path, { throwIfNoEntry: false }))?.isSymbolicLink() === true;
}

/** Whether nothing is at this path. */
function isNothing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return systemCode(error) === 'ENOTDIR';
  }
}

/** A path with links resolved in the part that exists. */
export function resolved(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const above = dirname(path);
    if (above === path || systemCode(error) === 'ELOOP') return path;
    return join(resolved(above), basename(path));
  }
}

/** Whether a path is this folder or is below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** A mark of a file or folder: another one that gets the same inode later has another. Undefined where nothing is. */
export function identityOf(path: string): string | undefined {
  const found = orUndefined(() => statSync(path, { bigint: true }));
  return found && identityIn(found);
}

export function identityIn({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

export const localSourceProbe: SourceProbe = {
  missing: async (paths) => paths.filter(isNothing),
  async gone(paths) {
    const folders = new Map<string, ReadonlySet<string>>();
    const entriesOf = (folder: string): ReadonlySet<string> => {
      // A folder that cannot be read counts as empty: it is unknown what is gone.
      const entries = folders.get(folder) ?? new Set(orUndefined(() => readdirSync(folder)));
      folders.set(folder, entries);
      return entries;
    };
    return paths.filter((path) => {
      const above = folderAbove(path);
      if (above === null || entriesOf(above).size === 0) return false;
      // A disk that ignores case finds a renamed file also under its former spelling.
      return isNothing(path) || (above === dirname(path) && !entriesOf(above).has(basename(path)));
    });
  },
};

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
