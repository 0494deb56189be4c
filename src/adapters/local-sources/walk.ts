import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { failureOf, orUndefined, readError, systemCode } from '../../errors.ts';
import type { Failure, PassedOver, SourceFacts } from '../../model.ts';
import type { FoundSource, Gone, Skipped, UnreadableFolder } from '../../ports.ts';
import { factsAt, isLinkAt, isWithin } from './files.ts';
import type { Root } from './inputs.ts';
import { isSystemFolder, mayBeSource, unsupportedKind } from './names.ts';
import type { MatchingRules } from './patterns.ts';

const PARTIAL = /(\.(part|partial|crdownload|download|tmp)|~)$/i;
/** Endings that SQLite, locks, repairs and updates add to the name of the index. */
const OF_INDEX = /^(|-.*|\.runs|\.v\d+|\.(repair|broken-).*)$/;
const STAGED = /^\.imgtool-[0-9a-f]+-\d+\.tmp$/;

/** The rules that decide which entries become sources. */
export interface Rules extends MatchingRules {
  /** Whether this folder, with links resolved, is an output folder to pass over. */
  isOut(real: string): boolean;
  /** Sources to leave out of the stream. `real` is the path with links resolved. */
  isKnown?(path: string, facts: SourceFacts, real: string): boolean;
}

/**
 * What a walk meets: a source, with its path after links are resolved; a skipped entry; an unreadable folder; a missing
 * path; or no entry, just before a folder is read and now and then in between.
 */
export type Met =
  | { readonly entry: FoundSource; readonly real: string }
  | { readonly entry: Skipped | UnreadableFolder | Gone }
  | { readonly entry: null; readonly folder: string | null };

/** A folder of a walk. */
interface Folder {
  readonly path: string;
  readonly real: string;
  /** Below the root, with `/`; empty for the root. */
  readonly relative: string;
}

interface FolderEntry extends Folder {
  readonly name: string;
  readonly isUtf8: boolean;
  readonly kind: 'folder' | 'file' | 'link' | 'other';
}

/** A folder that cannot be read, with the reason, or a path where nothing is. */
interface Lost extends Pick<Folder, 'path' | 'relative'> {
  readonly lost: Failure | 'gone';
}

/** A walk yields nothing for known sources. After this many of them in a row it gives other work its turn. */
const PAUSE: Met = { entry: null, folder: null };
const MOST_IN_SILENCE = 64;

export function skipped(path: string, given: string, reason: PassedOver, kind?: string): Met {
  return { entry: { type: 'skipped', path, given, reason, ...(kind === undefined ? {} : { kind }) } };
}

/**
 * Streams a tree in bytewise order. Holds the names of one folder at a time and stats only what it takes. `at` is a
 * root-relative path: the walk then visits only this part, and the same rules hold for the folders above it.
 */
export function* walkRoot(root: Root, rules: Rules, at = ''): Generator<Met> {
  const linked = new Set<string>();
  let silent = 0;
  const stack: { readonly entries: Generator<FolderEntry | Lost>; readonly way: readonly string[] }[] = [];
  const enter = (folder: Folder, [next, ...way]: readonly string[]): Met => {
    stack.push({ entries: next === undefined ? entriesOf(folder) : entryOf(folder, next), way });
    return { entry: null, folder: folder.path };
  };
  const above = join(root.given, '_').slice(0, -1);
  const givenOf = ({ relative }: Pick<Folder, 'relative'>) =>
    relative === '' ? join(root.given) : above + (sep === '/' ? relative : relative.replaceAll('/', sep));
  const skip = (entry: FolderEntry, reason: PassedOver, kind?: string) =>
    skipped(entry.path, givenOf(entry), reason, kind);
  if (rules.isOut(root.real)) return yield skipped(root.path, root.given, 'output');
  const way = at.split('/').filter((name) => name !== '');
  yield enter({ path: root.path, real: root.real, relative: '' }, way);

  for (let on = stack.at(-1); on !== undefined; on = stack.at(-1)) {
    const next = on.entries.next();
    if (next.done) {
      stack.pop();
      continue;
    }
    const entry = next.value;
    const { path, relative } = entry;
    if ('lost' in entry) {
      const { lost: error } = entry;
      if (error === 'gone') yield { entry: { type: 'gone', path, wasFolder: false } };
      else {
        const place = { given: givenOf(entry), relative: root.prefix + relative };
        yield { entry: { type: 'unreadable', source: path, ...place, error } };
      }
      continue;
    }
    const target = entry.kind === 'link' ? follow(entry, root, rules, linked) : entry;
    const reason = reasonToPass(entry, target, rules);
    const isTaken = mayBeSource(entry.name, rules);
    const kind = isTaken ? undefined : unsupportedKind(entry.name);
    if (target?.kind === 'folder') {
      if (reason === undefined) yield enter({ path, real: target.real, relative }, on.way);
      else yield skip(entry, reason);
    } else if (on.way.length > 0) yield { entry: { type: 'gone', path, wasFolder: false } };
    else if (reason !== undefined && reason !== 'excluded') yield skip(entry, reason);
    else if (root.matches !== undefined && !root.matches(relative)) continue;
    else if (!isTaken && kind === undefined) yield skip(entry, 'no_picture_name');
    else if (reason !== undefined || !rules.isIncluded(relative)) yield skip(entry, 'excluded');
    else if (target?.kind === 'other') yield skip(entry, 'not_regular');
    else if (!isTaken) yield skip(entry, 'unsupported_format', kind);
    else {
      const real = target?.real ?? path;
      // A file may have become a link since the folder was read.
      const facts = factsAt(entry.kind === 'link' ? real : path, false, rules);
      const isKnown = facts !== null && rules.isKnown?.(path, facts, real);
      if (facts === null && entry.kind === 'file' && isLinkAt(path)) yield skip(entry, 'symlink');
      else if (!isKnown) {
        const given = givenOf(entry);
        yield {
          entry: { type: 'found', source: path, given, relative: root.prefix + relative, facts },
          real,
        };
      } else if (++silent % MOST_IN_SILENCE === 0) yield PAUSE;
    }
  }
}

/** What an entry or link leads to. */
type EntryTarget = Pick<FolderEntry, 'kind' | 'real'> | undefined;

function reasonToPass(entry: FolderEntry, target: EntryTarget, rules: Rules): PassedOver | undefined {
  const { name, isUtf8, path, kind } = entry;
  // Ask first: a glob that matches a hidden file is not mistyped.
  const isExcluded = rules.isExcluded(entry.relative, target?.kind === 'folder');
  if (!isUtf8) return 'name_not_utf8';
  if (path.startsWith(rules.index) && OF_INDEX.test(path.slice(rules.index.length))) return 'index';
  if (name.startsWith('.')) return STAGED.test(name) ? 'staged' : 'hidden';
  if (kind !== 'folder' && PARTIAL.test(name)) return 'partial_download';
  if (target === undefined) return 'symlink';
  if (target.kind === 'folder' && isSystemFolder(name)) return 'system_folder';
  if (target.kind === 'folder' && rules.isOut(target.real)) return 'output';
  return isExcluded ? 'excluded' : undefined;
}

/** What a link leads to. Undefined where links are not followed, or it leaves the root or leads round in a circle. */
function follow(entry: FolderEntry, root: Root, rules: Rules, linked: Set<string>): EntryTarget {
  if (!rules.followSymlinks) return undefined;
  // A dangling link leads to nothing, and so does a loop.
  const real = orUndefined(() => realpathSync.native(entry.path));
  if (real === undefined || !isWithin(real, root.real)) return undefined;
  const found = orUndefined(() => statSync(real, { bigint: true }));
  if (found === undefined) return undefined;
  const kind = entryKind(found);
  if (kind !== 'folder') return { real, kind };
  if (linked.has(real) || isWithin(entry.real, real)) return undefined;
  linked.add(real);
  return { real, kind };
}

function* entriesOf(folder: Folder): Generator<FolderEntry | Lost> {
  let names: NamedEntry[];
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
function* entryOf(folder: Folder, name: string): Generator<FolderEntry | Lost> {
  const found = orUndefined(() => lstatSync(inside(folder.path, name), { bigint: true }));
  const entry = below(folder, { name, isUtf8: true, kind: found ? entryKind(found) : 'other' });
  yield found ? entry : { path: entry.path, relative: entry.relative, lost: 'gone' };
}

type NamedEntry = Pick<FolderEntry, 'name' | 'isUtf8' | 'kind'>;

function below(folder: Folder, { name, isUtf8, kind }: NamedEntry): FolderEntry {
  const relative = folder.relative === '' ? name : `${folder.relative}/${name}`;
  const [path, real] = [inside(folder.path, name), inside(folder.real, name)];
  return { path, real, relative, name, isUtf8, kind };
}

/** The root of a disk ends with its separator. */
const inside = (folder: string, name: string): string =>
  folder.endsWith(sep) ? folder + name : folder + sep + name;

/** Names in bytewise order. A folder sorts like the paths below it. */
function sortedNames(path: string): NamedEntry[] {
  const entries = readdirSync(path, { withFileTypes: true });
  // UTF-16 sorts like UTF-8, except for surrogates.
  const isPlain = entries.every(({ name }) => !/[\ud800-\udfff\ufffd]/.test(name));
  const names = isPlain
    ? entries.map((entry) => named(entry.name, true, entryKind(entry), entry.name))
    : readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map(bytesNamed);
  return names.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The name of an entry that may not be UTF-8. It sorts by its bytes, as text of one character for each. */
function bytesNamed(entry: Dirent<Buffer>) {
  const name = entry.name.toString('utf8');
  const isUtf8 = !name.includes('\ufffd') || Buffer.from(name).equals(entry.name);
  return named(name, isUtf8, entryKind(entry), entry.name.toString('latin1'));
}

function named(name: string, isUtf8: boolean, kind: FolderEntry['kind'], bytes: string) {
  return { name, isUtf8, kind, key: kind === 'folder' ? `${bytes}/` : bytes };
}

function entryKind(entry: BigIntStats | Dirent | Dirent<Buffer>): FolderEntry['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
