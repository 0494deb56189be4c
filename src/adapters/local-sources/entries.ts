import { type BigIntStats, type Dirent, lstatSync, readdirSync } from 'node:fs';
import { sep } from 'node:path';
import { failureOf, readError, systemCode } from '../../errors.ts';
import type { Failure } from '../../model.ts';

const SURROGATE = /[\ud800-\udfff]/;

/** A folder of a walk. */
export interface Folder {
  readonly path: string;
  readonly real: string;
  /** Below the root, with `/`; empty for the root. */
  readonly relative: string;
}

export interface FolderEntry extends Folder {
  readonly name: string;
  readonly isUtf8: boolean;
  readonly kind: 'folder' | 'file' | 'link' | 'other';
}

/** A folder that cannot be read, with the reason, or a path where nothing is. */
export interface Lost extends Pick<Folder, 'path' | 'relative'> {
  readonly lost: Failure | 'gone';
}

export function* entriesOf(folder: Folder): Generator<FolderEntry | Lost> {
  let names: Name[];
  try {
    names = sortedNames(folder.path);
  } catch (error) {
    return yield { ...folder, lost: failureOf(readError(error)) };
  }
  for (const name of names) yield below(folder, name);
}

/** The one entry of this name. */
export function* entryOf(folder: Folder, name: string): Generator<FolderEntry | Lost> {
  const path = folder.path + sep + name;
  try {
    const found = lstatSync(path, { bigint: true });
    yield below(folder, { name, isUtf8: true, kind: entryKind(found) });
  } catch {
    yield { path, relative: below(folder, { name, isUtf8: true, kind: 'other' }).relative, lost: 'gone' };
  }
}

type Name = Pick<FolderEntry, 'name' | 'isUtf8' | 'kind'>;

function below(folder: Folder, { name, isUtf8, kind }: Name): FolderEntry {
  const relative = folder.relative === '' ? name : `${folder.relative}/${name}`;
  return { path: folder.path + sep + name, real: folder.real + sep + name, relative, name, isUtf8, kind };
}

/** Names in bytewise order. A folder sorts like the paths below it. */
function sortedNames(path: string): Name[] {
  const entries = ofExisting(() => readdirSync(path, { withFileTypes: true }));
  if (entries.some(({ name }) => name.includes('\ufffd'))) return sortedRaw(path);
  const keyed = entries.map((entry) => {
    const kind = entryKind(entry);
    return { name: entry.name, isUtf8: true, kind, key: kind === 'folder' ? `${entry.name}/` : entry.name };
  });
  // UTF-16 sorts like UTF-8, except for surrogates.
  const isPlain = keyed.every(({ key }) => !SURROGATE.test(key));
  return keyed.sort(isPlain ? (a, b) => (a.key < b.key ? -1 : 1) : (a, b) => inBytes(a.key, b.key));
}

/** Sorts by bytes, for folders with names that may not be UTF-8. */
function sortedRaw(path: string): Name[] {
  const slash = Buffer.from('/');
  return ofExisting(() => readdirSync(path, { withFileTypes: true, encoding: 'buffer' }))
    .map((entry) => ({ kind: entryKind(entry), raw: entry.name }))
    .map((one) => ({ ...one, key: one.kind === 'folder' ? Buffer.concat([one.raw, slash]) : one.raw }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ kind, raw }) => {
      const name = raw.toString('utf8');
      return { kind, name, isUtf8: !name.includes('\ufffd') || Buffer.from(name).equals(raw) };
    });
}

function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function ofExisting<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    // The folder was removed since its parent was read: it has no entries.
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

export function entryKind(
  entry: Pick<BigIntStats | Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink'>,
): FolderEntry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
