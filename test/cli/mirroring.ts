import { join } from 'node:path';
import { expect } from 'vitest';
import { eventsOf, filesBelow, finishedOf, type Outcome, type Place } from './imgtool.ts';
import { hashOf, picture, putOld } from './pictures.ts';

/** Runs `process --mirror`, and checks by full listings what it removed. */

/** Variants of every size that the tests use. */
export const A = ['--variant', 'a:w=40'];
export const B = ['--variant', 'b:w=20'];
export const AB = [...A, ...B];

/** The beginning of each command. */
export const MIRROR = ['process', '--json', '--out', 'out', '--mirror'];

/** No differences of two listings. */
export const NOTHING = { removed: [], added: [], changed: [] };

/** Six different pictures, two of them in a folder. */
export const PICTURES = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f'].map((name) => `photos/${name}.jpg`);

/** The outputs of these sources below `out`, for each variant. */
export function outputsOf(names: readonly string[], variants: string, ext = 'webp'): string[] {
  return names.flatMap((name) => [...variants].map((variant) => `out/${name}_${variant}.${ext}`)).sort();
}

export async function putPictures(place: Place, paths: readonly string[] = PICTURES): Promise<void> {
  for (const [i, path] of paths.entries()) putOld(place.at(path), await picture({ seed: i + 1 }));
}

/** All files below the working folder, with the digest of their bytes. Links are not followed. */
export function listing(place: Place): ReadonlyMap<string, string> {
  return new Map(filesBelow(place.cwd).map((path) => [path, digestOf(join(place.cwd, path))]));
}

function digestOf(path: string): string {
  try {
    return hashOf(path);
  } catch {
    return 'a link or a folder';
  }
}

/** The differences of two listings. */
export function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const [old, now] = [[...before.keys()], [...after.keys()]];
  return {
    removed: old.filter((path) => !after.has(path)).sort(),
    added: now.filter((path) => !before.has(path)).sort(),
    changed: old.filter((path) => after.has(path) && after.get(path) !== before.get(path)).sort(),
  };
}

/** The paths that events report as removed, or as what a dry run would remove. */
export function removedIn(outcome: Outcome, dryRun?: true): string[] {
  const removals = eventsOf(outcome).filter((event) => event.type === 'removed');
  expect(removals.every((event) => event.dryRun === dryRun)).toBe(true);
  return removals.flatMap(({ paths }) => paths).sort();
}

export function warningsIn(outcome: Outcome): string[] {
  return eventsOf(outcome).flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

/** Runs a batch that must end well. */
export async function made(place: Place, ...args: string[]): Promise<string> {
  const outcome = await place.run(['process', '--json', '--out', 'out', ...args]);
  expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
  return finishedOf(outcome).batch;
}
