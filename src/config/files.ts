import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import { ImgtoolError, systemCode } from '../errors.ts';
import { type Place, wrong } from './place.ts';
import { absolute, type Surroundings, userConfigFolder } from './places.ts';
import { isMapping, yesOrNo } from './plain.ts';
import { findUpwards, findUserFile } from './search.ts';
import { assertTrusted, type User, userIn } from './trust.ts';

/** A file of settings, parsed and not yet checked. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * The files in force, first wins: the one named, or the nearest `.imgtoolrc` and the user's own. Errors: `config` for
 * one that was found and belongs to somebody else.
 */
export async function readFiles(
  flag: string | false | undefined,
  cwd: string,
  surroundings: Surroundings,
  user: User = userIn(surroundings.env),
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
    const path = absolute(named, cwd, home);
    return [await parsed(path, readNamed(path, place), place)];
  }
  const paths = [findUpwards(cwd), findUserFile(userConfigFolder(surroundings))];
  const found = paths.filter((path) => path !== undefined);
  return Promise.all(
    found.map((path) => {
      const place: Place = { code: 'config', text: path };
      return parsed(path, readFound(path, place, user, cwd), place);
    }),
  );
}

/** What a file of JSON or YAML says. Errors, with line and column where there is one: the place's code. */
async function parsed(path: string, bytes: Buffer, place: Place): Promise<ConfigFile> {
  const text = decode(bytes, place, path);
  const { parse } = await import('./parse.ts');
  const values = (await parse(text, path)) ?? {};
  if (!isMapping(values)) throw wrong({ code: 'config', text: path }, 'a mapping of settings', values);
  return { path, values };
}

/** The bytes of a file that was named: it may be anybody's, and `<(…)` of a shell. */
function readNamed(path: string, place: Place): Buffer {
  try {
    if (statSync(path).isDirectory()) throw aFolder(path, place);
    return readFileSync(path);
  } catch (error) {
    throw unreadable(error, path, place);
  }
}

/** The bytes of a file that was found: it must be a regular one, for a pipe lying about would never end. */
function readFound(path: string, place: Place, user: User, cwd: string): Buffer {
  let file: number | undefined;
  try {
    assertRegular(statSync(path), path, place);
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    // What was opened counts: something else may be at the path by now.
    const found = fstatSync(file);
    assertRegular(found, path, place);
    assertTrusted(path, [lstatSync(path).uid, found.uid], user, ownerOf(cwd));
    return readFileSync(file);
  } catch (error) {
    throw unreadable(error, path, place);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** No user where the folder is gone. */
function ownerOf(folder: string): number | undefined {
  try {
    return statSync(folder).uid;
  } catch {
    return undefined;
  }
}

function assertRegular(found: Stats, path: string, place: Place): void {
  if (found.isDirectory()) throw aFolder(path, place);
  if (!found.isFile()) throw wrong(place, 'a regular file', 'a pipe, socket or device');
}

function aFolder(path: string, place: Place): ImgtoolError {
  return wrong(place, 'a file of settings', `the folder ${path}`);
}

function unreadable(error: unknown, path: string, place: Place): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const missing = systemCode(error) === 'ENOENT';
  const why = missing ? 'is not there' : `could not be read (${systemCode(error) ?? String(error)})`;
  return new ImgtoolError(place.code, `${place.text === path ? '' : `${place.text}: `}${path}: ${why}`, {
    fix: missing ? 'check the path' : 'check its permissions, or leave it out with --no-config',
    cause: error,
  });
}

function decode(bytes: Buffer, place: Place, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ImgtoolError(place.code, `${path}: is not UTF-8 text`, { fix: 'save it as UTF-8', cause });
  }
}
