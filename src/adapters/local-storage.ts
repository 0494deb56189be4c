import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, lstatSync, type Stats, statSync } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ImgtoolError, outputExists, systemCode, writeError } from '../errors.ts';
import type { FileFacts } from '../model.ts';
import type { DeadRun, Staged, Storage } from '../ports.ts';

/** Why a hard link cannot be made here although a copy can. */
const NO_LINKS = new Set(['EPERM', 'EMLINK', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/** Outputs as files of this machine; keys are absolute paths. Staged files carry the run's id in their names. */
export function openLocalStorage(run: string): Storage {
  let staged = 0;

  const stage = async (path: string): Promise<Staged> => {
    const folder = dirname(path);
    await makeFolder(folder);
    const temp = join(folder, `.imgtool-${run}-${staged++}.tmp`);
    const discard = () => rm(temp, { force: true }).catch((error) => fail(error, temp));
    return { path: temp, final: path, replace: false, discard };
  };

  return {
    stage: (path) => stage(path).catch((error) => fail(error, path)),
    async stageFrom(from, path, how) {
      try {
        const one = await stage(path);
        if (how === 'copy' || !(await linked(from, one.path))) {
          await copyFile(from, one.path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
          // A copy comes with the mode of what was copied.
          await chmod(one.path, 0o666 & ~process.umask());
        }
        return one;
      } catch (error) {
        return fail(error, path);
      }
    },
    async commit(all) {
      for (const one of all) await syncFile(one.path).catch((error) => fail(error, one.final));
      // A name keeps the facts of its file; taken later they could be those of what replaced it.
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
          await show(one);
          shown++;
        }
        for (at of new Set(all.map(({ final }) => dirname(final)))) await syncFolder(at);
      } catch (error) {
        await takeBack(all.slice(0, shown), facts);
        return fail(error, at);
      }
      return facts;
    },
    stat: async (paths) => paths.map(statOne),
    checksum,
    async remove(paths, emptyBelow) {
      for (const path of paths) await removeFile(path).catch((error) => fail(error, path));
      for (const folder of new Set(paths.map((path) => dirname(path)))) {
        if (emptyBelow === null) await syncFolder(folder).catch(() => {});
        else await removeEmpty(folder, emptyBelow);
      }
    },
    async prepare(out) {
      const folder = nearestExisting(out);
      if (statOf(folder)?.isDirectory() !== true) {
        throw new ImgtoolError('not_writable', `${folder}: is a file, and outputs need a folder there`, {
          fix: 'choose another --out',
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

/**
 * Gives a staged file its final name. Without `replace` by a link, which never overwrites, even in a race; where there
 * are no hard links a moment remains between the look and the rename.
 */
async function show({ path, final, replace }: Staged): Promise<void> {
  if (!replace) {
    try {
      await link(path, final);
      await unlink(path);
      return;
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EEXIST' || (await exists(final))) {
        throw outputExists(final, error);
      }
      if (code === undefined || !NO_LINKS.has(code)) throw error;
    }
  }
  await renamePatiently(path, final);
}

/** New names given before one failed: nobody knows of them yet. */
async function takeBack(shown: readonly Staged[], facts: readonly FileFacts[]): Promise<void> {
  for (const [i, { final, replace }] of shown.entries()) {
    const found = statOne(final);
    if (!replace && found !== null && found !== 'foreign' && found.ino === facts[i]?.ino)
      await unlink(final).catch(() => {});
  }
}

/** On Windows a scanner may hold a file for a moment. */
async function renamePatiently(from: string, to: string): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const busy = systemCode(error) === 'EPERM' || systemCode(error) === 'EBUSY';
      if (process.platform !== 'win32' || !busy || wait > 1_000) throw error;
      await sleep(wait);
    }
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (NO_LINKS.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  // Reading suffices to sync, and works on a read-only file; not so on Windows.
  const handle = await open(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder with all above it; what is new is durable with its parent. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made !== dirname(first); made = dirname(made)) await syncFolder(dirname(made));
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

function factsOf({ size, mtimeNs, ino }: { size: bigint; mtimeNs: bigint; ino: bigint }): FileFacts {
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino) };
}

async function checksum(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw writeError(error, path);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

function nearestExisting(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) {
    if (statOf(folder) !== undefined || folder === dirname(folder)) return folder;
  }
}

/** What is at a path, following links; undefined where nothing is. */
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

/** Removes a folder and those above it up to `out` as long as nothing is in them; makes durable that it is gone. */
async function removeEmpty(folder: string, out: string): Promise<void> {
  for (let at = folder; at !== out && at.startsWith(out + sep); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return syncFolder(at);
    }
  }
  await syncFolder(out).catch(() => {});
}

/** Empty for a folder that is gone or cannot be read now: what is left there disturbs nobody. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
