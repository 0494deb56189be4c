import { existsSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';
import type { WalkRules } from '../../model.ts';
import type { FoundSource, Inputs, Notice, WalkEntry } from '../../ports.ts';
import { isWithin } from './files.ts';
import type { Input } from './inputs.ts';
import type { MatchingRules } from './patterns.ts';

/** What a user should know about the inputs before they are walked: folders that get lost. */
export function folderAdvice(all: readonly Input[], { base, hasFolders }: WalkRules, cwd: string): Notice[] {
  if (!hasFolders) return [];
  if (base) {
    const outside = all.filter(({ path }) => !isWithin(path, base));
    if (outside.length === 0) return [];
    const message = `${namesOf(outside)}: not below the base ${base}, so {dir} is as without a base`;
    return [warning(message, `${baseAbove(all, cwd)} is above all inputs`)];
  }
  const files = all.filter((input) => input.kind === 'named');
  const listed = files.filter(({ isListed, isPlaced }) => isListed && !isPlaced);
  const notices: Notice[] = [];
  if (listed.length > 0) {
    const why = 'outputs of absolute paths, and of paths above the working folder, get no folders';
    notices.push(warning(`${namesOf(listed)}: ${why}`, `${baseAbove(files, cwd)} keeps the folders`));
  }
  const named = files.filter(({ isListed }) => !isListed);
  const folders = new Set(named.map(({ path }) => dirname(path)));
  if (folders.size > 1) {
    const message = `the named files are in ${folders.size} folders, and their outputs go into one`;
    notices.push(warning(message, `${baseAbove(named, cwd)} keeps the folders`));
  }
  return notices;
}

/** `a.jpg and 2 more` */
function namesOf([first, ...others]: readonly Input[]): string {
  return `${first?.given}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

/** A hint that names the nearest folder above all these inputs, if its name needs no quotes. */
function baseAbove(inputs: readonly Input[], cwd: string): string {
  const folders = inputs.map(({ kind, path }) => (kind === 'root' ? path : dirname(path)));
  const above = folders.reduce((common, folder) => {
    let shared = common;
    while (!isWithin(folder, shared)) shared = dirname(shared);
    return shared;
  });
  const shown = isWithin(above, cwd) ? relative(cwd, above) || '.' : above;
  return `{{base ${/^[\w@%+=:,./\\-]+$/.test(shown) ? shown : 'DIR'}}}`;
}

/** What a walk has met. `isPartly`: it came to a path that it could not look into. */
interface WalkFindings extends Record<'found' | 'excluded', number> {
  isPartly: boolean;
  /** The first source that asks for each place below the output folder. Undefined where nobody asks. */
  readonly places: Map<string, Placed> | undefined;
  /** The first two sources of one place that a base would keep apart, and the number of such sources. */
  clash: { readonly first: string; readonly second: string; count: number } | undefined;
  /** Files of formats that it does not take, by kind. */
  readonly kinds: Map<string, number>;
}

interface Placed extends Pick<FoundSource, 'given'> {
  readonly kind: Input['kind'];
  /** The path without its extension. */
  readonly stem: string;
}

export const nothingMet = (places?: WalkFindings['places']): WalkFindings => ({
  ...{ found: 0, excluded: 0, isPartly: false, kinds: new Map() },
  ...{ places, clash: undefined },
});

/** Whether a base can keep sources of several inputs apart. `folderAdvice` is about inputs that are files alone. */
export const mayClash = (all: readonly Input[], { base, hasFolders }: WalkRules): boolean =>
  hasFolders && !base && all.length > 1 && all.some(({ kind }) => kind === 'root');

export function addToMet(met: WalkFindings, entry: WalkEntry, { kind }: Input): void {
  if (entry.type === 'found') {
    met.found++;
    noteClash(met, entry, kind);
  } else if (entry.type !== 'skipped') met.isPartly = true;
  else if (entry.reason === 'excluded') met.excluded++;
  else if (entry.kind !== undefined) met.kinds.set(entry.kind, (met.kinds.get(entry.kind) ?? 0) + 1);
}

function noteClash(
  met: WalkFindings,
  { source, given, relative: place }: FoundSource,
  kind: Input['kind'],
): void {
  if (met.places === undefined) return;
  const [stem, key] = [source, place].map((path) => path.slice(0, path.length - extname(path).length));
  const first = met.places.get(key!);
  if (first === undefined) met.places.set(key!, { given, kind, stem: stem! });
  else if (first.stem !== stem && (first.kind === 'root' || kind === 'root')) {
    met.clash ??= { first: first.given, second: given, count: 0 };
    met.clash.count++;
  }
}

/** Warns of sources in several folders that have one path below these folders. */
function clashing({ clash }: WalkFindings, { all, cwd }: WalkedGlobs): Notice[] {
  if (clash === undefined) return [];
  const { first, second, count } = clash;
  const more = count === 1 ? '' : `, and ${count - 1} more ${count === 2 ? 'image' : 'images'} too`;
  const message = `${first} and ${second} ask for the same output names, so one of them gets a tag${more}`;
  return [warning(message, `${baseAbove(all, cwd)} keeps the folders`)];
}

/** The globs of a walk that have matched nothing, the inputs, and the settings whose globs were given for these inputs alone. */
interface WalkedGlobs extends Pick<Inputs, 'cwd' | 'ownGlobs' | 'onlyFolders'> {
  readonly all: readonly Input[];
  readonly unmatched: ReturnType<MatchingRules['unmatched']>;
}

/** What a user should know after everything was walked: globs that match nothing, and why no image is left. */
export function adviceAfter(met: WalkFindings, walked: WalkedGlobs): Notice[] {
  return [...clashing(met, walked), ...globAdvice(met, walked)];
}

function globAdvice({ found, excluded, isPartly, kinds }: WalkFindings, walked: WalkedGlobs): Notice[] {
  const { unmatched } = walked;
  const misplaced = (['include', 'exclude'] as const).flatMap((key) =>
    unmatched[key].flatMap((glob) => misplacedGlob(glob, key, walked)),
  );
  // A watch waits for what comes.
  const isWatch = walked.onlyFolders === 'watched';
  if (found === 0 && kinds.size > 0 && !isWatch) return [...misplaced, onlyUnsupported(kinds, excluded)];
  if (found === 0 && excluded > 0) return [...misplaced, nothingLeft(excluded)];
  if (found === 0 || isPartly || misplaced.length > 0) return misplaced;
  return (walked.ownGlobs ?? []).flatMap((key) =>
    unmatched[key].map((glob) => unmatchedGlob(glob, key, walked)),
  );
}

/** Warns of a glob that is or begins with the path of a named folder: it matches only below that folder. */
function misplacedGlob(glob: string, key: 'include' | 'exclude', { all, cwd }: WalkedGlobs): Notice[] {
  const plain = glob
    .split(sep)
    .join('/')
    .replace(/^(\.\/+)+/, '');
  const [first = ''] = plain.replace(/^\//, '').split('/');
  const isMisplaced = ({ kind, path }: Input) =>
    kind === 'root' && beginningWith(path, plain, cwd) > 0 && !existsSync(join(path, first));
  const root = all.find(isMisplaced);
  if (root === undefined) return [];
  const rest = plain.slice(beginningWith(root.path, plain, cwd));
  const noGlob = key === 'include' ? 'leave out {{include}}' : `do not name ${root.given} as an input`;
  const fix = rest === '' ? noGlob : `write ${rest}`;
  return [warning(`${glob}: matches nothing, because globs start below ${root.given}`, fix)];
}

/** Warns of a glob that may be mistyped. */
function unmatchedGlob(glob: string, key: 'include' | 'exclude', { all }: WalkedGlobs): Notice {
  const what = key === 'include' ? 'no image' : 'no file or folder';
  const isNamed = all.every((input) => input.kind === 'named' && !input.isListed);
  return warning(
    `${glob}: matches ${what} that was met`,
    isNamed
      ? `leave out {{${key}}}, or name the folder: files that you name are always taken`
      : `check {{${key}}}: case counts, and a glob with / starts below the named folder`,
  );
}

/** How many characters of a glob are the path of this folder, absolute or from the working folder. */
function beginningWith(path: string, glob: string, cwd: string): number {
  const ways = [path, relative(cwd, path)].map((way) => `${way.split(sep).join('/')}/`);
  return ways.find((way) => way !== '/' && `${glob}/`.startsWith(way))?.length ?? 0;
}

/** Tells that the globs have left out everything. */
function nothingLeft(excluded: number): Notice {
  const what = excluded === 1 ? 'the only file or folder' : `all ${excluded} files and folders`;
  const fix = 'check {{include}} and {{exclude}}; a glob that ends with / matches a folder';
  return warning(`no image is left: the globs leave out ${what}`, fix);
}

/** Tells that all pictures are of formats that no walk takes. */
function onlyUnsupported(kinds: WalkFindings['kinds'], excluded: number): Notice {
  const which = [...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ');
  const what = excluded > 0 ? 'no image is left: the globs leave only' : 'there is no image, only';
  const fix = 'convert pictures to TIFF or JPEG first; imgtool help formats says what is read';
  return warning(`${what} files of kinds that are not read: ${which}`, fix);
}

function warning(message: string, fix: string): Notice {
  return { type: 'warning', message, fix };
}
