import type { Looked, Problem, WrongOutput } from '../../model/verified.ts';
import type { Index, Storage } from '../../ports.ts';

/** What a look at the places of outputs and sources tells. */
export interface FileProbe {
  isThere(source: string): boolean;
  /** Whether a source is no more; not so where its disk may only not be mounted. */
  isGone(source: string): boolean;
  /** `a folder`, `a link` …: what is in the place of an output and no file. */
  kindOf(path: string): string;
  /** What makes a folder look as if its disk were not mounted: `is not there`, `is empty`. */
  lackOf(folder: string): string | undefined;
}

/** What is wrong, with what is gone set aside. */
export interface Triage {
  readonly looked: Looked;
  readonly gone: readonly WrongOutput[];
  /** Whether one of those that are wrong can be made again. */
  readonly isMendable: boolean;
}

/** Tells outputs that are missing together with their sources from those that are somebody's loss. */
export async function separateGone(index: Index, looked: Looked, probe: FileProbe): Promise<Triage> {
  const sources = new Map<string, boolean>();
  const isGone = (source: string): boolean => {
    const known = sources.get(source) ?? probe.isGone(source);
    sources.set(source, known);
    return known;
  };
  const wrong: WrongOutput[] = [];
  const gone: WrongOutput[] = [];
  for (const one of looked.wrong) {
    const isLost = isMissing(one) && isGone(one.record.source);
    const duplicate = isLost ? await duplicateOf(index, one, isGone) : undefined;
    if (isLost && duplicate === undefined) gone.push(one);
    else {
      const problems = one.problems.map((problem) => named(problem, one, probe));
      wrong.push({ ...one, problems, ...(duplicate === undefined ? {} : { duplicate }) });
    }
  }
  const isMendable = wrong.some((one) => !isLeftAlone(one) && probe.isThere(one.record.source));
  return { looked: { ...looked, verified: looked.verified - gone.length, wrong }, gone, isMendable };
}

/** Forgets outputs of sources that are still gone, as long as nobody made them meanwhile; how many. */
export async function forgetGone(
  index: Index,
  storage: Storage,
  gone: readonly WrongOutput[],
  probe: FileProbe,
): Promise<number> {
  let forgotten = 0;
  for (const [source, paths] of bySource(gone)) {
    const found = await storage.stat(paths);
    const still = paths.filter((_, i) => found[i] === null);
    if (still.length === 0 || !probe.isGone(source)) continue;
    await index.forget(source, still, []);
    forgotten += still.length;
  }
  return forgotten;
}

/** What is never made again: it cannot be read, or is not ours. */
export function isLeftAlone({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'unreadable' || problem === 'foreign');
}

export function isMissing({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'missing');
}

/** A duplicate that was skipped, and is still there: it has no outputs but these. */
async function duplicateOf(
  index: Index,
  { record }: WrongOutput,
  isGone: (source: string) => boolean,
): Promise<string | undefined> {
  const skipped = await index.skipped(record.digest, [record.settings]);
  return skipped.find(({ source }) => source !== record.source && !isGone(source))?.source;
}

function named(problem: Problem, { record }: WrongOutput, probe: FileProbe): Problem {
  if (problem.problem !== 'foreign') return problem;
  return { ...problem, message: `${probe.kindOf(record.path)} is in its place` };
}

function bySource(gone: readonly WrongOutput[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { record } of gone) {
    paths.set(record.source, [...(paths.get(record.source) ?? []), record.path]);
  }
  return paths;
}
