import { statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { ImgtoolError, readError } from '../../errors.ts';
import type { FileFacts, WalkRules } from '../../model.ts';
import type { Found, Inputs, Skipped, Sources } from '../../ports.ts';
import { type Input, type Named, type Root, resolved, resolveInputs } from './inputs.ts';
import { factsAt, type Rules, walkRoot } from './walk.ts';

/** Entries between pauses in which other work gets its turn. */
const BREATH = 64;

/** Pictures in files and folders of this machine. Errors: `no_input`. */
export async function openLocalSources(inputs: Inputs, rules: WalkRules): Promise<Sources> {
  const all = await resolveInputs(inputs);
  const real = resolved(rules.out);
  // Outputs among the sources cannot be told by their place when all that was named lies there.
  const isAmong = all.length > 0 && all.every((input) => isWithin(rootOf(input), real));
  const walkRules: Rules = { ...rules, realOut: isAmong ? null : real };
  const roots = all.filter((input) => input.kind === 'root');
  const named = new Set(all.flatMap((input) => (input.kind === 'named' ? [caseless(input.real)] : [])));
  for (const root of roots) if (root.matches !== undefined) refuseEmptyGlob(root, walkRules);

  return {
    async *walk(signal) {
      // One input meets no file twice; several may.
      const seen = all.length > 1 ? new Set<string>() : undefined;
      let taken = 0;
      for (const input of all) {
        for (const entry of input.kind === 'root'
          ? walkRoot(input, walkRules)
          : takeNamed(input, walkRules)) {
          if (signal.aborted) return;
          if (++taken % BREATH === 0) await breathe();
          if (entry.type === 'found' && seen !== undefined) {
            if (seen.has(entry.source)) continue;
            seen.add(entry.source);
          }
          yield entry;
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
      if (walkRules.realOut !== null && isWithin(place, walkRules.realOut)) return false;
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

/** The folder a named file was given in counts as its root. */
function rootOf(input: Input): string {
  return input.kind === 'root' ? input.real : dirname(input.real);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function caseless(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function* takeNamed({ path, real, given }: Named, { realOut }: Rules): Generator<Found | Skipped> {
  if (realOut !== null && isWithin(real, realOut)) yield { type: 'skipped', given, reason: 'output' };
  else yield { type: 'found', source: path, given, relative: basename(path), facts: factsAt(path) };
}

function refuseEmptyGlob(root: Root, rules: Rules): void {
  for (const entry of walkRoot(root, rules)) if (entry.type === 'found') return;
  throw new ImgtoolError('no_input', `${root.given}: the pattern matches no picture there`, {
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
