import { readFileSync, statSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { FSWatcher } from 'chokidar';
import { systemCode } from '../../errors.ts';
import type { Hint } from '../../ports.ts';
import { remoteKind } from '../file-systems.ts';
import { identityIn, isWithin } from './inputs.ts';

/** Errors of a system that has no more watches to give, and the setting that limits them. */
const LIMITS: Readonly<
  Record<string, { readonly name: string; readonly what: string; readonly of: number }>
> = {
  ENOSPC: { name: 'max_user_watches', what: 'folders', of: 524_288 },
  EMFILE: { name: 'max_user_instances', what: 'watchers', of: 1_024 },
  ENFILE: { name: 'max_user_instances', what: 'watchers', of: 1_024 },
};

/** The folders that are walked, and for those whose changes the system tells, the word of them. */
export interface Folders {
  readonly size: number;
  /** Whether of some folders no word will come. */
  readonly isBlind: boolean;
  /** To be called before a folder is read; what changes in it after this resolves is heard. */
  enter(folder: string): Promise<void>;
  /** Lets go of a folder that is gone and all below it; whether it was one. */
  leave(folder: string): boolean;
  /** Lets go of all folders below this one that were not entered since `round`. */
  leaveOlder(folder: string, round: number): void;
  /** Starts a round of a walk through everything. */
  nextRound(): number;
  close(): Promise<void>;
}

interface Entered {
  readonly identity: string;
  readonly device: bigint;
  round: number;
  readonly watcher: FolderWatcher | null;
}

/**
 * Hears of changes in folders by chokidar, one system watch a folder. With `poll` none is made. A limit of the system,
 * and the first folder of a remote file system, are told once.
 */
export function openFolders(heard: (hint: Hint) => void, { poll }: { readonly poll: boolean }): Folders {
  const entered = new Map<string, Entered>();
  const kinds = new Map<bigint, string | undefined>();
  const closing = new Set<Promise<void>>();
  let blind = 0;
  let round = 0;
  let limitTold = false;
  let remoteTold = false;
  let strangeTold = false;
  /** Once the limit is reached each further try would fail; the next round tries again. */
  let full = false;

  const letGo = (folder: string): void => {
    const one = entered.get(folder);
    if (one === undefined) return;
    entered.delete(folder);
    if (one.watcher === null) blind--;
    const closed = one.watcher?.close();
    if (closed === undefined) return;
    closing.add(closed);
    closed.finally(() => closing.delete(closed));
  };

  const leave = (folder: string): boolean => {
    const wasFolder = entered.has(folder);
    if (wasFolder) for (const path of [...entered.keys()]) if (isWithin(path, folder)) letGo(path);
    return wasFolder;
  };

  const failed = (folder: string, error: unknown): void => {
    const limit = LIMITS[systemCode(error) ?? ''];
    if (limit === undefined) heard({ type: 'lost' });
    else if (!limitTold) heard(limitWarning(folder, limit));
    full ||= limit !== undefined;
    limitTold ||= limit !== undefined;
  };

  /** chokidar takes a backslash for a slash. */
  const hasStrangeName = (folder: string): boolean => {
    const isStrange = sep === '/' && folder.includes('\\');
    if (isStrange && !strangeTold) heard(strangeWarning(folder));
    strangeTold ||= isStrange;
    return isStrange;
  };

  const isRemote = (folder: string, device: bigint): boolean => {
    if (!kinds.has(device)) kinds.set(device, remoteKind(folder));
    const kind = kinds.get(device);
    if (kind !== undefined && !remoteTold && !poll) heard(remoteWarning(folder, kind));
    remoteTold ||= kind !== undefined;
    return kind !== undefined;
  };

  return {
    get size() {
      return entered.size;
    },
    get isBlind() {
      return blind > 0;
    },
    async enter(folder) {
      const found = statSync(folder, { bigint: true, throwIfNoEntry: false });
      if (found === undefined) {
        leave(folder);
        return;
      }
      const identity = identityIn(found);
      const known = entered.get(folder);
      if (known?.identity === identity && (known.watcher?.mayBeDead === false || full || poll)) {
        known.round = round;
        return;
      }
      // A watch stays with the folder it was made for, whatever has its name now.
      letGo(folder);
      if (known !== undefined && known.device !== found.dev) heard({ type: 'replaced', folder });
      const isWatched = !poll && !full && !isRemote(folder, found.dev) && !hasStrangeName(folder);
      const watcher = isWatched ? await watchFolder(folder, heard, failed) : null;
      if (watcher === null) blind++;
      entered.set(folder, { identity, device: found.dev, round, watcher });
    },
    leave,
    leaveOlder(folder, since) {
      for (const [path, one] of [...entered]) if (one.round < since && isWithin(path, folder)) letGo(path);
    },
    nextRound() {
      full = false;
      return ++round;
    },
    async close() {
      for (const path of [...entered.keys()]) letGo(path);
      await Promise.all(closing);
    },
  };
}

/**
 * A watcher of one folder that leaves reading it to the walk. chokidar by itself would read each folder that it watches
 * and again at each change in it, with a stat of every file.
 */
class FolderWatcher extends FSWatcher {
  /** The folder, or something in it of the same name, was made, moved or removed: the watch may have gone with it. */
  mayBeDead = false;

  override _readdirp(): undefined {
    return undefined;
  }
}

/** Resolves once changes are heard; null where they cannot be. */
async function watchFolder(
  folder: string,
  heard: (hint: Hint) => void,
  failed: (folder: string, error: unknown) => void,
): Promise<FolderWatcher | null> {
  const watcher = new FolderWatcher({ depth: 0 });
  let isFine = true;
  watcher.on('raw', (event, name, details) => {
    // For a folder that is gone chokidar waits in the one above: not ours to tell.
    if ((details as { watchedPath?: string }).watchedPath !== folder) return;
    heard({ type: 'changed', path: name ? join(folder, name) : folder });
    // The end of the folder itself comes as a change under its own name.
    if (name !== basename(folder)) return;
    watcher.mayBeDead ||= event === 'rename';
    heard({ type: 'changed', path: folder });
  });
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
    watcher.on('error', (error) => {
      isFine = false;
      if (!NOT_OURS.has(systemCode(error) ?? '')) failed(folder, error);
      resolve();
    });
    watcher.add(folder);
  });
  if (isFine) return watcher;
  await watcher.close();
  return null;
}

/** A folder that may not be read is told by the walk. */
const NOT_OURS = new Set(['EACCES', 'EPERM']);

function limitWarning(folder: string, { name, what, of }: (typeof LIMITS)[string]): Hint {
  return {
    type: 'warning',
    message: `${folder}: the system watches no more ${what} (fs.inotify.${name} is ${limitNow(name)}); what it does not tell is found by looking often`,
    fix: `sudo sysctl fs.inotify.${name}=${of}`,
  };
}

function limitNow(name: string): string {
  try {
    return readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8').trim();
  } catch {
    return 'reached';
  }
}

function strangeWarning(folder: string): Hint {
  return {
    type: 'warning',
    message: `${folder}: cannot be watched for the backslash in its path; changes are found by looking often`,
    fix: 'rename it',
  };
}

function remoteWarning(folder: string, kind: string): Hint {
  return {
    type: 'warning',
    message: `${folder}: lies on ${kind}, which tells no changes; they are found by looking often`,
  };
}
