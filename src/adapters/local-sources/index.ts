import { statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { ImgtoolError, readError } from '../../errors.ts';
import type { FileFacts, WalkRules } from '../../model.ts';
import type { Inputs, Sources } from '../../ports.ts';
import { type Input, type Named, type Root, resolved, resolveInputs } from './inputs.ts';
import { factsAt, type Met, type Rules, walkRoot } from './walk.ts';

/** Entries between pauses in which other work gets its turn. */
const BREATH = 64;

/** Pictures in files and folders of this machine. Errors: `no_input`, `usage`. */
export async function openLocalSources(inputs: Inputs, rules: WalkRules): Promise<Sources> {
  const all = await resolveInputs(inputs);
  const roots = all.filter((input) => input.kind === 'root');
  const out = { real: resolved(rules.out), identity: identityOf(rules.out) };
  refuseOtherName(roots, out);
  const isPassedOver = !liesAmong(all, out.real);
  const isOut = (real: string) =>
    isPassedOver && (real === out.real || (out.identity !== undefined && identityOf(real) === out.identity));
  const walkRules: Rules = { ...rules, isOut };
  const named = new Set(all.flatMap((input) => (input.kind === 'named' ? [caseless(input.real)] : [])));
  for (const root of roots) if (root.matches !== undefined) refuseEmptyGlob(root, walkRules);

  return {
    async *walk(signal) {
      // One input without links meets no file twice.
      const seen = all.length > 1 || rules.followSymlinks ? new Set<string>() : undefined;
      let met = 0;
      for (const input of all) {
        const walked =
          input.kind === 'root' ? walkRoot(input, walkRules) : takeNamed(input, isPassedOver, out.real);
        for (const one of walked) {
          if (signal.aborted) return;
          if (++met % BREATH === 0) await breathe();
          if (seen !== undefined && 'real' in one) {
            if (seen.has(one.real)) continue;
            seen.add(one.real);
          }
          yield one.entry;
        }
      }
    },
    async stat(path) {
      return statSource(path);
    },
    statAll: async (paths) => paths.map(factsAt),
    async covers(path) {
      const place = join(resolved(dirname(path)), basename(path));
      if (named.has(caseless(place))) return true;
      if (isPassedOver && isWithin(place, out.real)) return false;
      return roots.some((root) => isWithin(place, root.real));
    },
    givenOf(path) {
      const same = all.find((input) => input.path === path);
      if (same !== undefined) return same.given;
      const root = roots.find((one) => isWithin(path, one.path));
      return root === undefined ? path : join(root.given, relative(root.path, path));
    },
  };
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
function refuseOtherName(roots: readonly Root[], out: { real: string; identity: string | undefined }): void {
  for (const { given, real } of roots) {
    if (out.identity === undefined || real === out.real || identityOf(real) !== out.identity) continue;
    throw new ImgtoolError('usage', `--out ${out.real}: is ${given} under another path`, {
      fix: 'name both by the same path, or choose another --out',
    });
  }
}

/** Device and inode of a folder; undefined where there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function caseless(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function* takeNamed({ path, real, given }: Named, isPassedOver: boolean, realOut: string): Generator<Met> {
  if (isPassedOver && isWithin(real, realOut)) {
    yield { entry: { type: 'skipped', given, reason: 'output' } };
  } else {
    yield {
      entry: { type: 'found', source: path, given, relative: basename(path), facts: factsAt(path) },
      real,
    };
  }
}

function refuseEmptyGlob(root: Root, rules: Rules): void {
  for (const { entry } of walkRoot(root, rules)) if (entry.type === 'found') return;
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
