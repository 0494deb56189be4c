import { type BigIntStats, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { SourceFacts, Walk } from '../../model.ts';

/** Facts of a regular file. Null where there is none, or a link that is not followed. */
export function factsAt(path: string, follow: boolean, rules: Pick<Walk, 'ignoreCtime'>): SourceFacts | null {
  try {
    const look = follow ? statSync : lstatSync;
    const found = look(path, { bigint: true, throwIfNoEntry: false });
    return found?.isFile() ? factsIn(found, rules) : null;
  } catch {
    return null;
  }
}

export function factsIn(
  { size, mtimeNs, ctimeNs, ino }: BigIntStats,
  { ignoreCtime }: Pick<Walk, 'ignoreCtime'>,
): SourceFacts {
  const ctime = ignoreCtime ? null : String(ctimeNs);
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino), ctime };
}

export function isLinkAt(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    // Nothing is there, or it cannot be looked at.
    return false;
  }
}

export function isFolderAt(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Whether nothing is at this path. */
export function isNothing(path: string): boolean {
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

/**
 * A mark of a file or folder. Another one that gets the same inode later has another mark. Undefined where nothing is.
 */
export function identityOf(path: string): string | undefined {
  try {
    return identityIn(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

export function identityIn({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}
