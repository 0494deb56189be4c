import { dirname } from 'node:path';
import { forgetCommand } from '../../errors.ts';
import type { Looked, Problem, WrongOutput } from '../../model/verified.ts';
import { goneAmong } from '../batch/reserve.ts';
import { isBelow } from '../job/facts.ts';
import { hasProblem, isLeftAlone } from './left-alone.ts';
import type { Verifying } from './verify.ts';

/** The ports that show whether outputs and sources exist. */
export type GonePorts = Pick<Verifying, 'index' | 'storage' | 'sources'>;

/** Most folders that a suggested command names. */
export const NAMED = 3;

/**
 * Separates `gone` outputs, which are missing together with their sources, from other wrong outputs. `mendable`: number of
 * those that can be made again. The sources of the others are missing: `forgetBy` is the command that forgets those whose
 * files are missing too, and `orphans` is the number of the others.
 */
export async function separateGone(ports: GonePorts & Pick<Verifying, 'otherIndex'>, looked: Looked) {
  const missing = looked.wrong.filter(isMissing).map(({ record }) => record.source);
  const goneSources = await forgettable(ports, missing);
  const wrong: WrongOutput[] = [];
  const gone: WrongOutput[] = [];
  for (const one of looked.wrong) {
    const isLost = isMissing(one) && goneSources.has(one.record.source);
    const duplicate = isLost ? await duplicateOf(ports, one) : undefined;
    if (isLost && duplicate === undefined) gone.push(one);
    else {
      const problems = await Promise.all(one.problems.map((problem) => named(problem, one, ports)));
      wrong.push({ ...one, problems, ...(duplicate === undefined ? {} : { duplicate }) });
    }
  }
  const repairable = wrong.filter((one) => !isLeftAlone(one));
  const sourceless = new Set(await ports.sources.missing(repairable.map(({ record }) => record.source)));
  const left = repairable.filter(({ record }) => sourceless.has(record.source));
  const lost = left.filter(isMissing);
  const counts = { mendable: repairable.length - left.length, orphans: left.length - lost.length };
  const folders = outermost(lost.map(({ record }) => dirname(record.source)));
  const forgetBy = forgetCommand(folders.slice(0, NAMED), ports.otherIndex);
  const advice = folders.length === 0 ? {} : { forgetBy, forgetMore: Math.max(0, folders.length - NAMED) };
  const others: Looked = { ...looked, verified: looked.verified - gone.length, wrong };
  return { looked: others, gone, ...counts, ...advice };
}

/** Those of the folders that are below no other. A folder above them all could hold what is nobody's business. */
export function outermost(folders: readonly string[]): string[] {
  const all = new Set(folders);
  const isInside = (folder: string): boolean => {
    const above = dirname(folder);
    return above !== folder && (all.has(above) || isInside(above));
  };
  return [...all].filter((folder) => !isInside(folder)).sort();
}

/**
 * Those of these paths whose records can be forgotten: no file is there, and its disk is not unmounted as far as anybody
 * can tell. Nobody can tell that of an empty folder. If the user named such a folder, or a path in it, the user knows.
 */
export async function forgettable(ports: GonePorts, paths: readonly string[], named?: string) {
  const { sources, storage } = ports;
  const gone = await goneAmong(sources, paths);
  if (named === undefined || (await storage.lackOf(named)) === null) return gone;
  const known = paths.filter((path) => path === named || isBelow(path, named));
  return new Set([...gone, ...(await sources.missing(known))]);
}

/** Forgets outputs whose sources are still gone, unless a run has made them since. Returns their number. */
export async function forgetGone(ports: GonePorts, gone: readonly WrongOutput[]): Promise<number> {
  const pathsOf = new Map<string, string[]>();
  for (const { record } of gone) {
    pathsOf.set(record.source, [...(pathsOf.get(record.source) ?? []), record.path]);
  }
  let forgotten = 0;
  for (const [source, paths] of pathsOf) {
    const found = await ports.storage.stat(paths);
    const still = paths.filter((_, i) => found[i] === null);
    if (still.length === 0 || !(await forgettable(ports, [source])).has(source)) continue;
    // Other outputs of the source may be there, and a later mirror must find their source.
    const isLast = (await ports.index.ownedBy(source)).length === still.length;
    await ports.index.forget(source, still, [], isLast);
    forgotten += still.length;
  }
  return forgotten;
}

export const isMissing = (one: WrongOutput) => hasProblem(one, 'missing');

/** An existing skipped duplicate of the source. It has no other outputs than these. */
async function duplicateOf(ports: GonePorts, { record }: WrongOutput): Promise<string | undefined> {
  const skipped = await ports.index.skipped(record.digest, [record.settings]);
  const others = skipped.map(({ source }) => source).filter((source) => source !== record.source);
  const gone = await goneAmong(ports.sources, others);
  return others.find((source) => !gone.has(source));
}

async function named(problem: Problem, { record }: WrongOutput, { storage }: GonePorts): Promise<Problem> {
  if (problem.problem !== 'foreign') return problem;
  return { ...problem, message: `${await storage.kindAt(record.path)} is in its place` };
}
