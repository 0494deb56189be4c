import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { compiledFolder } from './places.ts';

/** Node has this from 22.1 on. The types of the oldest supported Node lack it. */
type Caching = { readonly enableCompileCache?: (folder: string) => { readonly directory?: string } };

/**
 * Turns on Node's compile cache for this process and its children. Node runs the code in the cache, so the folder must
 * belong to the user and no one else may write to it; Node's own default, in the temporary folder of the system, is not
 * safe. Without such a folder there is no cache. NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE take precedence.
 */
export function keepCompiled(
  env: NodeJS.ProcessEnv = process.env,
  { enableCompileCache }: Caching = module as Caching,
  home = homedir,
): void {
  if (enableCompileCache === undefined || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE) return;
  try {
    const folder = compiledFolder({ env, home: home(), platform: process.platform });
    const above = dirname(folder);
    // The user's cache folder itself is not created: under `sudo` it would belong to root.
    if (!isOwn(dirname(above), 0o002) || !isMade(above) || !isMade(folder)) return;
    if (enableCompileCache(folder).directory !== undefined) env.NODE_COMPILE_CACHE = folder;
  } catch {
    // A user without a home folder, as in many containers. Commands that need one report it.
  }
}

/** Not recursive: there Node loops forever below /proc, where creating a folder has no effect. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    return systemCode(error) === 'EEXIST' && isOwn(folder, 0o022);
  }
}

/** Whether the user owns this folder, and others have none of these rights. */
function isOwn(folder: string, forbidden: number): boolean {
  try {
    const stats = statSync(folder);
    // Windows has no owners and rights of this kind.
    const isOurs =
      process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & forbidden) === 0);
    return stats.isDirectory() && isOurs;
  } catch {
    return false;
  }
}
