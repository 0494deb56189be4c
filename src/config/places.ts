import path from 'node:path';

/** What the places depend on. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** Where the index lies when nobody says. */
export function defaultIndex({ env, home, platform }: Surroundings): string {
  // systemd gives a list where a unit has several.
  const [state] = (env.STATE_DIRECTORY ?? '').split(':');
  if (state) return path.posix.join(state, 'imgtool.db');
  return inFolder(platform, userFolder({ env, home, platform }, 'state'), 'index.db');
}

/** The folder of the user's own settings. */
export function userConfigFolder(surroundings: Surroundings): string {
  return inFolder(surroundings.platform, userFolder(surroundings, 'config'), '');
}

/** Where Node may keep what it compiled. */
export function compiledFolder(surroundings: Surroundings): string {
  return inFolder(surroundings.platform, userFolder(surroundings, 'cache'), 'compiled');
}

/** XDG's on Linux and wherever its variables are set, the platform's own elsewhere. */
function userFolder({ env, home, platform }: Surroundings, kind: 'state' | 'config' | 'cache'): string {
  const xdg = env[`XDG_${kind.toUpperCase()}_HOME`] ?? '';
  if (platform === 'win32') {
    const local = env.LOCALAPPDATA || path.win32.join(home, 'AppData', 'Local');
    const roaming = env.APPDATA || path.win32.join(home, 'AppData', 'Roaming');
    return kind === 'config' ? roaming : local;
  }
  // XDG's specification: a relative path is to be ignored.
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

/** The absolute path of one as written: `~/` is the home folder, the rest starts from `base`. */
export function absolute(written: string, base: string, home: string): string {
  if (written === '~' || /^~[/\\]/.test(written)) return path.join(home, written.slice(1));
  return path.resolve(base, written);
}
