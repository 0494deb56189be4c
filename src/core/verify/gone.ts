import type { Looked, Problem, WrongOutput } from '../../model/verified.ts';
import type { Verifying } from './verify.ts';

/** The ports that show whether outputs and sources exist. */
type GonePorts = Pick<Verifying, 'index' | 'storage' | 'sources'>;

/** The wrong outputs, separated from the gone ones. */
export interface Triage {
  readonly looked: Looked;
  readonly gone: readonly WrongOutput[];
  /** Whether at least one wrong output can be made again. */
  readonly isMendable: boolean;
}

/** Separates outputs that are missing together with their sources from all other wrong outputs. */
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
  const repairable = wrong.filter((one) => !isLeftAlone(one)).map(({ record }) => record.source);
  const isMendable = (await ports.sources.missing(repairable)).length < repairable.length;
  return { looked: { ...looked, verified: looked.verified - gone.length, wrong }, gone, isMendable };
}

/** Forgets outputs whose sources are still gone, unless a run has made them since. Returns their number. */
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

/** Whether an output is never made again: its file is unreadable or foreign. */
export function isLeftAlone({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'unreadable' || problem === 'foreign');
}

export function isMissing({ problems }: WrongOutput): boolean {
  return problems.some(({ problem }) => problem === 'missing');
}

/** An existing skipped duplicate of the source. It has no other outputs than these. */
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
