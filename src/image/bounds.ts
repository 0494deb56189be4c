import { constants, fstatSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { ImgtoolError, isLinkNow, systemCode } from '../errors.ts';
import type { Bounds, SourceFile } from '../model.ts';

/**
 * How a source is opened so that nothing outside its bounds is read. A path can change between any two looks at it, so
 * the place of a file is checked once it is open, and only the open file is read.
 */

/** Flags for opening a source: it never waits on a pipe, and a link is refused where links are not followed. */
export function openingFlags({ bounds }: SourceFile): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  // Windows has no such flag.
  return isStrict(bounds) ? flags | (constants.O_NOFOLLOW ?? 0) : flags;
}

/** The error of a call that opened a source, or what it means: a link where there must be none. */
export function openingError(error: unknown, { bounds }: SourceFile): unknown {
  // Linux and macOS say ELOOP, FreeBSD EMLINK.
  const isLink = isStrict(bounds) && ['ELOOP', 'EMLINK'].includes(systemCode(error) ?? '');
  return isLink ? isLinkNow(error) : error;
}

/** Checks where the file that was opened lies. Errors: `source_outside`, `source_changed`. */
export function assertInside(file: number, { path, bounds }: SourceFile): void {
  if (bounds === null) return;
  if (isStrict(bounds) && constants.O_NOFOLLOW === undefined && lstatSync(path).isSymbolicLink()) {
    throw isLinkNow();
  }
  const real = pathOfOpen(file) ?? pathOfSame(file, path);
  if (bounds.within.some((folder) => holds(folder, real))) return;
  throw new ImgtoolError('source_outside', 'leads out of the folder in which it was found', {
    fix: 'a folder on its path is a symbolic link now: put the folder back, or name the file itself if you trust it',
  });
}

const isStrict = (bounds: Bounds | null): bounds is Bounds => bounds !== null && !bounds.follow;

/** Linux tells the path of an open file; null elsewhere, and where /proc is not mounted. */
function pathOfOpen(file: number): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return readlinkSync(`/proc/self/fd/${file}`);
  } catch {
    return null;
  }
}

/** The path with its links resolved, provided that the open file is what lies there. */
function pathOfSame(file: number, path: string): string {
  const real = realpathSync.native(path);
  const there = lstatSync(real, { bigint: true });
  const opened = fstatSync(file, { bigint: true });
  if (there.dev === opened.dev && there.ino === opened.ino) return real;
  throw new ImgtoolError('source_changed', 'the file changed while it was opened', {
    fix: 'run again once whatever writes it is done',
  });
}

function holds(folder: string, path: string): boolean {
  const inside = folder.endsWith(sep) ? folder : folder + sep;
  if (path.startsWith(inside)) return true;
  // A disk that ignores case may tell the path of the file with other letters than that of the folder.
  const above = path.slice(0, inside.length);
  return above.toLowerCase() === inside.toLowerCase() && isSameFolder(above, inside);
}

function isSameFolder(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other?.ino;
}
