import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { WalkRules } from '../../model.ts';
import type { Notice } from '../../ports.ts';
import { isWithin } from './files.ts';
import type { Input } from './inputs.ts';

/** What a user should know about the inputs before they are walked: folders that get lost, globs that match nothing. */
export function adviceOn(all: readonly Input[], rules: WalkRules, cwd: string): Notice[] {
  return [...(rules.hasFolders ? folderAdvice(all, rules, cwd) : []), ...globAdvice(all, rules, cwd)];
}

function folderAdvice(all: readonly Input[], { base }: WalkRules, cwd: string): Notice[] {
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

/** Warns of globs that begin with the path of a named folder: they match only below that folder. */
function globAdvice(all: readonly Input[], { include, exclude }: WalkRules, cwd: string): Notice[] {
  const roots = all.filter(({ kind }) => kind === 'root');
  return [...include, ...exclude].flatMap((glob) => {
    const plain = glob
      .split(sep)
      .join('/')
      .replace(/^(\.\/+)+/, '');
    const [first = ''] = plain.replace(/^\//, '').split('/');
    const isMisplaced = ({ path }: Input) =>
      beginningWith(path, plain, cwd) > 0 && !existsSync(join(path, first));
    const root = roots.find(isMisplaced);
    if (root === undefined) return [];
    const rest = plain.slice(beginningWith(root.path, plain, cwd)) || '**';
    return [warning(`${glob}: matches nothing, because globs start below ${root.given}`, `write ${rest}`)];
  });
}

/** How many characters of a glob are the path of this folder, absolute or from the working folder. */
function beginningWith(path: string, glob: string, cwd: string): number {
  const ways = [path, relative(cwd, path)].map((way) => `${way.split(sep).join('/')}/`);
  return ways.find((way) => way !== '/' && `${glob}/`.startsWith(way))?.length ?? 0;
}

/** Tells that the globs have left out everything. */
export function nothingLeft(excluded: number): Notice {
  const what = excluded === 1 ? 'the only file or folder' : `all ${excluded} files and folders`;
  const fix = 'check {{include}} and {{exclude}}; a glob that ends with / matches a folder';
  return warning(`no image is left: the globs leave out ${what}`, fix);
}

function warning(message: string, fix: string): Notice {
  return { type: 'warning', message, fix };
}
