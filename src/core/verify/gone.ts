import type { Looked, Problem, WrongOutput } from '../../model/verified.ts';
import type { Verifying } from './verify.ts';

/** What tells whether outputs and sources are there. */
type GonePorts = Pick<Verifying, 'index' | 'storage' | 'sources'>;

/** What is wrong, with what is gone set aside. */
export interface Triage {
  readonly looked: Looked;
  readonly gone: readonly WrongOutput[];
  /** Whether one of those that are wrong can be made again. */
  readonly isMendable: boolean;
}

/** Separates outputs that are missing together with their sources from those that someone has lost. */
export async function separateGone(ports: GonePorts, looked: Looked): Promise<Triage> {
  const missing = looked.wrong.filter(isMissing);
  const isGone = await goneAmong(
    ports,
    missing.map(({ record }) => record.source),
  );
  const wrong: WrongOutput[] = [];
  const gone: WrongOutput[] = [];
  for (const one of looked.wrong) {
    const isLost = isMissing(one) && isGone.has(one.record.source);
    const duplicate = isLost ? await duplicateOf(ports, one) : undefined;
    if (isLost && duplicate === undefined) gone.push(one);
    else {
      const problems = await Promise.all(one.problems.map((problem) => named(problem, one, ports)));
      wrong.push({ ...one, problems, ...(duplicate === undefined ? {} : { duplicate }) });
    }
  }
  const mendable = wrong.filter((one) => !isLeftAlone(one)).map(({ record }) => record.source);
  const isMendable = (await ports.sources.missing(mendable)).length < mendable.length;
  return { looked: { ...looked, verified: looked.verified - gone.length, wrong }, gone, isMendable };
}

/** Forgets outputs of sources that are still gone, unless they were made meanwhile. Returns their number. */
export async function forgetGone(ports: GonePorts, gone: readonly WrongOutput[]): Promise<number> {
  let forgotten = 0;
  for (const [source, paths] of bySource(gone)) {
    const found = await ports.storage.stat(paths);
    const still = paths.filter((_, i) => found[i] === null);
    if (still.length === 0 || !(await goneAmong(ports, [source])).has(source)) continue;
    await ports.index.forget(source, still, []);
    forgotten += still.length;
  }
  return forgotten;
}

async function goneAmong({ sources }: GonePorts, paths: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set(await sources.gone([...new Set(paths)]));
}

/** What is never made again: it cannot be read, or is not ours. */
export function isLeftAlone({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'unreadable' || problem === 'foreign');
}

export function isMissing({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'missing');
}

/** A skipped duplicate that is still there: it has no outputs but these. */
async function duplicateOf(ports: GonePorts, { record }: WrongOutput): Promise<string | undefined> {
  const skipped = await ports.index.skipped(record.digest, [record.settings]);
  const others = skipped.map(({ source }) => source).filter((source) => source !== record.source);
  const gone = others.length === 0 ? undefined : await goneAmong(ports, others);
  return others.find((source) => !gone?.has(source));
}

async function named(problem: Problem, { record }: WrongOutput, { storage }: GonePorts): Promise<Problem> {
  if (problem.problem !== 'foreign') return problem;
  return { ...problem, message: `${await storage.kindAt(record.path)} is in its place` };
}

function bySource(gone: readonly WrongOutput[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { record } of gone) {
    paths.set(record.source, [...(paths.get(record.source) ?? []), record.path]);
  }
  return paths;
}
