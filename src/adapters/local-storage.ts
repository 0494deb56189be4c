import { createHash } from 'node:crypto';
import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { chmod, copyFile, open, readdir, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { ImgtoolError, systemCode, writeError } from '../errors.ts';
import type { FileFacts } from '../model.ts';
import type { DeadRun, Staged, Storage } from '../ports.ts';
import { createFolderMaker, removeEmpty } from './local-storage/folders.ts';
import { linked, show } from './local-storage/naming.ts';
import { openNewFiles } from './local-storage/new-files.ts';
import { openFolderSyncs, syncFile } from './local-storage/syncs.ts';

/** Number of files to sync at once. Node has four threads for such calls, and one stays free for other calls. */
const MOST_SYNCED = 3;

/**
 * Stores outputs as files of this machine. Keys are absolute paths. Staged files carry the id of the run in their
 * names. Calls that take microseconds, such as a rename, are synchronous, because a switch to another thread takes far
 * longer. On a slow or remote disk the whole process waits for them.
 */
export function openLocalStorage(run: string): Storage {
  const syncNames = openFolderSyncs();
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
      await rm(temp, { force: true }).catch((error) => fail(error, temp));
      there.delete(temp);
    };
    return { path: temp, final: path, replace: false, durable: false, discard };
  };

  /** Syncs all at once, because the disk combines them. Waits for all, also when one fails. */
  const syncAll = async (files: readonly Pick<Staged, 'path' | 'final'>[]): Promise<void> => {
    const syncs = files.map(({ path, final }) =>
      atOnce(() => syncFile(path)).catch((error) => fail(error, final)),
    );
    await Promise.allSettled(syncs);
    await Promise.all(syncs);
  };

  const syncFolders = (paths: readonly string[]) => {
    const folders = [...new Set(paths.map((path) => dirname(path)))];
    return Promise.all(folders.map((one) => syncNames(one).catch((error) => fail(error, one))));
  };

  return {
    stage: (path) => stage(path).catch((error) => fail(error, path)),
    async stageFrom(from, path, how) {
      let one: Staged | undefined;
      try {
        one = await stage(path);
        // A link in the folder of another group would leave that group without access.
        if (how === 'link' && newFiles.isLikeNew(from, one.path) && linked(from, one.path)) return one;
        const { mode } = newFiles.attributesAt(one.path);
        await copyFile(from, one.path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        // A copy has the mode of its original.
        await chmod(one.path, mode);
        return one;
      } catch (error) {
        await one?.discard().catch(() => {});
        return fail(error, path);
      }
    },
    async commit(all) {
      await syncAll(all.filter(({ durable }) => !durable));
      // Take the facts before the rename: later they may belong to another file with this name.
      const facts = all.map(({ path, final }) => {
        const found = statOne(path);
        if (found === null || found === 'foreign') throw writeError(new Error('it is gone'), final);
        return found;
      });
      let shown = 0;
      let at = '';
      try {
        for (const one of all) {
          at = one.final;
          if (await show(one)) there.delete(one.path);
          shown++;
        }
        await syncFolders(all.map(({ final }) => final));
      } catch (error) {
        await takeBack(all.slice(0, shown), facts);
        return fail(error, at);
      }
      return facts;
    },
    stat: async (paths) => paths.map(statOne),
    kindAt: async (path) => kindInWords(lstatSync(path, { throwIfNoEntry: false })),
    async lackOf(folder) {
      if (statOne(folder) === null) return 'is not there';
      return (await readdir(folder).catch(() => null))?.length === 0 ? 'is empty' : null;
    },
    checksum,
    async sync(paths) {
      await syncAll(paths.map((path) => ({ path, final: path })));
      await syncFolders(paths);
    },
    async remove(paths, emptyBelow) {
      for (const path of paths) await removeFile(path).catch((error) => fail(error, path));
      for (const folder of new Set(paths.map((path) => dirname(path)))) {
        if (emptyBelow === null) await syncNames(folder).catch(() => {});
        else await removeEmpty(folder, emptyBelow);
      }
    },
    async prepare(out) {
      const folder = nearestExisting(out);
      if (statOf(folder)?.isDirectory() !== true) {
        throw new ImgtoolError('not_writable', `${folder}: is a file, and outputs need a folder there`, {
          fix: 'choose another {{out}}',
        });
      }
      try {
        accessSync(folder, constants.W_OK | constants.X_OK);
      } catch (error) {
        throw writeError(error, folder);
      }
    },
    sweep,
  };
}

function fail(error: unknown, path: string): never {
  throw writeError(error, path);
}

/** Removes the names that were given before one failed: nobody knows them yet. */
async function takeBack(shown: readonly Staged[], facts: readonly FileFacts[]): Promise<void> {
  for (const [i, { final, replace }] of shown.entries()) {
    const found = statOne(final);
    if (!replace && found !== null && found !== 'foreign' && found.ino === facts[i]?.ino)
      await unlink(final).catch(() => {});
  }
}

function statOne(path: string): FileFacts | 'foreign' | null {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return null;
    return found.isFile() ? factsOf(found) : 'foreign';
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return null;
    throw writeError(error, path);
  }
}

function kindInWords(found: Stats | undefined): string {
  if (found?.isDirectory()) return 'a folder';
  if (found?.isSymbolicLink()) return 'a link';
  if (found?.isFIFO()) return 'a pipe';
  return found?.isSocket() ? 'a socket' : 'a device';
}

function factsOf({ size, mtimeNs, ino }: { size: bigint; mtimeNs: bigint; ino: bigint }): FileFacts {
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino) };
}

/** Opens no link, and does not wait for a pipe. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

async function checksum(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    const file = await open(path, READ);
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw writeError(error, path);
  }
}

function nearestExisting(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) {
    if (statOf(folder) !== undefined || folder === dirname(folder)) return folder;
  }
}

/** What is at a path, with links followed. Undefined where nothing is. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw writeError(error, path);
  }
}

async function sweep(dead: readonly DeadRun[]): Promise<string[]> {
  const left: string[] = [];
  for (const { run, outputs } of dead) {
    for (const folder of new Set(outputs.map((path) => dirname(path)))) {
      for (const name of await namesIn(folder)) {
        if (!name.startsWith(`.imgtool-${run}-`) || !name.endsWith('.tmp')) continue;
        const path = join(folder, name);
        await rm(path, { force: true }).catch(() => left.push(path));
      }
    }
  }
  return left;
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

/** Empty for a folder that is gone or cannot be read: its staged files do no harm. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
