import type { Stats } from 'node:fs';
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ImgtoolError, orUndefined, systemCode } from '../errors.ts';
import { type Place, wrong } from '../variants/place.ts';
import { isMapping, yesOrNo } from '../variants/values.ts';
import { nearPath } from './hints.ts';
import { absolute, type Surroundings, userPath } from './places.ts';

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
export async function readFiles(flag: string | false | undefined, cwd: string, surroundings: Surroundings) {
  const { env, home } = surroundings;
  const isOff = () => yesOrNo.read(env.IMGTOOL_NO_CONFIG || 'false', inConfig('IMGTOOL_NO_CONFIG'));
  if (flag === false || (flag === undefined && isOff())) return [];

  const named = flag ?? (env.IMGTOOL_CONFIG || undefined);
  if (named !== undefined) {
    const place: Place =
      flag === undefined ? inConfig('IMGTOOL_CONFIG') : { code: 'usage', text: '--config' };
    if (named === '') throw wrong(place, 'a file', named);
    return [await readFile(absolute(named, cwd, home), place, readNamed)];
  }
  const own = userPath(surroundings, 'config');
  const found = [findUpwards(cwd), own === undefined ? undefined : oneOf(own, USER_NAMES)];
  const paths = found.filter((path) => path !== undefined);
  const read: ReadBytes = (path, place) => readFound(path, place, cwd, env);
  return Promise.all(paths.map((path) => readFile(path, inConfig(path), read)));
}

function inConfig(text: string): Place {
  return { code: 'config', text };
}

const NAMES = ['.imgtoolrc', '.imgtoolrc.json', '.imgtoolrc.yaml', '.imgtoolrc.yml'];
const USER_NAMES = ['config.yaml', 'config.yml', 'config.json'];

/** The nearest `.imgtoolrc` at or above the folder. Errors: `config` where a folder has two. */
function findUpwards(folder: string): string | undefined {
  const parent = dirname(folder);
  return oneOf(folder, NAMES) ?? (parent === folder ? undefined : findUpwards(parent));
}

function oneOf(folder: string, names: readonly string[]): string | undefined {
  const [first, second] = names.map((name) => join(folder, name)).filter(isThere);
  if (first === undefined || second === undefined) return first;
  throw new ImgtoolError('config', `${second}: stands beside ${first}, expected one of them`, {
    fix: 'move all settings into one file and remove the other',
  });
}

/** Whether something is at the path. An unreadable path, which can be above the working folder, counts as absent. */
function isThere(path: string): boolean {
  return orUndefined(() => lstatSync(path), /^(ENOENT|EACCES|EPERM|ENOTDIR)$/) !== undefined;
}

type ReadBytes = (path: string, place: Place) => Buffer;

/** Errors: the code of `place`, with line and column where the parser reports them. */
async function readFile(path: string, place: Place, read: ReadBytes): Promise<ConfigFile> {
  const values = (await parse(textOf(path, place, read), path)) ?? {};
  if (!isMapping(values)) throw wrong(inConfig(path), 'a mapping of settings', values);
  return { path, values };
}

function textOf(path: string, place: Place, read: ReadBytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(read(path, place));
  } catch (cause) {
    if (cause instanceof ImgtoolError) throw cause;
    const code = systemCode(cause);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new ImgtoolError(place.code, `${path}: is not UTF-8 text`, { fix: 'save it as UTF-8', cause });
    }
    const isMissing = code === 'ENOENT';
    const why = isMissing ? 'is not there' : `could not be read (${code ?? String(cause)})`;
    const near = isMissing ? nearPath(path, dirname(path)) : undefined;
    const check = near === undefined ? 'check the path' : `did you mean ${near}?`;
    throw new ImgtoolError(place.code, `${place.text === path ? '' : `${place.text}: `}${path}: ${why}`, {
      fix: isMissing ? check : 'check its permissions, or leave it out with --no-config',
      cause,
    });
  }
}

/** Reads a named file. Any user may own it, and it may be a pipe such as `<(…)` of a shell. */
function readNamed(path: string, place: Place): Buffer {
  assertNoFolder(statSync(path), path, place);
  return readFileSync(path);
}

/** Reads a file that was found. It must be a regular file, because reading a stray pipe would never end. */
function readFound(path: string, place: Place, cwd: string, env: NodeJS.ProcessEnv): Buffer {
  assertRegular(statSync(path), path, place);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    // Check the opened file, because another file may have replaced it at the path.
    const found = fstatSync(file);
    assertRegular(found, path, place);
    assertTrusted(path, [lstatSync(path).uid, found.uid], {
      effective: process.geteuid?.(),
      sudo: env.SUDO_UID,
      ownerOfCwd: orUndefined(() => statSync(cwd).uid),
    });
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function assertRegular(found: Stats, path: string, place: Place): void {
  assertNoFolder(found, path, place);
  if (!found.isFile()) throw wrong(place, 'a regular file', 'a pipe, socket or device');
}

function assertNoFolder(found: Stats, path: string, place: Place): void {
  if (found.isDirectory()) throw wrong(place, 'a file of settings', `the folder ${path}`);
}

interface User {
  /** The numeric id of the effective user. Undefined on systems without such ids. */
  readonly effective: number | undefined;
  /** SUDO_UID: the user who called sudo. */
  readonly sudo: string | undefined;
  readonly ownerOfCwd: number | undefined;
}

/**
 * Checks the owners of a file that was found. For a link these are the owner of the link and the owner of its target.
 * Trusted owners are the user, root and the caller of sudo. Root also trusts the owner of the working folder, because
 * containers often run as root over a user's files. Errors: `config`.
 */
export function assertTrusted(path: string, owners: readonly number[], user: User): void {
  const { effective, sudo = '', ownerOfCwd } = user;
  if (effective === undefined) return;
  const caller = /^\d{1,10}$/.test(sudo) ? Number(sudo) : undefined;
  const trusted = [0, effective, caller, effective === 0 ? ownerOfCwd : undefined];
  const stranger = owners.find((owner) => !trusted.includes(owner));
  if (stranger === undefined) return;
  throw new ImgtoolError('config', `${path}: belongs to ${nameOf(stranger)}, whose settings are not obeyed`, {
    fix: `name it with --config ${path} if you trust it, or leave it out with --no-config`,
  });
}

/** The user's name and number. The name comes from the system's user list. */
function nameOf(user: number): string {
  const users = orUndefined(() => readFileSync('/etc/passwd', 'utf8')) ?? '';
  const entry = new RegExp(`^([^:\n]+):[^:\n]*:${user}:`, 'm').exec(users);
  return entry?.[1] === undefined ? `user ${user}` : `${entry[1]} (user ${user})`;
}

/** Parses JSON or YAML. Errors: `config`, with line and column. */
async function parse(text: string, path: string): Promise<unknown> {
  const json = text.trimStart().startsWith('{') ? parseJson(text) : {};
  if ('value' in json) return json.value;

  // JSON with comments and trailing commas is YAML.
  const { parseDocument, visit } = await import('yaml');
  const document = parseDocument(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const [start] = problem.linePos ?? [];
    const where = start ? `:${start.line}:${start.col}` : '';
    const what = problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '');
    throw new ImgtoolError('config', `${path}${json.problem ?? `${where}: is no JSON or YAML: ${what}`}`);
  }
  visit(document, {
    // `name: 0400` is a name, and `width: 0400` is still a number.
    Scalar(_, node) {
      if (typeof node.value === 'number' && /^0\d+$/.test(node.source ?? '')) node.value = node.source;
    },
  });
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
