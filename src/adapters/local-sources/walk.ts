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
  /** The resolved output folder where it is passed over; null where outputs lie among the sources. */
  readonly realOut: string | null;
}

interface Folder {
  readonly path: string;
  readonly real: string;
  /** Below the root, with `/`; empty for the root. */
  readonly relative: string;
}

/** Streams a tree in bytewise order, one folder's names in memory at a time, stat'ing only what is taken. */
export function* walkRoot(root: Root, rules: Rules): Generator<Found | Skipped> {
  const isIncluded = rules.include.length > 0 ? picomatch([...rules.include], { dot: true }) : () => true;
  const isExcluded = rules.exclude.length > 0 ? picomatch([...rules.exclude], { dot: true }) : () => false;
  const visited = new Set([root.real]);
  const entries: Generator<Entry | Unreadable>[] = [
    entriesOf({ path: root.path, real: root.real, relative: '' }),
  ];
  if (root.real === rules.realOut) return yield { type: 'skipped', given: root.given, reason: 'output' };

  for (let at = entries.at(-1); at !== undefined; at = entries.at(-1)) {
    const next = at.next();
    if (next.done) {
      entries.pop();
      continue;
    }
    const entry = next.value;
    if ('unreadable' in entry) {
      yield { type: 'skipped', given: join(root.given, entry.unreadable), reason: 'unreadable' };
      continue;
    }
    const given = join(root.given, entry.relative);
    const skipped = (reason: PassedOver): Skipped => ({ type: 'skipped', given, reason });
    const reason = byName(entry, rules);
    if (reason !== undefined) {
      yield skipped(reason);
      continue;
    }
    const target = entry.kind === 'link' ? follow(entry, root, rules) : entry;
    if (target === undefined) yield skipped('symlink');
    else if (target.real === rules.realOut) yield skipped('output');
    else if (target.kind === 'folder') {
      const excluded = isExcluded(entry.relative);
      if (excluded || visited.has(target.real)) yield skipped(excluded ? 'excluded' : 'symlink');
      else {
        if (entry.kind === 'link') visited.add(target.real);
        entries.push(entriesOf({ path: entry.path, real: target.real, relative: entry.relative }));
      }
    } else if (!rules.allFiles && !PICTURE.test(entry.name)) {
      // Not a picture by its name: nothing of ours, and too common to be worth a word.
    } else if (root.matches !== undefined && !root.matches(entry.relative)) {
      // Outside the glob.
    } else if (target.kind === 'other') yield skipped('not_regular');
    else if (!isIncluded(entry.relative) || isExcluded(entry.relative)) yield skipped('excluded');
    else
      yield {
        type: 'found',
        source: entry.path,
        given,
        relative: entry.relative,
        facts: factsAt(entry.path),
      };
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
    if (systemCode(error) === 'ENOENT') return [];
    if (systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM') return undefined;
    throw error;
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

/**
 * What a link leads to, where links are followed and it stays inside the root. What the walk reaches by itself is no
 * second job; so only links into hidden places count (as of stores that keep files under their hash).
 */
function follow(entry: Entry, root: Root, rules: Rules): Pick<Entry, 'kind' | 'real'> | undefined {
  if (!rules.followSymlinks) return undefined;
  try {
    const real = realpathSync(entry.path);
    const isInside = real.startsWith(root.real + sep);
    const isHidden = real.slice(root.real.length).includes(`${sep}.`);
    return isInside && isHidden ? { real, kind: kindOf(statSync(real, { bigint: true })) } : undefined;
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
