import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { orUndefined, systemCode } from '../../errors.ts';
import type { Hint } from '../../ports.ts';
import { remoteKind } from '../file-systems.ts';
import { identityIn, isWithin } from './files.ts';
import type { FolderWatcher } from './folder-watcher.ts';

const WATCHERS = { name: 'max_user_instances', what: 'watchers', of: 1_024 };
/** Errors of a system that has no watches left, and the setting that limits them. */
const LIMITS: Readonly<Record<string, typeof WATCHERS>> = {
  ENOSPC: { name: 'max_user_watches', what: 'folders', of: 524_288 },
  EMFILE: WATCHERS,
  ENFILE: WATCHERS,
};

interface Entered {
  readonly identity: string;
  readonly device: bigint | undefined;
  round: number;
  readonly watcher: FolderWatcher | null;
}

export interface FolderOptions {
  readonly poll: boolean;
  isSource(name: string): boolean;
}

/** The folders that walks enter. The system reports changes in most of them. */
export type Folders = ReturnType<typeof openFolders>;

/**
 * Watches folders by chokidar, with one system watch for each folder, or with none if `poll` is set. Warns once when a
 * limit of the system is reached, and once about remote file systems.
 */
export function openFolders(heard: (hint: Hint) => void, { poll, isSource }: FolderOptions) {
  const entered = new Map<string, Entered>();
  /** The entered folders in which the system reports no changes. */
  const blind = new Set<string>();
  const remote = new Map<bigint, string | undefined>();
  const closing = new Set<Promise<void>>();
  const warned = new Set<string>();
  let round = 0;
  /** The limit is reached: other folders would fail too. The next round tries again. */
  let full = false;

  const warnOnce = (about: string, message: string, fix?: string): void => {
    if (!warned.has(about)) heard({ type: 'warning', message, ...(fix === undefined ? {} : { fix }) });
    warned.add(about);
  };

  const letGo = (folder: string): void => {
    const closed = entered.get(folder)?.watcher?.close();
    entered.delete(folder);
    blind.delete(folder);
    if (closed === undefined) return;
    closing.add(closed);
    closed.finally(() => closing.delete(closed));
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

  /** Forgets a folder that is gone and all folders below it. Returns whether the folder was known. */
  const leave = (folder: string): boolean => {
    const wasFolder = entered.has(folder);
    if (wasFolder) letAllGo([...entered.keys()].filter((path) => isWithin(path, folder)));
    return wasFolder;
  };

  /** Ignores changes in files that are no sources, such as a growing log. */
  const heardIn = (folder: string) => (event: string, name: string | null) => {
    const path = name ? join(folder, name) : folder;
    if (event === 'change' && name && !isSource(name) && !entered.has(path)) return;
    heard({ type: 'changed', path });
    // The system reports the removal of a folder as a change under its own name.
    if (name === basename(folder)) heard({ type: 'changed', path: folder });
  };

  const failed = (folder: string, error: unknown): void => {
    if (isNotOurs(error)) return;
    const limit = LIMITS[systemCode(error) ?? ''];
    if (limit === undefined) {
      heard({ type: 'lost' });
      return;
    }
    full = true;
    const { name, what, of } = limit;
    const now = orUndefined(() => readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8').trim()) ?? 'reached';
    warnOnce(
      'limit',
      `${folder}: the system can watch no more ${what} (fs.inotify.${name} is ${now}); imgtool finds other changes by scanning often`,
      `sudo sysctl fs.inotify.${name}=${of}`,
    );
  };

  /** Whether the system cannot report changes in this folder. */
  const isUnwatchable = (folder: string, device: bigint): boolean => {
    // A folder that is gone or cannot be reached counts as local. The next round asks again.
    const ask = () => remoteKind(folder);
    if (!remote.has(device)) remote.set(device, orUndefined(ask));
    const kind = remote.get(device);
    if (kind !== undefined) {
      const why = `is on ${kind}, which reports no changes; imgtool finds them by scanning often`;
      warnOnce('remote', `${folder}: ${why}`);
    } else if (sep === '/' && folder.includes('\\')) {
      // chokidar takes a backslash for a slash.
      const why =
        'cannot be watched because its path has a backslash; imgtool finds changes by scanning often';
      warnOnce('name', `${folder}: ${why}`, 'rename it');
    } else return false;
    return true;
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
      return blind.size > 0;
    },
    /** The folders without reports of changes, except folders inside another such folder. */
    blind: () => [...blind].filter((path) => !blind.has(dirname(path))),
    /** Call it before a folder is read. Later changes in the folder are reported. */
    async enter(folder: string): Promise<void> {
      const found = look(folder);
      const known = entered.get(folder);
      if (found === undefined) {
        leave(folder);
        return;
      }
      if (found instanceof Error) {
        letGo(folder);
        // The walk reports a folder that cannot be entered, and the folder above reports when that changes.
        entered.set(folder, { identity: '', device: known?.device, round, watcher: null });
        if (!isNotOurs(found)) blind.add(folder);
        return;
      }
      const identity = identityIn(found);
      const isGood = known?.watcher?.mayBeDead === false || (blind.has(folder) && (full || poll));
      if (known?.identity === identity && isGood) {
        known.round = round;
        return;
      }
      // A watch stays with its folder, even when another folder has the name now.
      letGo(folder);
      if (known !== undefined && known.device !== found.dev) heard({ type: 'replaced', folder });
      const isWatched = !poll && !full && !isUnwatchable(folder, found.dev);
      const watcher = isWatched ? await watched(folder) : null;
      const isFailed = watcher instanceof Error;
      entered.set(folder, { identity, device: found.dev, round, watcher: isFailed ? null : watcher });
      if (isFailed ? !isNotOurs(watcher) : watcher === null) blind.add(folder);
    },
    leave,
    /** Forgets all folders below this one that were not entered since `round`. */
    leaveOlder(folder: string, since: number): void {
      const old = [...entered].filter(([path, one]) => one.round < since && isWithin(path, folder));
      letAllGo(old.map(([path]) => path));
    },
    /** Starts the round of a walk through everything. */
    nextRound(): number {
      full = false;
      // A device may get the number of an earlier one.
      remote.clear();
      return ++round;
    },
    async close(): Promise<void> {
      for (const path of [...entered.keys()]) letGo(path);
      await Promise.all(closing);
    },
  };
}

/** What has the name of a folder. Undefined where nothing is; an error where nobody can tell. */
function look(folder: string) {
  try {
    return statSync(folder, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return systemCode(error) === 'ENOTDIR' ? undefined : (error as Error);
  }
}

/** Whether a folder cannot be read: the walk reports that, and nothing in the folder is a source. */
function isNotOurs(error: unknown): boolean {
  return systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM';
}
