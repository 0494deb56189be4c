import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { PassedOver, SourceFacts, Walk, WalkRules } from '../../model.ts';
import type { FoundSource, Gone, Skipped } from '../../ports.ts';
import type { Root } from './inputs.ts';
import { picomatch } from './patterns.ts';

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|ico|heic|heif|jxl|jp2|svg)$/i;
/** Whether a file of this name may be taken. */
export function mayBeSource(name: string, { allFiles }: Pick<WalkRules, 'allFiles'>): boolean {
  return allFiles || hasPictureName(name);
}

export function hasPictureName(name: string): boolean {
  return PICTURE.test(name);
}

const PARTIAL = /(\.(part|partial|crdownload|download|tmp)|~)$/i;
const SURROGATE = /[\ud800-\udfff]/;
/** What SQLite and the locks of runs add to the name of the index. */
const OF_INDEX = /^(|-.*|\.runs|\.v\d+|\.(repair|broken-).*)$/;
const STAGED = /^\.imgtool-[0-9a-f]+-\d+\.tmp$/;

/** Which entries of a folder become sources. */
export interface Rules extends WalkRules {
  /** Whether this folder, links resolved, is the output folder and passed over. */
  isOut(real: string): boolean;
  /** Sources of which this is true are not streamed; `real` is the path with links resolved. */
  isKnown?(path: string, facts: SourceFacts, real: string): boolean;
}

interface Folder {
  readonly path: string;
  readonly real: string;
  /** Below the root, with `/`; empty for the root. */
  readonly relative: string;
}

/**
 * What a walk meets: for a source its path with links resolved, the same for a file reached twice; and each folder,
 * just before it is read; and nothing, now and then.
 */
export type Met =
  | { readonly entry: FoundSource; readonly real: string }
  | { readonly entry: Skipped }
  | { readonly entry: Gone }
  | { readonly entry: null; readonly folder: string | null };

/** Sources that are known are met in silence, but not so many that nothing else has its turn. */
const PAUSE: Met = { entry: null, folder: null };
const MOST_IN_SILENCE = 64;

/**
 * Streams a tree in bytewise order, one folder's names in memory at a time, stat'ing only what is taken. With `at`, a
 * root-relative path, only what lies there; the way to it is walked by the same rules.
 */
export function* walkRoot(root: Root, rules: Rules, at = ''): Generator<Met> {
  const isIncluded = rules.include.length > 0 ? picomatch()([...rules.include], { dot: true }) : () => true;
  const isExcluded = rules.exclude.length > 0 ? picomatch()([...rules.exclude], { dot: true }) : () => false;
  const linked = new Set<string>();
  let silent = 0;
  const stack: { readonly entries: Generator<Entry | Lost>; readonly way: readonly string[] }[] = [];
  const enter = (folder: Folder, way: readonly string[]): Met => {
    const [next] = way;
    stack.push({
      entries: next === undefined ? entriesOf(folder) : entryOf(folder, next),
      way: way.slice(1),
    });
    return { entry: null, folder: folder.path };
  };
  if (rules.isOut(root.real))
    return yield { entry: { type: 'skipped', path: root.path, given: root.given, reason: 'output' } };
  const top = { path: root.path, real: root.real, relative: '' };
  yield enter(
    top,
    at.split('/').filter((name) => name !== ''),
  );

  for (let on = stack.at(-1); on !== undefined; on = stack.at(-1)) {
    const next = on.entries.next();
    if (next.done) {
      stack.pop();
      continue;
    }
    const entry = next.value;
    const skip = ({ path, relative }: Pick<Folder, 'path' | 'relative'>, reason: PassedOver): Met => ({
      entry: { type: 'skipped', path, given: join(root.given, relative), reason },
    });
    if ('lost' in entry) {
      if (entry.lost === 'unreadable') yield skip(entry, 'unreadable');
      else yield { entry: { type: 'gone', path: entry.path, wasFolder: false } };
      continue;
    }
    const { path, relative } = entry;
    const target = entry.kind === 'link' ? follow(entry, root, rules, linked) : entry;
    const reason =
      byName(entry, rules) ?? byPlace(target, rules) ?? (isExcluded(relative) ? 'excluded' : undefined);
    if (target?.kind === 'folder') {
      if (reason === undefined) yield enter({ path, real: target.real, relative }, on.way);
      else yield skip(entry, reason);
    } else if (on.way.length > 0) yield { entry: { type: 'gone', path, wasFolder: false } };
    else if (reason !== undefined && reason !== 'excluded') yield skip(entry, reason);
    // What is no picture by its name, or outside the glob, is nothing of ours and too common to be worth a word.
    else if (!mayBeSource(entry.name, rules)) continue;
    else if (root.matches !== undefined && !root.matches(relative)) continue;
    else if (reason !== undefined || !isIncluded(relative)) yield skip(entry, 'excluded');
    else if (target?.kind === 'other') yield skip(entry, 'not_regular');
    else {
      const real = target?.real ?? path;
      // What was a file or led to one a moment ago may be a link by now.
      const facts = factsAt(entry.kind === 'link' ? real : path, false, rules);
      if (facts === null && entry.kind === 'file' && isLinkAt(path)) {
        yield skip(entry, 'symlink');
        continue;
      }
      if (facts !== null && rules.isKnown?.(path, facts, real)) {
        if (++silent % MOST_IN_SILENCE === 0) yield PAUSE;
        continue;
      }
      const given = join(root.given, relative);
      yield { entry: { type: 'found', source: path, given, relative, facts }, real };
    }
  }
}

interface Entry extends Folder {
  readonly name: string;
  readonly isUtf8: boolean;
  readonly kind: 'folder' | 'file' | 'link' | 'other';
}

/** What cannot be looked at: a folder whose names may not be read, or a path where nothing is. */
interface Lost extends Pick<Folder, 'path' | 'relative'> {
  readonly lost: 'unreadable' | 'gone';
}

function* entriesOf(folder: Folder): Generator<Entry | Lost> {
  const names = sortedNames(folder.path);
  if (names === undefined) return yield { ...folder, lost: 'unreadable' };
  for (const name of names) yield below(folder, name);
}

/** The one entry of this name. */
function* entryOf(folder: Folder, name: string): Generator<Entry | Lost> {
  const path = folder.path + sep + name;
  try {
    const found = lstatSync(path, { bigint: true });
    yield below(folder, { name, isUtf8: true, kind: kindOf(found) });
  } catch {
    yield { path, relative: below(folder, { name, isUtf8: true, kind: 'other' }).relative, lost: 'gone' };
  }
}

type Name = Pick<Entry, 'name' | 'isUtf8' | 'kind'>;

function below(folder: Folder, { name, isUtf8, kind }: Name): Entry {
  const relative = folder.relative === '' ? name : `${folder.relative}/${name}`;
  return { path: folder.path + sep + name, real: folder.real + sep + name, relative, name, isUtf8, kind };
}

/** In bytewise order; a folder sorts as the paths below it do. Undefined where they may not be read. */
function sortedNames(path: string): Name[] | undefined {
  const entries = attempt(() => readdirSync(path, { withFileTypes: true }));
  if (entries?.some(({ name }) => name.includes('\ufffd'))) return sortedRaw(path);
  const keyed = entries?.map((entry) => {
    const kind = kindOf(entry);
    return { name: entry.name, isUtf8: true, kind, key: kind === 'folder' ? `${entry.name}/` : entry.name };
  });
  // UTF-16 sorts as UTF-8 does but for surrogates.
  const isPlain = keyed?.every(({ key }) => !SURROGATE.test(key));
  return keyed?.sort(isPlain ? (a, b) => (a.key < b.key ? -1 : 1) : (a, b) => inBytes(a.key, b.key));
}

/** Where a name may be no UTF-8 its bytes decide. */
function sortedRaw(path: string): Name[] | undefined {
  const slash = Buffer.from('/');
  return attempt(() => readdirSync(path, { withFileTypes: true, encoding: 'buffer' }))
    ?.map((entry) => ({ kind: kindOf(entry), raw: entry.name }))
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

/** Undefined where it may not be read. */
function attempt<T>(read: () => T[]): T[] | undefined {
  try {
    return read();
  } catch (error) {
    // Gone since its parent was read: there is nothing in it.
    return systemCode(error) === 'ENOENT' ? [] : undefined;
  }
}

function kindOf(
  entry: Pick<BigIntStats | Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink'>,
): Entry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function byName({ name, isUtf8, path, kind }: Entry, rules: Rules): PassedOver | undefined {
  if (!isUtf8) return 'name_not_utf8';
  if (path.startsWith(rules.index) && OF_INDEX.test(path.slice(rules.index.length))) return 'index';
  if (name.startsWith('.')) return STAGED.test(name) ? 'staged' : 'hidden';
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

/** Facts of a regular file; null where there is none (any more), or a link that is not to be followed. */
export function factsAt(path: string, follow: boolean, rules: Pick<Walk, 'ignoreCtime'>): SourceFacts | null {
  try {
    const look = follow ? statSync : lstatSync;
    const found = look(path, { bigint: true, throwIfNoEntry: false });
    return found?.isFile() ? factsIn(found, rules) : null;
  } catch {
    return null;
  }
}

export function factsIn(
  { size, mtimeNs, ctimeNs, ino }: BigIntStats,
  { ignoreCtime }: Pick<Walk, 'ignoreCtime'>,
): SourceFacts {
  const ctime = ignoreCtime ? null : String(ctimeNs);
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino), ctime };
}

export function isLinkAt(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    // Nothing is there, or nobody may look.
    return false;
  }
}
