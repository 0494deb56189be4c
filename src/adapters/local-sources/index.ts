import { lstatSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { asImgtoolError, ImgtoolError, isLinkNow, readError } from '../../errors.ts';
import type { SourceFacts, WalkRules } from '../../model.ts';
import type { Hint, Inputs, Sources } from '../../ports.ts';
import { hasBecomeLink, openBounds, realNow } from './bounds.ts';
import { factsAt, factsIn, identityOf, isFolderAt, isNothing, isWithin, resolved } from './files.ts';
import { localSourceProbe } from './gone.ts';
import { type Input, type NamedFile, type Root, resolveInputs } from './inputs.ts';
import { lookAtOut, type Out, refuseOtherName, rulesWith } from './out.ts';
import { mayBeSource, withMatchers } from './patterns.ts';
import { type Met, type Rules, walkRoot } from './walk.ts';
import { openWatch, type Watch } from './watch.ts';

/** Entries between two pauses that give other work its turn. */
const BREATH = 64;

/** Opens the pictures in files and folders of this machine. Errors: `no_input`, `usage`. */
export async function openLocalSources(inputs: Inputs, given: WalkRules): Promise<Sources> {
  const all = await resolveInputs(inputs);
  const rules = await withMatchers(given);
  const roots = all.filter((input) => input.kind === 'root');
  const named = new Set(all.flatMap((input) => (input.kind === 'named' ? [caseless(input.real)] : [])));
  const bounds = openBounds({
    inputs: all,
    followSymlinks: rules.followSymlinks,
    isListed: inputs.list !== null || inputs.wasListed === true,
  });
  let out = lookAtOut(rules, all);
  let watch: Watch | undefined;
  let tell: ((hint: Hint) => void) | undefined;
  let isToldOfOut = false;
  // One input without links never leads to a file twice.
  const mayMeetTwice = all.length > 1 || rules.followSymlinks;
  const hasManyWays =
    rules.followSymlinks ||
    roots.some((one) => roots.some((other) => one !== other && isWithin(one.real, other.real)));
  refuseOtherName(roots, out);
  const globs = roots.filter((root) => root.matches !== undefined && !root.isAway);
  const empty = globs.find((root) => isEmptyGlob(root, rulesWith(rules, out)));
  if (empty !== undefined && !(inputs.isAgain && all.some(isFound))) throw matchesNothing(empty);

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
      let met = 0;
      for (const walked of at === undefined ? all.map((input) => walkInput(input, now)) : walkPart(at, now)) {
        for (const one of walked) {
          if (signal.aborted) return;
          if (++met % BREATH === 0 || one.entry === null) await breathe();
          if (one.entry === null) {
            if (one.folder !== null) await watch?.tree.enter(one.folder);
            continue;
          }
          if ('real' in one) {
            if (seen?.has(one.real)) continue;
            seen?.add(one.real);
          }
          yield one.entry.type === 'gone' && watch?.tree.leave(one.entry.path)
            ? { ...one.entry, wasFolder: true }
            : one.entry;
        }
      }
      if (round === undefined) return;
      for (const root of roots) if (watch?.roots.isThere(root)) watch.tree.leaveOlder(root.path, round);
    },
    watch(heard, options) {
      // When several paths lead to a file, only a walk through everything knows which one is taken.
      const hear = (hint: Hint) => heard(hasManyWays && hint.type === 'changed' ? { type: 'lost' } : hint);
      tell = heard;
      watch = openWatch(roots, hear, { ...options, isSource: (name) => mayBeSource(name, rules) });
      return watch;
    },
    async stat(path) {
      return statSource(path, bounds.follows(path), rules);
    },
    async isFolder(path) {
      return isFolderAt(path);
    },
    // Another batch may have named a file outside the folders of this one.
    statAll: async (paths) =>
      paths.map((path) => factsAt(path, rootsOf(path).length === 0 || bounds.follows(path), rules)),
    boundsOf: bounds.of,
    async missing(paths) {
      return paths.filter((path) => rootsOf(path).every(isThere) && isNothing(path));
    },
    gone: localSourceProbe.gone,
    folders: roots.map(({ path }) => path),
    async covers(path) {
      const place = join(resolved(dirname(path)), basename(path));
      if (named.has(caseless(place))) return true;
      if (out.isPassedOver && isWithin(place, out.real)) return false;
      return roots.some((root) => isWithin(place, root.real));
    },
    givenOf(path) {
      const same = all.find((input) => input.path === path);
      if (same !== undefined) return same.given;
      const root = roots.find((one) => isWithin(path, one.path));
      return root === undefined ? path : join(root.given, relative(root.path, path));
    },
  };

  /** Checks again what was checked when the watch began. False while outputs would be taken for sources. */
  function lookAgain(): boolean {
    out = lookAtOut(rules, all);
    try {
      refuseOtherName(roots.map(asNow), out);
      isToldOfOut = false;
      return true;
    } catch (error) {
      const { message, fix } = asImgtoolError(error);
      if (!isToldOfOut) tell?.({ type: 'warning', message, ...(fix === undefined ? {} : { fix }) });
      isToldOfOut = true;
      return false;
    }
  }

  /** A root that is a link may lead elsewhere by now. */
  function asNow(root: Root): Root {
    return { ...root, real: realNow(root) };
  }

  function isThere(root: Root): boolean {
    if (hasBecomeLink(root)) return false;
    return watch?.roots.isThere(root) ?? identityOf(root.path) !== undefined;
  }

  function rootsOf(path: string): Root[] {
    return roots.filter((root) => isWithin(path, root.path));
  }

  /** Whether there is something to walk. */
  function isFound(input: Input): boolean {
    if (input.isAway) return false;
    return (
      input.kind === 'named' || input.matches === undefined || !isEmptyGlob(input, rulesWith(rules, out))
    );
  }

  function walkInput(input: Input, now: Rules, at?: string): Iterable<Met> {
    if (input.kind === 'root' && input.isAway) return [goneAt(input)];
    if (input.kind === 'root' && hasBecomeLink(input)) {
      const { path, given } = input;
      return [{ entry: { type: 'skipped', path, given, reason: 'symlink' } }];
    }
    if (input.kind === 'root') return walkRoot(asNow(input), now, at);
    return takeNamed(input, out, rules);
  }

  function walkPart(at: string, now: Rules): Iterable<Met>[] {
    // A name that is not UTF-8 was reported in another form: walk its folder instead.
    if (at.includes('\ufffd')) return walkPart(dirname(at), now);
    return rootsOf(at).map((root) => walkInput(root, now, relative(root.path, at).split(sep).join('/')));
  }
}

function caseless(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function* takeNamed({ path, real, given }: NamedFile, out: Out, rules: WalkRules): Generator<Met> {
  if (out.isPassedOver && isWithin(real, out.real)) {
    yield { entry: { type: 'skipped', path, given, reason: 'output' } };
  } else {
    const facts = factsAt(path, true, rules);
    yield { entry: { type: 'found', source: path, given, relative: basename(path), facts }, real };
  }
}

function goneAt({ path }: Root): Met {
  return { entry: { type: 'gone', path, wasFolder: false } };
}

function isEmptyGlob(root: Root, rules: Rules): boolean {
  for (const { entry } of walkRoot(root, rules)) {
    if (entry?.type === 'found' || entry?.type === 'unreadable') return false;
  }
  return true;
}

function matchesNothing({ pattern, given }: Root): ImgtoolError {
  return new ImgtoolError('no_input', `${pattern ?? given}: the pattern matches no picture`, {
    fix: 'check the pattern; nothing was done',
  });
}

function statSource(path: string, follow: boolean, rules: WalkRules): SourceFacts {
  try {
    const found = (follow ? statSync : lstatSync)(path, { bigint: true });
    if (found.isSymbolicLink()) throw isLinkNow();
    if (found.isFile()) return factsIn(found, rules);
    const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : 'a device or socket';
    throw new ImgtoolError('source_unreadable', `is ${kind}, not a file`, {
      fix: 'name a picture, or leave it out',
    });
  } catch (error) {
    throw readError(error);
  }
}
