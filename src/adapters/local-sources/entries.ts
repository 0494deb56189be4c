import { type BigIntStats, type Dirent, lstatSync, readdirSync } from 'node:fs';
import { sep } from 'node:path';
import { failureOf, orUndefined, readError, systemCode } from '../../errors.ts';
import type { Failure } from '../../model.ts';

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
    // A folder that was removed since its parent was read has no entries.
    if (systemCode(error) === 'ENOENT') return;
    return yield { ...folder, lost: failureOf(readError(error)) };
  }
  for (const name of names) yield below(folder, name);
}

/** The one entry of this name. */
export function* entryOf(folder: Folder, name: string): Generator<FolderEntry | Lost> {
  const found = orUndefined(() => lstatSync(folder.path + sep + name, { bigint: true }));
  const entry = below(folder, { name, isUtf8: true, kind: found ? entryKind(found) : 'other' });
  yield found ? entry : { path: entry.path, relative: entry.relative, lost: 'gone' };
}

type Name = Pick<FolderEntry, 'name' | 'isUtf8' | 'kind'>;

function below(folder: Folder, { name, isUtf8, kind }: Name): FolderEntry {
  const relative = folder.relative === '' ? name : `${folder.relative}/${name}`;
  return { path: folder.path + sep + name, real: folder.real + sep + name, relative, name, isUtf8, kind };
}

/** Names in bytewise order. A folder sorts like the paths below it. */
function sortedNames(path: string): Name[] {
  const entries = readdirSync(path, { withFileTypes: true });
  // UTF-16 sorts like UTF-8, except for surrogates.
  const isPlain = entries.every(({ name }) => !/[\ud800-\udfff\ufffd]/.test(name));
  const names = isPlain
    ? entries.map((entry) => ({ name: entry.name, isUtf8: true, kind: entryKind(entry), bytes: entry.name }))
    : readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map(bytesNamed);
  const keyed = names.map((one) => ({ ...one, key: one.kind === 'folder' ? `${one.bytes}/` : one.bytes }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The name of an entry that may not be UTF-8, and its bytes as text of one character for each. */
function bytesNamed(entry: Dirent<Buffer>) {
  const name = entry.name.toString('utf8');
  const isUtf8 = !name.includes('\ufffd') || Buffer.from(name).equals(entry.name);
  return { name, isUtf8, kind: entryKind(entry), bytes: entry.name.toString('latin1') };
}

export function entryKind(
  entry: Pick<BigIntStats | Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink'>,
): FolderEntry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
