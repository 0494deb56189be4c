import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { asImgtoolError, noInput } from '../../errors.ts';
import type { WalkRules } from '../../model.ts';
import type { FoundSource, Hint, Inputs, Sources } from '../../ports.ts';
import { isFolderAt } from '../file-systems.ts';
import { addToMet, adviceAfter, folderAdvice, mayClash, nothingMet } from './advice.ts';
import { factsAt, identityOf, isWithin, localSourceProbe, resolved, statFile } from './files.ts';
import { hasBecomeLink, type Input, type NamedFile, type Root, realNow, resolveInputs } from './inputs.ts';
import { mayBeSource, type NearPath } from './names.ts';
import { lookAtOut, refuseOtherName, rulesWith } from './out.ts';
import { isLeftOut, withMatchers } from './patterns.ts';
import { type Met, type Rules, skipped, walkRoot } from './walk.ts';
import { openWatch, type Watch } from './watch.ts';

/** Number of entries after which a walk pauses for other work. */
const BREATH = 64;

/** Opens the pictures in files and folders of this machine. Errors: `no_input`, `usage`. */
export async function openLocalSources(
  inputs: Inputs,
  given: WalkRules,
  nearPath?: NearPath,
): Promise<Sources> {
  const all = await resolveInputs(inputs, given.base, nearPath);
  const rules = await withMatchers(given);
  const roots = all.filter((input) => input.kind === 'root');
  const files = all.filter((input) => input.kind === 'named');
  const named = new Set(files.map(({ path }) => path));
  const namedReal = new Set(files.map(({ real }) => caseless(real)));
  const isListed = inputs.list !== null || inputs.wasListed === true;
  let out = lookAtOut(rules, all);
  let watch: Watch | undefined;
  let report: ((hint: Hint) => void) | undefined;
  let isOutReported = false;
  let isWalked = false;
  const isAdvised = !inputs.isAgain && inputs.once === undefined;
  // One input without links never leads to a file twice.
  const mayMeetTwice = all.length > 1 || rules.followSymlinks;
  const hasManyWays =
    rules.followSymlinks ||
    roots.some((one) => roots.some((other) => one !== other && isWithin(one.real, other.real)));
  refuseOtherName(roots, out);
  const empty = roots.find((root) => !root.isAway && isEmptyGlob(root));
  if (empty !== undefined && !(inputs.isAgain && all.some((one) => !one.isAway && !isEmptyGlob(one)))) {
    const hasGlobs = rules.include.length + rules.exclude.length > 0;
    const fix = `check the pattern${hasGlobs ? ', {{include}} and {{exclude}}' : ''}`;
    throw noInput(`${empty.pattern ?? empty.given}: the pattern matches no picture`, fix);
  }

  return {
    async *walk(signal, { at, isKnown } = {}) {
      // During a watch the output folder may be created, or become a link.
      if (watch !== undefined && !lookAgain()) return;
      const round = at === undefined ? watch?.tree.nextRound() : undefined;
      const seen = mayMeetTwice ? new Set<string>() : undefined;
      const isKnownOnce: Rules['isKnown'] = (path, facts, real) => {
        if (!isKnown?.(path, facts)) return false;
        seen?.add(real);
        return true;
      };
      const now = { ...rulesWith(rules, out), isKnown: isKnownOnce };
      const isFirst = at === undefined && !isWalked;
      if (isFirst && isAdvised) yield* folderAdvice(all, rules, inputs.cwd);
      const met = nothingMet(isFirst && isAdvised && mayClash(all, rules) ? new Map() : undefined);
      let entries = 0;
      for (const part of at === undefined ? all.map((input) => ({ input, at })) : partsAt(at)) {
        for (const one of walkPart(part, now)) {
          if (signal.aborted) return;
          if (++entries % BREATH === 0 || one.entry === null) await breathe();
          if (one.entry === null) {
            if (one.folder !== null) await watch?.tree.enter(one.folder);
            continue;
          }
          if ('real' in one) {
            if (seen?.has(one.real)) continue;
            seen?.add(one.real);
          }
          addToMet(met, one.entry, part.input);
          const wasFolder = one.entry.type === 'gone' && watch?.tree.leave(one.entry.path);
          yield wasFolder ? { ...one.entry, wasFolder } : one.entry;
        }
      }
      if (isFirst) yield* adviceAfter(met, { ...inputs, all, unmatched: rules.unmatched() });
      isWalked ||= at === undefined;
      if (round === undefined) return;
      for (const root of roots) if (watch?.isThere(root)) watch.tree.leaveOlder(root.path, round);
    },
    watch(heard, options) {
      // When several paths lead to a file, only a walk through everything knows which one is taken.
      const hear = (hint: Hint) => heard(hasManyWays && hint.type === 'changed' ? { type: 'lost' } : hint);
      report = heard;
      watch = openWatch(roots, hear, { ...options, isSource: (name) => mayBeSource(name, rules) });
      return watch;
    },
    stat: async (path) => statFile(path, isFollowed(path), rules),
    isFolder: async (path) => isFolderAt(path),
    // Another batch may have named a file outside the folders of this one.
    statAll: async (paths) =>
      paths.map((path) => factsAt(path, rootsOf(path).length === 0 || isFollowed(path), rules)),
    boundsOf(path) {
      if (isNamed(path)) return null;
      const within = rootsOf(path).map(realNow);
      if (within.length > 0) return { within, follow: rules.followSymlinks };
      return { within: [dirname(path)], follow: false };
    },
    missing: (paths) => localSourceProbe.missing(paths.filter((path) => rootsOf(path).every(isThere))),
    gone: localSourceProbe.gone,
    folders: roots.map(({ path }) => path),
    async covers(path) {
      const place = join(resolved(dirname(path)), basename(path));
      if (namedReal.has(caseless(place))) return true;
      if (out.isPassedOver && isWithin(place, out.real)) return false;
      return roots.some((root) => isWithin(place, root.real));
    },
    givenOf(path) {
      const same = all.find((input) => input.path === path);
      if (same !== undefined) return same.given;
      const [root] = rootsOf(path);
      return root === undefined ? path : join(root.given, relative(root.path, path));
    },
  };

  /** Checks again what was checked when the watch began. Returns false if a walk would now read outputs as sources. */
  function lookAgain(): boolean {
    out = lookAtOut(rules, all);
    try {
      refuseOtherName(roots.map(asNow), out);
      isOutReported = false;
      return true;
    } catch (error) {
      const { message, fix } = asImgtoolError(error);
      if (!isOutReported) report?.({ type: 'warning', message, ...(fix === undefined ? {} : { fix }) });
      isOutReported = true;
      return false;
    }
  }

  /** A root that is a link may lead elsewhere by now. */
  function asNow(root: Root): Root {
    return { ...root, real: realNow(root) };
  }

  function isThere(root: Root): boolean {
    if (hasBecomeLink(root)) return false;
    return watch?.isThere(root) ?? identityOf(root.path) !== undefined;
  }

  function rootsOf(path: string): Root[] {
    return roots.filter((root) => isWithin(path, root.path));
  }

  /** A file outside all folders was named by the list, which may be unreadable now. Without a list nobody named it. */
  function isNamed(path: string): boolean {
    return named.has(path) || (isListed && rootsOf(path).length === 0);
  }

  /** Whether a link at this path is followed. */
  function isFollowed(path: string): boolean {
    return isNamed(path) || (rules.followSymlinks && rootsOf(path).length > 0);
  }

  function isEmptyGlob(input: Input): boolean {
    if (input.kind === 'named' || input.matches === undefined) return false;
    for (const { entry } of walkRoot(input, rulesWith(rules, out))) {
      if (entry?.type === 'found' || entry?.type === 'unreadable') return false;
      // The summary counts what the pattern matches and the walk passes over. Text alone is a mistake.
      if (entry?.type !== 'skipped' || entry.reason === 'no_picture_name') continue;
      if (input.matches(below(input.path, entry.path))) return false;
    }
    return true;
  }

  function walkPart({ input, at }: InputPart, now: Rules): Iterable<Met> {
    const { path, real, given } = input;
    if (input.kind === 'root') {
      if (input.isAway) return [{ entry: { type: 'gone', path, wasFolder: false } }];
      return hasBecomeLink(input) ? [skipped(path, given, 'symlink')] : walkRoot(asNow(input), now, at);
    }
    if (out.isPassedOver && isWithin(real, out.real)) return [skipped(path, given, 'output')];
    if (isExcludedEntry(input)) return [skipped(path, given, 'excluded')];
    const facts = factsAt(path, true, rules);
    const found: FoundSource = { type: 'found', source: path, given, relative: input.relative, facts };
    return [{ entry: input.isListed ? found : { ...found, isNamed: true }, real }];
  }

  /** Globs hold for the entries of a list. A file that the user named is always taken. */
  function isExcludedEntry({ given, path, relative: own, isListed, isPlaced }: NamedFile): boolean {
    if (!isListed) return false;
    const place = (isPlaced ? own : isAbsolute(given) ? path : given).split(sep).join('/');
    return isLeftOut(place.replace(/^(\.{0,2}\/)+/, ''), rules);
  }

  function partsAt(path: string): InputPart[] {
    // A name that is not UTF-8 was reported in another form: walk its folder instead.
    if (path.includes('\ufffd')) return partsAt(dirname(path));
    return rootsOf(path).map((root) => ({ input: root, at: below(root.path, path) }));
  }
}

/** A whole input, or the part of a root that lies below the relative path `at`. */
interface InputPart {
  readonly input: Input;
  readonly at: string | undefined;
}

/** The path below a folder, with `/`. */
function below(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}

function caseless(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
