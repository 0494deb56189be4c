import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Hint } from '../../ports.ts';
import { remoteKind } from '../file-systems.ts';
import { identityIn, isWithin } from './files.ts';
import type { FolderWatcher } from './folder-watcher.ts';

/** Errors of a system that has no watches left, and the setting that limits them. */
const LIMITS: Readonly<
  Record<string, { readonly name: string; readonly what: string; readonly of: number }>
> = {
  ENOSPC: { name: 'max_user_watches', what: 'folders', of: 524_288 },
  EMFILE: { name: 'max_user_instances', what: 'watchers', of: 1_024 },
  ENFILE: { name: 'max_user_instances', what: 'watchers', of: 1_024 },
};

/** The folders that walks enter. The system reports changes in most of them. */
export interface Folders {
  readonly size: number;
  readonly isBlind: boolean;
  /** Folders without reports of changes. Leaves out those inside another such folder. */
  blind(): string[];
  /** Call it before a folder is read. Later changes in the folder are reported. */
  enter(folder: string): Promise<void>;
  /** Forgets a folder that is gone and all folders below it. Returns whether the folder was known. */
  leave(folder: string): boolean;
  /** Forgets all folders below this one that were not entered since `round`. */
  leaveOlder(folder: string, round: number): void;
  /** Starts the round of a walk through everything. */
  nextRound(): number;
  close(): Promise<void>;
}

interface Entered {
  readonly identity: string;
  readonly device: bigint | undefined;
  round: number;
  readonly watcher: FolderWatcher | null;
  /** Changes in this folder are not reported. */
  readonly isBlind: boolean;
}

/**
 * Watches folders by chokidar, with one system watch for each folder, or with none if `poll` is set. Warns once when a
 * limit of the system is reached, and once about remote file systems.
 */
export function openFolders(
  heard: (hint: Hint) => void,
  { poll, isSource }: { readonly poll: boolean; readonly isSource: (name: string) => boolean },
): Folders {
  const entered = new Map<string, Entered>();
  const kinds = new Map<bigint, string | undefined>();
  const closing = new Set<Promise<void>>();
  let blind = 0;
  let round = 0;
  const warned = new Set<string>();
  /** The limit is reached: other folders would fail too. The next round tries again. */
  let full = false;

  const warnOnce = (about: string, warning: Hint): void => {
    if (!warned.has(about)) heard(warning);
    warned.add(about);
  };

  const letGo = (folder: string): void => {
    const one = entered.get(folder);
    if (one === undefined) return;
    entered.delete(folder);
    if (one.isBlind) blind--;
    const closed = one.watcher?.close();
    if (closed === undefined) return;
    closing.add(closed);
    closed.finally(() => closing.delete(closed));
  };

  const put = (folder: string, one: Entered): void => {
    entered.set(folder, one);
    if (one.isBlind) blind++;
  };

  /** A disk may be unmounted together with the folder it is mounted on: its files are not gone. */
  const letAllGo = (folders: readonly string[]): void => {
    const mounts = folders.filter((path) => {
      const above = entered.get(dirname(path));
      return above !== undefined && above.device !== entered.get(path)?.device;
    });
    for (const path of folders) letGo(path);
    for (const folder of mounts) heard({ type: 'replaced', folder });
  };

  const leave = (folder: string): boolean => {
    const wasFolder = entered.has(folder);
    if (wasFolder) letAllGo([...entered.keys()].filter((path) => isWithin(path, folder)));
    return wasFolder;
  };

  /** Ignores changes in files that are no sources, such as a growing log. */
  const heardIn =
    (folder: string) =>
    (event: string, name: string | null): void => {
      const path = name ? join(folder, name) : folder;
      if (event === 'change' && name && !isSource(name) && !entered.has(path)) return;
      heard({ type: 'changed', path });
      // The system reports the removal of a folder as a change under its own name.
      if (name === basename(folder)) heard({ type: 'changed', path: folder });
    };

  const failed = (folder: string, error: unknown): void => {
    if (isNotOurs(error)) return;
    const limit = LIMITS[systemCode(error) ?? ''];
    if (limit === undefined) heard({ type: 'lost' });
    else warnOnce('limit', limitWarning(folder, limit));
    full ||= limit !== undefined;
  };

  /** chokidar takes a backslash for a slash. */
  const hasStrangeName = (folder: string): boolean => {
    const isStrange = sep === '/' && folder.includes('\\');
    if (isStrange) warnOnce('name', strangeWarning(folder));
    return isStrange;
  };

  const isRemote = (folder: string, device: bigint): boolean => {
    if (!kinds.has(device)) kinds.set(device, remoteKindOf(folder));
    const kind = kinds.get(device);
    if (kind !== undefined && !poll) warnOnce('remote', remoteWarning(folder, kind));
    return kind !== undefined;
  };

  /** chokidar takes 11 ms to load: only a watch loads it. */
  const watched = async (folder: string): Promise<FolderWatcher | Error> => {
    const { watchFolder } = await import('./folder-watcher.ts');
    return watchFolder(folder, heardIn(folder), (error) => failed(folder, error));
  };

  return {
    get size() {
      return entered.size;
    },
    get isBlind() {
      return blind > 0;
    },
    blind() {
      if (blind === 0) return [];
      const isBlind = (path: string) => entered.get(path)?.isBlind === true;
      return [...entered.keys()].filter((path) => isBlind(path) && !isBlind(dirname(path)));
    },
    async enter(folder) {
      const found = look(folder);
      if (found === undefined) {
        leave(folder);
        return;
      }
      const known = entered.get(folder);
      if (found instanceof Error) {
        letGo(folder);
        // The walk reports a folder that cannot be entered, and the folder above reports when that changes.
        put(folder, {
          identity: '',
          device: known?.device,
          round,
          watcher: null,
          isBlind: !isNotOurs(found),
        });
        return;
      }
      const identity = identityIn(found);
      const isGood = known?.watcher?.mayBeDead === false || (known?.isBlind === true && (full || poll));
      if (known?.identity === identity && isGood) {
        known.round = round;
        return;
      }
      // A watch stays with its folder, even when another folder has the name now.
      letGo(folder);
      if (known !== undefined && known.device !== found.dev) heard({ type: 'replaced', folder });
      const isWatched = !poll && !full && !isRemote(folder, found.dev) && !hasStrangeName(folder);
      const watcher = isWatched ? await watched(folder) : null;
      const isBlind = watcher === null || (watcher instanceof Error && !isNotOurs(watcher));
      const one = { identity, device: found.dev, round, isBlind };
      put(folder, { ...one, watcher: watcher instanceof Error ? null : watcher });
    },
    leave,
    leaveOlder(folder, since) {
      const old = [...entered].filter(([path, one]) => one.round < since && isWithin(path, folder));
      letAllGo(old.map(([path]) => path));
    },
    nextRound() {
      full = false;
      // A device may get the number of an earlier one.
      kinds.clear();
      return ++round;
    },
    async close() {
      for (const path of [...entered.keys()]) letGo(path);
      await Promise.all(closing);
    },
  };
}

/** What has the name of a folder. Undefined where nothing is; an error where nobody can tell. */
function look(folder: string): BigIntStats | Error | undefined {
  try {
    return statSync(folder, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return systemCode(error) === 'ENOTDIR' ? undefined : (error as Error);
  }
}

function remoteKindOf(folder: string): string | undefined {
  try {
    return remoteKind(folder);
  } catch {
    // The folder is gone or cannot be reached. The next round tries again.
    return undefined;
  }
}

/** Whether a folder cannot be read: the walk reports that, and nothing in the folder is a source. */
function isNotOurs(error: unknown): boolean {
  return systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM';
}

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
