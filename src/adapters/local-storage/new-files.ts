import { closeSync, fstatSync, lstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';

/** What a file gets from the folder it is made in, and from the process. */
interface Attributes {
  readonly uid: number;
  readonly gid: number;
  /** Permissions alone. */
  readonly mode: number;
}

/** Folders that are remembered. */
const MOST = 1_000;

/**
 * Tells what new files get: the group of a setgid folder or of the process, and what umask and default ACLs leave of
 * the mode. Systems differ in it, so the first file in a folder shows it.
 */
export function openNewFiles() {
  const known = new Map<string, { readonly folder: string; readonly made: Attributes }>();

  /** Of a new file at this path, where nothing is; a file is made there to see, and removed. */
  function attributesAt(path: string): Attributes {
    const above = dirname(path);
    const { uid, gid, mode } = statSync(above);
    const folder = `${uid} ${gid} ${mode}`;
    const before = known.get(above);
    if (before?.folder === folder) return before.made;
    if (known.size >= MOST) known.clear();
    const made = tryOut(path);
    known.set(above, { folder, made });
    return made;
  }

  return {
    attributesAt,
    /** Whether a file is as a new one at `path` would be, so that it may get that name as its second. */
    isLikeNew(from: string, path: string): boolean {
      // Neither owner nor mode says anything there.
      if (process.platform === 'win32') return true;
      const [one, other] = [attributesOf(lstatSync(from)), attributesAt(path)];
      return one.uid === other.uid && one.gid === other.gid && one.mode === other.mode;
    },
  };
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

function attributesOf({ uid, gid, mode }: Attributes): Attributes {
  return { uid, gid, mode: mode & 0o7777 };
}
