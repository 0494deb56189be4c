import path from 'node:path';

/** The environment that the default paths depend on. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** The default path of the index. */
export function defaultIndex({ env, home, platform }: Surroundings): string {
  // systemd separates several state folders with colons.
  const [state] = (env.STATE_DIRECTORY ?? '').split(':');
  if (state) return path.posix.join(state, 'imgtool.db');
  return inFolder(platform, userFolder({ env, home, platform }, 'state'), 'index.db');
}

/** The folder of the user's own settings. */
export function userConfigFolder(surroundings: Surroundings): string {
  return inFolder(surroundings.platform, userFolder(surroundings, 'config'), '');
}

/** The folder of Node's compile cache. */
export function compiledFolder(surroundings: Surroundings): string {
  return inFolder(surroundings.platform, userFolder(surroundings, 'cache'), 'compiled');
}

/** The XDG folder on Linux or if its variable is set; otherwise the folder that the platform prescribes. */
function userFolder({ env, home, platform }: Surroundings, kind: 'state' | 'config' | 'cache'): string {
  const xdg = env[`XDG_${kind.toUpperCase()}_HOME`] ?? '';
  if (platform === 'win32') {
    const local = env.LOCALAPPDATA || path.win32.join(home, 'AppData', 'Local');
    const roaming = env.APPDATA || path.win32.join(home, 'AppData', 'Roaming');
    return kind === 'config' ? roaming : local;
  }
  // The XDG specification requires programs to ignore relative paths.
  if (path.posix.isAbsolute(xdg)) return xdg;
  if (platform === 'darwin') {
    return path.posix.join(home, 'Library', kind === 'cache' ? 'Caches' : 'Application Support');
  }
  return path.posix.join(
    home,
    ...{ state: ['.local', 'state'], config: ['.config'], cache: ['.cache'] }[kind],
  );
}

function inFolder(platform: NodeJS.Platform, folder: string, name: string): string {
  return (platform === 'win32' ? path.win32 : path.posix).join(folder, 'imgtool', name);
}

/** Makes a path absolute: `~/` is the home folder, and other relative paths start from `base`. */
export function absolute(written: string, base: string, home: string): string {
  if (written === '~' || /^~[/\\]/.test(written)) return path.join(home, written.slice(1));
  return path.resolve(base, written);
}
