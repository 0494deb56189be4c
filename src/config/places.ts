import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ImgtoolError, orUndefined, systemCode } from '../errors.ts';

/** The environment that the default paths depend on. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Undefined for a user without a home folder. */
  readonly home: string | undefined;
  readonly platform: NodeJS.Platform;
}

/** Undefined where HOME is not set and the system does not know the user, as in some containers. */
export function homeFolder(): string | undefined {
  return orUndefined(homedir) || undefined;
}

/** The working folder. If it was deleted, the path that it had: commands with absolute paths still work there. */
export function workingFolder(env = process.env): string {
  return orUndefined(process.cwd) ?? path.resolve('/', env.PWD ?? '');
}

/** The default path of the index. Errors: `config` where the user has no folder for it. */
export function defaultIndex(surroundings: Surroundings): string {
  // systemd separates several state folders with colons.
  const [state] = (surroundings.env.STATE_DIRECTORY ?? '').split(':');
  const place = state ? path.posix.join(state, 'imgtool.db') : userPath(surroundings, 'state', 'index.db');
  if (place !== undefined) return place;
  throw new ImgtoolError('config', `the index has no place, because ${HOMELESS}`, {
    fix: 'name a file with {{index}}, or set HOME',
  });
}

const HOMELESS = 'this user has no home folder';

/** Folders below the home folder by the XDG specification, and the folders of macOS. */
const XDG = { state: '.local/state', config: '.config', cache: '.cache' };
const MAC = { state: 'Application Support', config: 'Application Support', cache: 'Caches' };

/**
 * A path in the folder that the platform prescribes: on Linux the XDG folder, on macOS `Library`, on Windows `AppData`.
 * On macOS the XDG folder is used instead if its variable is set.
 * Undefined where that folder is below the home folder and the user has none.
 */
export function userPath({ env, home, platform }: Surroundings, kind: keyof typeof XDG, name = '') {
  const isWindows = platform === 'win32';
  const { isAbsolute, join } = isWindows ? path.win32 : path.posix;
  const below = (...parts: string[]) => (home === undefined ? undefined : join(home, ...parts));
  let folder: string | undefined;
  if (isWindows) {
    const local = env.LOCALAPPDATA || below('AppData', 'Local');
    folder = kind === 'config' ? env.APPDATA || below('AppData', 'Roaming') : local;
  } else {
    const xdg = env[`XDG_${kind.toUpperCase()}_HOME`] ?? '';
    const own = platform === 'darwin' ? below('Library', MAC[kind]) : below(XDG[kind]);
    // The XDG specification requires programs to ignore relative paths.
    folder = isAbsolute(xdg) ? xdg : own;
  }
  return folder === undefined ? undefined : join(folder, 'imgtool', name);
}

/**
 * Makes a path absolute: `~/` is the home folder, and other relative paths start from `base`. Errors: `config` for `~`
 * of a user without a home folder.
 */
export function absolute(written: string, base: string, home: string | undefined): string {
  if (written !== '~' && !/^~[/\\]/.test(written)) return path.resolve(base, written);
  if (home !== undefined) return path.join(home, written.slice(1));
  throw new ImgtoolError('config', `${written}: ${HOMELESS}`, { fix: 'write the whole path, or set HOME' });
}

/** Whether nothing is at a path. A path that cannot be looked at may exist. */
export function hasNothing(place: string): boolean {
  try {
    return statSync(place, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return systemCode(error) === 'ENOTDIR';
  }
}
