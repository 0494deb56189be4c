import { readFileSync, statSync } from 'node:fs';
import { ImgtoolError, systemCode } from '../errors.ts';
import { type Place, wrong } from './place.ts';
import { absolute, type Surroundings, userConfigFolder } from './places.ts';
import { isMapping, yesOrNo } from './plain.ts';
import { findUpwards, findUserFile } from './search.ts';

/** A file of settings, parsed and not yet checked. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The files in force, first wins: the one named, or the nearest `.imgtoolrc` and the user's own. */
export async function readFiles(
  flag: string | false | undefined,
  cwd: string,
  surroundings: Surroundings,
): Promise<readonly ConfigFile[]> {
  const { env, home } = surroundings;
  const none = env.IMGTOOL_NO_CONFIG || 'false';
  if (flag === false || (flag === undefined && yesOrNo(none, { code: 'config', text: 'IMGTOOL_NO_CONFIG' })))
    return [];

  const named = flag ?? (env.IMGTOOL_CONFIG || undefined);
  if (named !== undefined) {
    const place: Place =
      flag === undefined ? { code: 'config', text: 'IMGTOOL_CONFIG' } : { code: 'usage', text: '--config' };
    if (named === '') throw wrong(place, 'a file', named);
    return [await readConfigFile(absolute(named, cwd, home), place)];
  }
  const paths = [findUpwards(cwd), findUserFile(userConfigFolder(surroundings))];
  return Promise.all(paths.filter((path) => path !== undefined).map((path) => readConfigFile(path, 'found')));
}

/**
 * Reads and parses a file of JSON or YAML. Errors, with line and column where there is one: the place's code.
 * `found` files must be regular ones, for a FIFO lying about would never end; a named one may be `<(…)` of a shell.
 */
async function readConfigFile(path: string, how: 'found' | Place): Promise<ConfigFile> {
  const place: Place = how === 'found' ? { code: 'config', text: path } : how;
  const text = decode(readBytes(path, place, how === 'found'), place, path);
  const { parse } = await import('./parse.ts');
  const values = (await parse(text, path)) ?? {};
  if (!isMapping(values)) throw wrong({ code: 'config', text: path }, 'a mapping of settings', values);
  return { path, values };
}

function readBytes(path: string, place: Place, regular: boolean): Buffer {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw wrong(place, 'a file of settings', `the folder ${path}`);
    if (regular && !stats.isFile()) throw wrong(place, 'a regular file', 'a pipe, socket or device');
    return readFileSync(path);
  } catch (error) {
    if (error instanceof ImgtoolError) throw error;
    const missing = systemCode(error) === 'ENOENT';
    const why = missing ? 'is not there' : `could not be read (${systemCode(error) ?? String(error)})`;
    throw new ImgtoolError(place.code, `${place.text === path ? '' : `${place.text}: `}${path}: ${why}`, {
      fix: missing ? 'check the path' : 'check its permissions, or leave it out with --no-config',
      cause: error,
    });
  }
}

function decode(bytes: Buffer, place: Place, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ImgtoolError(place.code, `${path}: is not UTF-8 text`, { fix: 'save it as UTF-8', cause });
  }
}
