import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { orUndefined, systemCode } from '../../errors.ts';
import { makeFolders, remoteKind } from '../file-systems.ts';
import { unusable } from './errors.ts';
import type { DatabaseKind } from './kind.ts';

/** Endings of the files that SQLite keeps beside a database. */
export const BESIDE = ['-wal', '-shm'];

/** The path behind links. SQLite puts its WAL there, and all names of a database need one set of locks. */
export function realPlace(path: string): string {
  const linked = () => resolve(dirname(path), readlinkSync(path));
  return orUndefined(() => realpathSync(path), /^ENOENT$/) ?? orUndefined(linked) ?? path;
}

/**
 * Makes the folder of a database. If steps of this kind survive a power cut, new folders survive one too. Errors:
 * `index_unusable` on a remote disk; those of the system.
 */
export function makeFolder(path: string, kind: DatabaseKind): void {
  makeFolders(dirname(path), (made) => kind.isDurable && flush(dirname(made)));
  refuseRemote(path, dirname(path), kind);
}

/** Makes a file, or the names in a folder, survive a power cut. */
export function flush(path: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    // Windows cannot open folders, and other systems may refuse to sync them.
    if (!/^(EISDIR|EPERM|EINVAL)$/.test(systemCode(error) ?? '')) throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Checks that a database could be made, and makes nothing. Errors: those of `makeFolder`. */
export function checkPlace(path: string, kind: DatabaseKind): void {
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  // The dot makes it an error if this is a file.
  accessSync(join(folder, '.'), constants.W_OK | constants.X_OK);
  refuseRemote(path, folder, kind);
}

/** A WAL needs memory that all processes share. */
function refuseRemote(path: string, folder: string, { one }: DatabaseKind): void {
  const remote = remoteKind(folder);
  if (remote === undefined) return;
  const fix = 'name a place on a local disk with {{index}}';
  throw unusable(`${path}: is on ${remote}, where ${one} would be damaged`, fix);
}

/** The file of the store that belongs to an index. */
export function storeBeside(index: string): string {
  return `${index.replace(/\.db$/, '')}.serve.db`;
}

/** Bytes of a file. 0 when there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A mark of a file. Another file that gets the same name later has another mark. Undefined when there is none. */
export function printOf(path: string): string | undefined {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  return facts && `${facts.dev} ${facts.ino}`;
}

/**
 * Remembers which file has the name of the database and, from the first check on, which file is its WAL: what is written
 * into files without these names is lost to other processes. Calls `lost` once, when a file has changed. Returns the
 * check, which takes some microseconds. Errors of the check: `index_unusable` when a file was deleted, moved or replaced.
 */
export function watchIdentity(path: string, { fixLoss }: DatabaseKind, lost: () => void): () => void {
  const wal = `${path}-wal`;
  const own = printOf(path);
  let ownWal: string | undefined;
  let error: Error | undefined;
  return () => {
    if (error !== undefined) throw error;
    const isOwn = printOf(path) === own;
    const nowWal = printOf(wal);
    if (isOwn) ownWal ??= nowWal;
    if (isOwn && nowWal === ownWal) return;
    error = unusable(`${isOwn ? wal : path}: was deleted or replaced while it was in use`, fixLoss);
    lost();
    throw error;
  };
}
