import { lstatSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { ImgtoolError, readError, systemCode } from '../../errors.ts';
import type { FileFacts, WalkRules } from '../../model.ts';
import type { Inputs, Sources } from '../../ports.ts';
import {
  type Input,
  identityOf,
  isWithin,
  type Named,
  type Root,
  resolved,
  resolveInputs,
} from './inputs.ts';
import { factsAt, type Met, type Rules, walkRoot } from './walk.ts';
import { openWatch, type Watch } from './watch.ts';

/** Entries between pauses in which other work gets its turn. */
const BREATH = 64;

/** Pictures in files and folders of this machine. Errors: `no_input`, `usage`. */
export async function openLocalSources(inputs: Inputs, rules: WalkRules): Promise<Sources> {
  const all = await resolveInputs(inputs);
  const roots = all.filter((input) => input.kind === 'root');
  const named = new Set(all.flatMap((input) => (input.kind === 'named' ? [caseless(input.real)] : [])));
  let out = lookAtOut(rules, all);
  let watch: Watch | undefined;
  refuseOtherName(roots, out);
  for (const root of roots) if (root.matches !== undefined) refuseEmptyGlob(root, rulesWith(rules, out));

  return {
    async *walk(signal, { at, isKnown } = {}) {
      // The output folder may be made, or become a link, while a watch goes on.
      if (watch !== undefined) out = lookAtOut(rules, all);
      const round = at === undefined ? watch?.tree.nextRound() : undefined;
      // One input without links meets no file twice.
      const seen = all.length > 1 || rules.followSymlinks ? new Set<string>() : undefined;
      let met = 0;
      for (const walked of at === undefined ? all.map((input) => walkInput(input)) : walkPart(at)) {
        for (const one of walked) {
          if (signal.aborted) return;
          if (++met % BREATH === 0) await breathe();
          if (one.entry === null) {
            await watch?.tree.enter(one.folder);
            continue;
          }
          if ('real' in one) {
            if (seen?.has(one.real)) continue;
            seen?.add(one.real);
            if (one.entry.facts !== null && isKnown?.(one.entry.source, one.entry.facts)) continue;
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
      watch = openWatch(roots, heard, options);
      return watch;
    },
    async stat(path) {
      return statSource(path);
    },
    statAll: async (paths) => paths.map(factsAt),
    async missing(paths) {
      return paths.filter(
        (path) => rootsOf(path).every((root) => watch?.roots.isThere(root)) && isNothing(path),
      );
    },
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

  function rootsOf(path: string): Root[] {
    return roots.filter((root) => isWithin(path, root.path));
  }

  function walkInput(input: Input, at?: string): Generator<Met> {
    // A root that is a link may lead elsewhere by now.
    if (input.kind === 'root')
      return walkRoot({ ...input, real: resolved(input.path) }, rulesWith(rules, out), at);
    return takeNamed(input, out);
  }

  function walkPart(at: string): Generator<Met>[] {
    // A name that is no UTF-8 was not told as it is: only its folder can be walked.
    if (at.includes('\ufffd')) return walkPart(dirname(at));
    return rootsOf(at).map((root) => walkInput(root, relative(root.path, at).split(sep).join('/')));
  }
}

/** The output folder as it is at one moment. */
interface Out {
  readonly real: string;
  readonly identity: string | undefined;
  /** Whether what lies in it is passed over; else the index alone tells outputs from sources. */
  readonly isPassedOver: boolean;
}

function lookAtOut(rules: WalkRules, all: readonly Input[]): Out {
  const real = resolved(rules.out);
  return { real, identity: identityOf(rules.out), isPassedOver: !liesAmong(all, real) };
}

function rulesWith(rules: WalkRules, { real: out, identity, isPassedOver }: Out): Rules {
  const isOut = (real: string) =>
    isPassedOver && (real === out || (identity !== undefined && identityOf(real) === identity));
  return { ...rules, isOut };
}

function isNothing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return systemCode(error) === 'ENOTDIR';
  }
}

/**
 * Whether outputs lie among the sources, where their place cannot tell them apart: the output folder is or holds a
 * folder that was named, or all files that were named.
 */
function liesAmong(all: readonly Input[], realOut: string): boolean {
  const roots = all.filter(({ kind }) => kind === 'root');
  if (roots.length > 0) return roots.some(({ real }) => isWithin(real, realOut));
  return all.length > 0 && all.every(({ real }) => isWithin(dirname(real), realOut));
}

/** Under a second path of the same folder (a bind mount) outputs would come back as sources. */
function refuseOtherName(roots: readonly Root[], out: Out): void {
  for (const { given, real } of roots) {
    if (out.identity === undefined || real === out.real || identityOf(real) !== out.identity) continue;
    throw new ImgtoolError('usage', `--out ${out.real}: is ${given} under another path`, {
      fix: 'name both by the same path, or choose another --out',
    });
  }
}

function caseless(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function* takeNamed({ path, real, given }: Named, out: Out): Generator<Met> {
  if (out.isPassedOver && isWithin(real, out.real)) {
    yield { entry: { type: 'skipped', given, reason: 'output' } };
  } else {
    yield {
      entry: { type: 'found', source: path, given, relative: basename(path), facts: factsAt(path) },
      real,
    };
  }
}

function refuseEmptyGlob(root: Root, rules: Rules): void {
  for (const { entry } of walkRoot(root, rules)) if (entry?.type === 'found') return;
  throw new ImgtoolError('no_input', `${root.pattern ?? root.given}: the pattern matches no picture`, {
    fix: 'check the pattern; nothing was done',
  });
}

function statSource(path: string): FileFacts {
  try {
    const found = statSync(path, { bigint: true });
    if (found.isFile())
      return { size: Number(found.size), mtime: String(found.mtimeNs), ino: String(found.ino) };
    const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : 'a device or socket';
    throw new ImgtoolError('source_unreadable', `is ${kind}, not a file`, {
      fix: 'name a picture, or leave it out',
    });
  } catch (error) {
    throw readError(error);
  }
}
