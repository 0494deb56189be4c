import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { compiledFolder } from './places.ts';

/** What Node has from 22.1 on, of which the types of the oldest Node know nothing. */
type Caching = { readonly enableCompileCache?: (folder: string) => { readonly directory?: string } };

/**
 * Keeps what Node compiles for the next start, and for the children, where Node can. What lies there is run, so it has to
 * be a folder of the user's own in which nobody else may write, unlike Node's own choice below the system's temporary
 * folder; where there is none, nothing is kept. Node's variables, NODE_COMPILE_CACHE to name another folder and
 * NODE_DISABLE_COMPILE_CACHE, are heeded.
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
    // The user's folder for such things is not made: with the rights of another, as by `sudo`, it would be of no use to him.
    if (!isOwn(dirname(above), 0o002) || !isMade(above) || !isMade(folder)) return;
    if (enableCompileCache(folder).directory !== undefined) env.NODE_COMPILE_CACHE = folder;
  } catch {
    // A user without a home, as in many a container: whoever needs one says so.
  }
}

/** Not recursively, with which Node goes round for ever where a folder can be made in vain, as below /proc. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    return systemCode(error) === 'EEXIST' && isOwn(folder, 0o022);
  }
}

/** Whether it is a folder of the user's, and grants others none of these rights. */
function isOwn(folder: string, forbidden: number): boolean {
  try {
    const stats = statSync(folder);
    // Windows has neither owners nor rights of this kind.
    const isOurs =
      process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & forbidden) === 0);
    return stats.isDirectory() && isOurs;
  } catch {
    return false;
  }
}
