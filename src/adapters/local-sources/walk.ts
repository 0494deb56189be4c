import { type BigIntStats, type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import picomatch from 'picomatch';
import { systemCode } from '../../errors.ts';
import type { FileFacts, PassedOver, WalkRules } from '../../model.ts';
import type { Found, Skipped } from '../../ports.ts';
import type { Root } from './inputs.ts';

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|ico|heic|heif|jxl|jp2|svg)$/i;
const PARTIAL = /(\.(part|partial|crdownload|download|tmp)|~)$/i;
const STAGED = /^\.imgtool-[0-9a-f]+-\d+\.tmp$/;

/** Which entries of a folder become sources. */
export interface Rules extends WalkRules {
  /** Whether this folder, links resolved, is the output folder and passed over. */
  isOut(real: string): boolean;
}

interface Folder {
  readonly path: string;
  readonly real: string;
  /** Below the root, with `/`; empty for the root. */
  readonly relative: string;
}

/** What a walk meets, and for a source its path with links resolved: the same for a file reached twice. */
export type Met = { readonly entry: Found; readonly real: string } | { readonly entry: Skipped };

/** Streams a tree in bytewise order, one folder's names in memory at a time, stat'ing only what is taken. */
export function* walkRoot(root: Root, rules: Rules): Generator<Met> {
  const isIncluded = rules.include.length > 0 ? picomatch([...rules.include], { dot: true }) : () => true;
  const isExcluded = rules.exclude.length > 0 ? picomatch([...rules.exclude], { dot: true }) : () => false;
  const linked = new Set<string>();
  const folders: Generator<Entry | Unreadable>[] = [
    entriesOf({ path: root.path, real: root.real, relative: '' }),
  ];
  if (rules.isOut(root.real))
    return yield { entry: { type: 'skipped', given: root.given, reason: 'output' } };

  for (let at = folders.at(-1); at !== undefined; at = folders.at(-1)) {
    const next = at.next();
    if (next.done) {
      folders.pop();
      continue;
    }
    const entry = next.value;
    const skip = (relative: string, reason: PassedOver): Met => ({
      entry: { type: 'skipped', given: join(root.given, relative), reason },
    });
    if ('unreadable' in entry) {
      yield skip(entry.unreadable, 'unreadable');
      continue;
    }
    const { path, relative } = entry;
    const target = entry.kind === 'link' ? follow(entry, root, rules, linked) : entry;
    const reason =
      byName(entry, rules) ?? byPlace(target, rules) ?? (isExcluded(relative) ? 'excluded' : undefined);
    if (target?.kind === 'folder') {
      if (reason === undefined) folders.push(entriesOf({ path, real: target.real, relative }));
      else yield skip(relative, reason);
    } else if (reason !== undefined && reason !== 'excluded') yield skip(relative, reason);
    // What is no picture by its name, or outside the glob, is nothing of ours and too common to be worth a word.
    else if (!rules.allFiles && !PICTURE.test(entry.name)) continue;
    else if (root.matches !== undefined && !root.matches(relative)) continue;
    else if (reason !== undefined || !isIncluded(relative)) yield skip(relative, 'excluded');
    else if (target?.kind === 'other') yield skip(relative, 'not_regular');
    else {
      const found: Found = {
        type: 'found',
        source: path,
        given: join(root.given, relative),
        relative,
        facts: factsAt(path),
      };
      yield { entry: found, real: target?.real ?? path };
    }
  }
}

interface Entry extends Folder {
  readonly name: string;
  readonly isUtf8: boolean;
  readonly kind: 'folder' | 'file' | 'link' | 'other';
}

/** A folder whose names may not be read, by its root-relative path. */
interface Unreadable {
  readonly unreadable: string;
}

function* entriesOf(folder: Folder): Generator<Entry | Unreadable> {
  const names = sortedNames(folder.path);
  if (names === undefined) return yield { unreadable: folder.relative };
  for (const { name, isUtf8, kind } of names) {
    const relative = folder.relative === '' ? name : `${folder.relative}/${name}`;
    yield { path: folder.path + sep + name, real: folder.real + sep + name, relative, name, isUtf8, kind };
  }
}

function sortedNames(path: string) {
  return readFolder(path)
    ?.map((entry) => ({ kind: kindOf(entry), raw: entry.name }))
    .sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)))
    .map(({ kind, raw }) => {
      const name = raw.toString('utf8');
      return { kind, name, isUtf8: !name.includes('\ufffd') || Buffer.from(name).equals(raw) };
    });
}

/** A folder sorts as the paths below it do. */
function sortKey({ kind, raw }: { kind: Entry['kind']; raw: Buffer }): Buffer {
  return kind === 'folder' ? Buffer.concat([raw, Buffer.from('/')]) : raw;
}

function readFolder(path: string): Dirent<Buffer>[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' }) as unknown as Dirent<Buffer>[];
  } catch (error) {
    // Gone since its parent was read: there is nothing in it.
    return systemCode(error) === 'ENOENT' ? [] : undefined;
  }
}

function kindOf(
  entry: Pick<BigIntStats | Dirent<Buffer>, 'isDirectory' | 'isFile' | 'isSymbolicLink'>,
): Entry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function byName({ name, isUtf8, path, kind }: Entry, rules: Rules): PassedOver | undefined {
  if (!isUtf8) return 'name_not_utf8';
  if (STAGED.test(name)) return 'staged';
  if (path === rules.index || path.startsWith(`${rules.index}-`) || path === `${rules.index}.runs`)
    return 'index';
  if (name.startsWith('.')) return 'hidden';
  return kind !== 'folder' && PARTIAL.test(name) ? 'partial_download' : undefined;
}

function byPlace(target: Pick<Entry, 'kind' | 'real'> | undefined, rules: Rules): PassedOver | undefined {
  if (target === undefined) return 'symlink';
  return target.kind === 'folder' && rules.isOut(target.real) ? 'output' : undefined;
}

/** What a link leads to, where links are followed, it stays inside the root and does not lead round in a circle. */
function follow(
  entry: Entry,
  root: Root,
  rules: Rules,
  linked: Set<string>,
): Pick<Entry, 'kind' | 'real'> | undefined {
  if (!rules.followSymlinks) return undefined;
  try {
    const real = realpathSync.native(entry.path);
    if (!real.startsWith(root.real + sep)) return undefined;
    const kind = kindOf(statSync(real, { bigint: true }));
    if (kind !== 'folder') return { real, kind };
    if (linked.has(real) || `${entry.real}${sep}`.startsWith(real + sep)) return undefined;
    linked.add(real);
    return { real, kind };
  } catch {
    // Dangling or a loop.
    return undefined;
  }
}

/** Facts of a regular file, links followed; null where there is none (any more). */
export function factsAt(path: string): FileFacts | null {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return null;
    return { size: Number(found.size), mtime: String(found.mtimeNs), ino: String(found.ino) };
  } catch {
    return null;
  }
}
