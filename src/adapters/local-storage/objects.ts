import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, createReadStream, lstatSync, type Stats, statfsSync } from 'node:fs';
import { chmod, opendir, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import {
  asImgtoolError,
  ImgtoolError,
  orUndefined,
  outputUnreadable,
  systemCode,
  withSetting,
} from '../../errors.ts';
import type { Objects, StagedObject } from '../../ports.ts';
import { openSyncs, syncFile, syncFolder } from '../syncs.ts';
import { createFolderMaker, removeEmpty } from './folders.ts';
import { linked, show } from './naming.ts';
import { openNewFiles } from './new-files.ts';
import {
  failAt,
  failAtRoot,
  failReading,
  failRemoving,
  isAbsence,
  missing,
  SETTING,
  storageError,
} from './object-errors.ts';

/** Number of files to sync at once. Node has four threads for such calls, and one stays free for other calls. */
const MOST_SYNCED = 3;
/** The folder of staged files. It is no key, because the names of a key do not begin with a dot. */
const STAGED = '.staged';
/** One name of a key. */
const PLAIN = /^(?!\.)[\w.-]{1,255}$/;
const LONGEST_KEY = 1_000;
/** How often to give a name again after another call has removed its empty folder. */
const TRIES = 5;

/**
 * Stores objects as files below a folder that belongs to one process. No link below that folder is followed, served or
 * removed. Staged files lie in a folder of their own, on the same disk. Calls that take microseconds are synchronous.
 * `hold` makes sure that no other process uses the folder, before `prepare` removes anything there. It returns a check that
 * the folder is still the same: without its disk, an empty folder is in its place. Other users of the machine cannot read
 * staged files, and objects with one of the prefixes `hidden`: names of folders.
 */
export function openLocalObjects(
  root: string,
  hold: (root: string) => () => void = () => () => {},
  hidden: readonly string[] = [],
): Objects {
  const syncNames = openSyncs(syncFolder);
  const makeFolder = createFolderMaker(syncNames);
  const atOnce = pLimit(MOST_SYNCED);
  const newFiles = openNewFiles();
  const scratch = join(root, STAGED);
  /** Begins the names of the staged files of this process. */
  const run = randomBytes(6).toString('hex');
  /** Staged files without a final name. */
  const nameless = new Set<string>();
  let staged = 0;
  let checkHold = () => {};

  /** Carries out a call. When no object could be stored or found, the error says that. */
  const guarded =
    <A extends readonly unknown[], T>(call: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      checkHold();
      try {
        return await call(...asked);
      } catch (error) {
        checkHold();
        if (asImgtoolError(error).code === 'not_writable')
          for (const path of [root, scratch]) assertWritable(path);
        throw error;
      }
    };

  /** The file of an object, with no link followed. Undefined where none is. */
  function fileOf(key: string): string | undefined {
    const path = join(root, key);
    return isKey(key) && isReal(root, dirname(key)) && statIn(root, key)?.isFile() ? path : undefined;
  }

  async function stage(key: string): Promise<StagedObject> {
    assertKey(key);
    await makeRealFolder(STAGED);
    assertWritable(scratch);
    const path = join(scratch, `${run}-${staged++}.tmp`);
    nameless.add(path);
    const discard = async () => {
      if (nameless.has(path)) await unlink(path).catch(failRemoving(key));
      nameless.delete(path);
    };
    return { path, key, discard };
  }

  /** Makes a folder below the root and those above it. */
  async function makeRealFolder(folder: string): Promise<void> {
    if (isReal(root, folder)) return makeFolder(join(root, folder), folder);
    const message = `${folder}: a link or a file is in the place of this folder of the storage`;
    throw new ImgtoolError('not_writable', message, { fix: 'move it away: storage follows no links' });
  }

  async function giveName({ path, key }: StagedObject): Promise<void> {
    const final = join(root, key);
    for (let left = TRIES; ; left--) {
      try {
        await makeRealFolder(dirname(key));
        await show({ path, final, replace: true });
        // If both names belong to one file, rename does nothing.
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined) nameless.delete(path);
        return;
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || left === 0) throw error;
      }
    }
  }

  /** Waits for all, also when one fails. */
  async function all(works: readonly Promise<void>[]): Promise<void> {
    await Promise.allSettled(works);
    await Promise.all(works);
  }

  return {
    stage: guarded((key: string) => stage(key).catch(failAt(key))),
    stageFrom: guarded(async (from: string, key: string, checksum?: string) => {
      const original = fileOf(from);
      if (original === undefined) throw missing(from);
      const one = await stage(key).catch(failAt(key));
      try {
        // A link is enough: the bytes of an object never change.
        const isLinked = newFiles.isLikeNew(original, one.path) && linked(original, one.path);
        if (!isLinked) await newFiles.copyAsNew(original, one.path);
        // Except on a damaged disk.
        if (checksum !== undefined && (await checksumOf(one.path)) !== checksum) throw missing(from);
        return one;
      } catch (error) {
        await one.discard().catch(() => {});
        if (fileOf(from) === undefined) throw missing(from);
        throw storageError(error, key);
      }
    }),
    commit: guarded(async (objects: readonly StagedObject[]) => {
      await all(objects.map(({ path, key }) => atOnce(() => syncFile(path)).catch(failAt(key))));
      for (const one of objects) await giveName(one).catch(failAt(one.key));
      const folders = [...new Set(objects.map(({ key }) => dirname(key)))];
      await all(folders.map((folder) => syncNames(join(root, folder)).catch(failAt(folder))));
    }),
    fetch: guarded(async (key: string) => {
      const path = fileOf(key);
      if (path === undefined) throw missing(key);
      return { path, discard: async () => {} };
    }),
    locate: guarded(async (key: string) => {
      const path = fileOf(key);
      return path === undefined ? null : { path };
    }),
    remove: guarded(async (keys: readonly string[]) => {
      const folders = new Set<string>();
      let failure: unknown;
      for (const key of keys) {
        try {
          const path = fileOf(key);
          if (path === undefined) continue;
          await unlink(path).catch(failRemoving(key));
          folders.add(dirname(key));
        } catch (error) {
          failure ??= error;
        }
      }
      for (const folder of folders) {
        // The first folder of a key stays: the next object needs it soon.
        const [first = ''] = folder.split('/');
        await removeEmpty(join(root, folder), join(root, first), syncNames).catch(failRemoving(folder));
      }
      if (failure !== undefined) throw failure;
    }),
    list: (prefix) => objectsBelow(root, prefix.slice(0, Math.max(0, prefix.lastIndexOf('/'))), prefix),
    async prepare() {
      if (statIn(root, '')?.isFile()) {
        const fix = `choose another {{${SETTING}}}`;
        throw new ImgtoolError('not_writable', `${root}: is a file, and must be a folder`, {
          fix,
        });
      }
      await makeFolder(root).catch(failAtRoot(root));
      const probe = await stage('probe').catch(failAtRoot(root));
      await writeFile(probe.path, '', { flag: 'wx' }).catch(failAtRoot(root));
      await probe.discard();
      assertWritable(root);
      checkHold = hold(root);
      for (const folder of [STAGED, ...hidden]) {
        await makeRealFolder(folder).catch(failAt(folder));
        // Some disks know no permissions.
        await chmod(join(root, folder), 0o700).catch(() => {});
      }
      for (const name of await readdir(scratch).catch(failReading(scratch))) {
        const path = join(scratch, name);
        if (!name.startsWith(`${run}-`)) await rm(path, { force: true }).catch(failAt(path));
      }
    },
    async space() {
      const disk = orUndefined(() => statfsSync(root));
      return disk === undefined ? null : { free: disk.bavail * disk.bsize, total: disk.blocks * disk.bsize };
    },
  };
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function isKey(key: string): boolean {
  return key.length <= LONGEST_KEY && key.split('/').every((name) => PLAIN.test(name));
}

function assertKey(key: string): void {
  if (isKey(key)) return;
  throw new ImgtoolError('not_writable', `${JSON.stringify(key)} is no key of an object`);
}

/** Whether all that exists of a folder below the root is a folder, and no link. */
function isReal(root: string, folder: string): boolean {
  let key = '';
  for (const name of folder.split('/')) {
    key = join(key, name);
    const found = statIn(root, key);
    if (found === undefined) return true;
    if (!found.isDirectory()) return false;
  }
  return true;
}

/** The objects below a folder whose keys begin with `prefix`. A folder that is removed meanwhile has none. */
async function* objectsBelow(
  root: string,
  folder: string,
  prefix: string,
): AsyncGenerator<{ key: string; at: number }> {
  if (folder !== '' && !(isKey(folder) && isReal(root, folder))) return;
  const names = await opendir(join(root, folder)).catch(failReading(folder));
  for await (const { name } of names) {
    const key = folder === '' ? name : `${folder}/${name}`;
    if (!PLAIN.test(name) || !(key.startsWith(prefix) || prefix.startsWith(`${key}/`))) continue;
    const found = statIn(root, key);
    if (found?.isDirectory()) yield* objectsBelow(root, key, prefix);
    else if (found?.isFile() && key.startsWith(prefix)) yield { key, at: found.mtimeMs };
  }
}

function statIn(root: string, key: string): Stats | undefined {
  try {
    return lstatSync(join(root, key), { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw withSetting(outputUnreadable(error, key || root), SETTING);
  }
}

/** Errors: `storage_unusable` for a folder that no object can do without. */
function assertWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    if (isAbsence(cause)) return;
    const fix = `check its permissions and its disk, or choose another {{${SETTING}}}`;
    const message = `${folder}: may not be written (${systemCode(cause)})`;
    throw new ImgtoolError('storage_unusable', message, { fix, cause });
  }
}
