import path from 'node:path';

/** The environment that the default paths depend on. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** The default path of the index. */
export function defaultIndex(surroundings: Surroundings): string {
  // systemd separates several state folders with colons.
  const [state] = (surroundings.env.STATE_DIRECTORY ?? '').split(':');
  return state ? path.posix.join(state, 'imgtool.db') : userPath(surroundings, 'state', 'index.db');
}

/** Folders below the home folder by the XDG specification, and the folders of macOS. */
const XDG = { state: '.local/state', config: '.config', cache: '.cache' };
const MAC = { state: 'Application Support', config: 'Application Support', cache: 'Caches' };

/** A path in the XDG folder on Linux or if its variable is set; otherwise in the folder that the platform prescribes. */
export function userPath({ env, home, platform }: Surroundings, kind: keyof typeof XDG, name = ''): string {
  if (platform === 'win32') {
    const { join } = path.win32;
    const local = env.LOCALAPPDATA || join(home, 'AppData', 'Local');
    const roaming = env.APPDATA || join(home, 'AppData', 'Roaming');
    return join(kind === 'config' ? roaming : local, 'imgtool', name);
  }
  const { isAbsolute, join } = path.posix;
  const xdg = env[`XDG_${kind.toUpperCase()}_HOME`] ?? '';
  const own = platform === 'darwin' ? join(home, 'Library', MAC[kind]) : join(home, XDG[kind]);
  // The XDG specification requires programs to ignore relative paths.
  return join(isAbsolute(xdg) ? xdg : own, 'imgtool', name);
}

/** Makes a path absolute: `~/` is the home folder, and other relative paths start from `base`. */
export function absolute(written: string, base: string, home: string): string {
  if (written === '~' || /^~[/\\]/.test(written)) return path.join(home, written.slice(1));
  return path.resolve(base, written);
}
