import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
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

  /** Copies a file to `path`, where nothing is. The copy has the attributes of a new file. */
  async function copyAsNew(from: string, path: string): Promise<void> {
    const { uid, gid, mode } = attributesAt(path);
    await copyFile(from, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copy = lstatSync(path);
    // From Node 22 on, a copy has the owner and the group of its original where the system allows that.
    if (process.platform !== 'win32' && (copy.uid !== uid || copy.gid !== gid)) {
      unlinkSync(path);
      await pipeline(createReadStream(from), createWriteStream(path, { flags: 'wx' }));
    }
    // A copy has the mode of its original.
    await chmod(path, mode);
  }

  return { isLikeNew, copyAsNew };
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
