import { constants, fstatSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { ImgtoolError, isLinkNow, orUndefined, systemCode } from '../errors.ts';
import type { Bounds, SourceFile } from '../model.ts';

// A path can change between two system calls. These functions therefore check the location of the open file.

/** Flags for opening a source. They prevent waiting on a pipe, and reject a link unless the bounds allow links. */
export function openingFlags({ bounds }: SourceFile): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  // Windows has no O_NOFOLLOW.
  return allowsLinks(bounds) ? flags : flags | (constants.O_NOFOLLOW ?? 0);
}

/** Returns the error to report when opening a source fails. It recognises a link where links are not allowed. */
export function openingError(error: unknown, { bounds }: SourceFile): unknown {
  // Linux and macOS report ELOOP, FreeBSD EMLINK.
  const isLink = !allowsLinks(bounds) && ['ELOOP', 'EMLINK'].includes(systemCode(error) ?? '');
  return isLink ? isLinkNow(error) : error;
}

/** Checks that the open file is inside its bounds. Errors: `source_outside`, `source_changed`. */
export function assertInside(file: number, { path, bounds }: SourceFile): void {
  if (bounds === null) return;
  if (!bounds.follow && constants.O_NOFOLLOW === undefined && lstatSync(path).isSymbolicLink()) {
    throw isLinkNow();
  }
  const real = realPath(file, path);
  if (bounds.within.some((folder) => holds(folder, real))) return;
  const fix =
    'a folder on its path is a symbolic link now: put the folder back, or name the file itself if you trust it';
  throw new ImgtoolError('source_outside', 'leads out of the folder in which it was found', { fix });
}

const allowsLinks = (bounds: Bounds | null): boolean => bounds === null || bounds.follow;

/** The path of an open file with its links resolved. Throws when that path is another file. */
function realPath(file: number, path: string): string {
  // Only Linux has /proc, and it may not be mounted.
  const open = orUndefined(() => readlinkSync(`/proc/self/fd/${file}`));
  if (process.platform === 'linux' && open !== undefined) return open;
  const real = realpathSync.native(path);
  const there = lstatSync(real, { bigint: true });
  const opened = fstatSync(file, { bigint: true });
  if (there.dev === opened.dev && there.ino === opened.ino) return real;
  throw sourceChanged('while it was opened');
}

export function sourceChanged(when: string): ImgtoolError {
  const fix = 'run again once whatever writes it is done';
  return new ImgtoolError('source_changed', `the file changed ${when}`, { fix });
}

function holds(folder: string, path: string): boolean {
  const inside = folder.endsWith(sep) ? folder : folder + sep;
  const above = path.slice(0, inside.length);
  if (above === inside) return true;
  // A case-insensitive disk can spell the two paths differently.
  if (above.toLowerCase() !== inside.toLowerCase()) return false;
  const [one, other] = [above, inside].map((at) => statSync(at, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other?.ino;
}
