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
import { type Place, wrong } from '../variants/place.ts';
import { isMapping, yesOrNo } from '../variants/values.ts';
import { absolute, type Surroundings, userConfigFolder } from './places.ts';
import { findUpwards, findUserFile } from './search.ts';
import { assertTrusted, type User, userIn } from './trust.ts';

/** A settings file, parsed but not checked. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Returns the settings files to use, the first with the highest priority: the named file alone, or the nearest
 * `.imgtoolrc` and the user's own file. Errors: `config` for a file that was found and belongs to another user.
 */
export async function readFiles(
  flag: string | false | undefined,
  cwd: string,
  surroundings: Surroundings,
  user: User = userIn(surroundings.env),
): Promise<readonly ConfigFile[]> {
  const { env, home } = surroundings;
  const none = env.IMGTOOL_NO_CONFIG || 'false';
  if (
    flag === false ||
    (flag === undefined && yesOrNo.read(none, { code: 'config', text: 'IMGTOOL_NO_CONFIG' }))
  )
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

/** Parses the bytes. Errors: the code of `place`, with line and column where the parser reports them. */
async function parsed(path: string, bytes: Buffer, place: Place): Promise<ConfigFile> {
  const values = (await parse(decode(bytes, place, path), path)) ?? {};
  if (!isMapping(values)) throw wrong({ code: 'config', text: path }, 'a mapping of settings', values);
  return { path, values };
}

/** Reads a named file. Any user may own it, and it may be a pipe such as `<(…)` of a shell. */
function readNamed(path: string, place: Place): Buffer {
  try {
    if (statSync(path).isDirectory()) throw aFolder(path, place);
    return readFileSync(path);
  } catch (error) {
    throw unreadable(error, path, place);
  }
}

/** Reads a file that was found. It must be a regular file, because reading a stray pipe would never end. */
function readFound(path: string, place: Place, user: User, cwd: string): Buffer {
  let file: number | undefined;
  try {
    assertRegular(statSync(path), path, place);
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    // Check the opened file, because another file may have replaced it at the path.
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

/** Returns undefined if the folder is gone. */
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

/** Parses JSON or YAML. Errors: `config`, with line and column. */
async function parse(text: string, path: string): Promise<unknown> {
  const json = text.trimStart().startsWith('{') ? parseJson(text) : {};
  if ('value' in json) return json.value;

  // JSON with comments and trailing commas is YAML.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const [start] = problem.linePos ?? [];
    const where = start ? `:${start.line}:${start.col}` : '';
    const what = problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '');
    throw new ImgtoolError('config', `${path}${json.problem ?? `${where}: is no JSON or YAML: ${what}`}`);
  }
  try {
    return document.toJS();
  } catch (cause) {
    throw new ImgtoolError('config', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Returns the value, or the problem and its position if Node reports one. */
function parseJson(text: string): { value: unknown } | { problem?: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const [tail, position] = / in JSON at position (\d+).*$/s.exec(message) ?? [];
    if (tail === undefined) return {};
    const lines = text.slice(0, Number(position)).split('\n');
    const what = message.slice(0, -tail.length);
    return { problem: `:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}: is no JSON: ${what}` };
  }
}
