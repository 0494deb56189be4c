import { closeSync, fstatSync, lstatSync, openSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** The owner, group and permissions that a new file gets. `mode` has permission bits only. */
type Attributes = Readonly<Pick<Stats, 'uid' | 'gid' | 'mode'>>;

/** Number of folders to remember. */
const MOST = 1_000;

/**
 * Finds out what new files get: the group of a setgid folder or of the process, and the mode that umask and default
 * ACLs leave. Systems differ, so a trial file in each folder shows it.
 */
export function openNewFiles() {
  const known = new Map<string, { readonly folder: Attributes; readonly made: Attributes }>();

  /** Attributes of a new file at this path, where nothing is. Makes a trial file there and removes it. */
  function attributesAt(path: string): Attributes {
    const above = dirname(path);
    const folder = attributesOf(statSync(above));
    const before = known.get(above);
    if (before !== undefined && isDeepStrictEqual(before.folder, folder)) return before.made;
    if (known.size >= MOST) known.clear();
    const made = tryOut(path);
    known.set(above, { folder, made });
    return made;
  }

  /** Whether a file equals a new one at `path`, so that it can get that name as its second. */
  function isLikeNew(from: string, path: string): boolean {
    // On Windows neither owner nor mode matters.
    if (process.platform === 'win32') return true;
    return isDeepStrictEqual(attributesOf(lstatSync(from)), attributesAt(path));
  }

  return { attributesAt, isLikeNew };
}

function tryOut(path: string): Attributes {
  const file = openSync(path, 'wx', 0o666);
  try {
    return attributesOf(fstatSync(file));
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
}

const attributesOf = ({ uid, gid, mode }: Attributes): Attributes => ({ uid, gid, mode: mode & 0o7777 });
