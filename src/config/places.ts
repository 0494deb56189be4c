import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { orUndefined, systemCode } from '../errors.ts';
import { nearest } from '../variants/place.ts';

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

/** Whether nothing is at a path. A path that cannot be looked at may exist. */
export function hasNothing(place: string): boolean {
  try {
    return statSync(place, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return systemCode(error) === 'ENOTDIR';
  }
}

/** The existing path that a mistyped one most likely means, relative if `given` is relative. Undefined without a near one. */
export function nearPath(given: string, cwd: string): string | undefined {
  const [above, name] = [path.dirname(given), path.basename(given)];
  if (existsSync(path.resolve(cwd, given)) || above === given) return given;
  const folder = nearPath(above, cwd);
  const names = folder && orUndefined(() => readdirSync(path.resolve(cwd, folder)));
  if (folder === undefined || !names) return undefined;
  // A camera numbers its files: IMG_2042.jpg is not a mistyped IMG_2041.jpg.
  const letters = (text: string) => text.replace(/\d+/g, '#');
  const others = names.filter((one) => letters(one) !== letters(name));
  // Of names that are equally near, the shortest: a.db before a.db-wal.
  const near = names.includes(name)
    ? name
    : nearest(
        name,
        others.sort((a, b) => a.length - b.length),
      );
  return near && path.join(folder, near);
}
