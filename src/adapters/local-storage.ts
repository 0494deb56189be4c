import { createHash } from 'node:crypto';
import { constants, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { access, lutimes, open, readdir, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import {
  ImgtoolError,
  outputExists,
  outputUnreadable,
  removeError,
  systemCode,
  writeError,
} from '../errors.ts';
import type { FileFacts } from '../model.ts';
import type { DeadRun, Staged, Storage } from '../ports.ts';
import { filelessKind } from './file-systems.ts';
import { createFolderMaker, removeEmpty } from './local-storage/folders.ts';
import { linked, longestNameIn, show } from './local-storage/naming.ts';
import { openNewFiles } from './local-storage/new-files.ts';
import { openSyncs, syncFile, syncFolder } from './syncs.ts';

/** Number of files to sync at once. Node has four threads for such calls, and one stays free for other calls. */
const MOST_SYNCED = 3;

/**
 * Stores outputs as files of this machine. Keys are absolute paths. Staged files carry the id of the run in their
 * names. Calls that take microseconds, such as a rename, are synchronous, because a switch to another thread takes far
 * longer. On a slow or remote disk the whole process waits for them.
 */
export function openLocalStorage(run: string): Storage {
  const syncNames = openSyncs(syncFolder);
  const makeFolder = createFolderMaker(syncNames);
  const atOnce = pLimit(MOST_SYNCED);
  const newFiles = openNewFiles();
  /** Staged files without a final name. */
  const there = new Set<string>();
  let staged = 0;

  const stage = async (path: string): Promise<Staged> => {
    const folder = dirname(path);
    await makeFolder(folder);
    const temp = join(folder, `.imgtool-${run}-${staged++}.tmp`);
    there.add(temp);
    const discard = async () => {
      if (!there.has(temp)) return;
      await rm(temp, { force: true }).catch(failAt(temp));
      there.delete(temp);
    };
    return { path: temp, final: path, replace: null, modified: null, durable: false, discard };
  };

  /** Syncs all at once, because the disk combines them. Waits for all, also when one fails. */
  const syncAll = async (files: readonly Pick<Staged, 'path' | 'final'>[]): Promise<void> => {
    const syncs = files.map(({ path, final }) => atOnce(() => syncFile(path)).catch(failAt(final)));
    await Promise.allSettled(syncs);
    await Promise.all(syncs);
  };

  const syncFolders = (paths: readonly string[]) => {
    const folders = [...new Set(paths.map((path) => dirname(path)))];
    return Promise.all(folders.map((one) => syncNames(one).catch(failAt(one))));
  };

  const storage: Storage = {
    stage: (path) => stage(path).catch(failAt(path)),
    async stageFrom(from, path, how) {
      let one: Staged | undefined;
      try {
        one = await stage(path);
        // A link in the folder of another group would leave that group without access.
        if (how === 'link' && newFiles.isLikeNew(from, one.path) && linked(from, one.path)) return one;
        await newFiles.copyAsNew(from, one.path);
        return one;
      } catch (error) {
        await one?.discard().catch(() => {});
        await access(from, constants.R_OK).catch((unreadable) => {
          throw outputUnreadable(unreadable, from);
        });
        throw writeError(error, path);
      }
    },
    async setTime(path, modified) {
      const links = statOf(path)?.nlink ?? 1;
      const before = statOne(path);
      if (links > 1 && before !== 'foreign') {
        const copy = await storage.stageFrom(path, path, 'copy');
        try {
          const [facts] = await storage.commit([Object.assign(copy, { replace: before, modified })]);
          return facts!;
        } finally {
          await copy.discard();
        }
      }
      await setTimeAt(path, modified).catch(failAt(path));
      const found = statOne(path);
      if (found === null || found === 'foreign') throw writeError(new Error('it is gone'), path);
      return found;
    },
    async commit(all) {
      for (const { path, final, modified } of all) {
        if (modified !== null) await setTimeAt(path, modified).catch(failAt(final));
      }
      await syncAll(all.filter(({ durable }) => !durable));
      // Take the facts before the rename: later they may belong to another file with this name.
      const facts = all.map(({ path, final }) => {
        const found = statOne(path);
        if (found === null || found === 'foreign') throw writeError(new Error('it is gone'), final);
        return found;
      });
      const shown: Staged[] = [];
      try {
        // Look at all of them before one is replaced.
        const replaces = all.map(isReplaceable);
        for (const [i, one] of all.entries()) {
          if (await show({ ...one, replace: replaces[i]! }).catch(failAt(one.final))) there.delete(one.path);
          shown.push(one);
        }
        await syncFolders(all.map(({ final }) => final));
      } catch (error) {
        await takeBack(shown, facts);
        throw error;
      }
      return facts;
    },
    stat: async (paths) => paths.map(statOne),
    kindAt: async (path) => kindInWords(lstatSync(path, { throwIfNoEntry: false })),
    async realPath(path) {
      try {
        return join(realpathSync.native(dirname(path)), basename(path));
      } catch (error) {
        throw outputUnreadable(error, path);
      }
    },
    async lackOf(folder) {
      // A link that leads to nothing may lead to a disk that is not mounted.
      if (isNothingAt(folder)) return 'is not there';
      return (await readdir(folder).catch(() => null))?.length === 0 ? 'is empty' : null;
    },
    checksum,
    async sync(paths) {
      await syncAll(paths.map((path) => ({ path, final: path })));
      await syncFolders(paths);
    },
    async remove(paths, emptyBelow) {
      const removed: string[] = [];
      let error: ImgtoolError | undefined;
      for (const path of paths) {
        const cause: unknown = await unlink(path).catch((thrown) => thrown);
        if (cause !== undefined && !isAbsence(cause)) error = removeError(cause, path);
        if (error !== undefined) break;
        removed.push(path);
      }
      for (const folder of new Set(removed.map((path) => dirname(path)))) {
        if (emptyBelow === null) await syncNames(folder).catch(() => {});
        else await removeEmpty(folder, emptyBelow);
      }
      return error === undefined ? { removed } : { removed, error };
    },
    async prepare(out) {
      let folder = out;
      while (statOf(folder) === undefined && folder !== dirname(folder)) folder = dirname(folder);
      if (statOf(folder)?.isDirectory() !== true) {
        const why = `${folder}: is a file, and outputs need a folder there`;
        throw new ImgtoolError('not_writable', why, { fix: 'choose another {{out}}' });
      }
      await access(folder, constants.W_OK | constants.X_OK).catch(failAt(folder));
      const kind = filelessKind(folder);
      if (kind !== undefined) {
        const why = `${out}: no files can be kept there (${kind})`;
        throw new ImgtoolError('not_writable', why, { fix: 'choose another {{out}}' });
      }
      return longestNameIn(folder);
    },
    sweep,
  };
  return storage;
}

/** A handler of errors of the system that concern this path. */
const failAt = (path: string) => (error: unknown) => {
  throw writeError(error, path);
};

/** Changes no file that a link leads to. */
async function setTimeAt(path: string, modified: string): Promise<void> {
  await lutimes(path, Date.now() / 1000, Number(modified) / 1e9);
}

const isAbsence = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');

/** Whether the file to replace is there. Errors: `output_exists` when it was changed since it was seen, or is another. */
function isReplaceable({ final, replace }: Staged): boolean {
  const found = replace && statOne(final);
  if (replace === null || found === null) return false;
  if (found === 'foreign' || !isDeepStrictEqual(found, replace)) throw outputExists(final);
  return true;
}

/** Removes the names that were given before one failed: nobody knows them yet. */
async function takeBack(shown: readonly Staged[], facts: readonly FileFacts[]): Promise<void> {
  for (const [i, { final, replace }] of shown.entries()) {
    const found = statOne(final);
    if (replace === null && found !== null && found !== 'foreign' && found.ino === facts[i]?.ino)
      await unlink(final).catch(() => {});
  }
}

function statOne(path: string): FileFacts | 'foreign' | null {
  const found = present(path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  if (found === undefined) return null;
  const { size, mtimeNs, ino } = found;
  return found.isFile() ? { size: Number(size), mtime: String(mtimeNs), ino: String(ino) } : 'foreign';
}

/** What is at a path, with links followed. Undefined where nothing is. */
const statOf = (path: string): Stats | undefined =>
  present(path, () => statSync(path, { throwIfNoEntry: false }));

/** False where nobody can tell. */
function isNothingAt(path: string): boolean {
  try {
    return statOf(path) === undefined;
  } catch {
    return false;
  }
}

function present<T>(path: string, stat: () => T): T | undefined {
  try {
    return stat();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw outputUnreadable(error, path);
  }
}

function kindInWords(found: Stats | undefined): string {
  if (found?.isDirectory()) return 'a folder';
  if (found?.isSymbolicLink()) return 'a link';
  if (found?.isFIFO()) return 'a pipe';
  return found?.isSocket() ? 'a socket' : 'a device';
}

/** Opens no link, and does not wait for a pipe. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

async function checksum(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    const file = await open(path, READ_FLAGS);
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw outputUnreadable(error, path);
  }
}

async function sweep(dead: readonly DeadRun[]): Promise<string[]> {
  const left: string[] = [];
  for (const { run, outputs } of dead) {
    for (const folder of new Set(outputs.map((path) => dirname(path)))) {
      // The staged files of a folder that cannot be read do no harm.
      for (const name of await readdir(folder).catch(() => [])) {
        if (!name.startsWith(`.imgtool-${run}-`) || !name.endsWith('.tmp')) continue;
        const path = join(folder, name);
        await rm(path, { force: true }).catch(() => left.push(path));
      }
    }
  }
  return left;
}
