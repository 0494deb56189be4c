import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { dirname } from 'node:path';
import { orUndefined, systemCode } from '../errors.ts';
import { homeFolder, userPath } from './places.ts';

/** Node has this function from 22.1 on. The types of the oldest supported Node lack it. */
type Caching = { readonly enableCompileCache?: (folder: string) => { readonly directory?: string } };

/**
 * Turns on Node's compile cache for this process and its children. Node executes the cached code, so the user must own
 * the folder and nobody else may be able to write to it. Node's default folder in the system's temporary folder is not
 * safe. Without a safe folder the cache stays off. NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE have priority.
 */
export function keepCompiled(env = process.env, node = module as Caching, home = homeFolder): void {
  if (node.enableCompileCache === undefined || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE)
    return;
  const folder = userPath({ env, home: home(), platform: process.platform }, 'cache', 'compiled');
  if (folder === undefined) return;
  const above = dirname(folder);
  // Do not create the user's cache folder itself: under `sudo` it would belong to root.
  if (!isOwn(dirname(above), 0o002) || !isMade(above) || !isMade(folder)) return;
  if (node.enableCompileCache(folder).directory !== undefined) env.NODE_COMPILE_CACHE = folder;
}

/** Creates one folder. A recursive call would loop forever below /proc, where Node cannot create a folder. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    return systemCode(error) === 'EEXIST' && isOwn(folder, 0o022);
  }
}

/** Returns whether the user owns the folder and others have none of the forbidden rights. */
function isOwn(folder: string, forbidden: number): boolean {
  const stats = orUndefined(() => statSync(folder));
  if (stats?.isDirectory() !== true) return false;
  // Windows has no comparable owners and rights.
  return process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & forbidden) === 0);
}
