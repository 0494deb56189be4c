import { ImgtoolError, outputExists, outputIsSource } from '../../errors.ts';
import type { OutputRecord, Rendered, Reservation, SourceRecord } from '../../model.ts';
import type { Staged, Storage } from '../../ports.ts';
import type { FactPorts } from './context.ts';
import { isMade, type Step, sameFile } from './decide.ts';
import { has, isIntact } from './facts.ts';

/** The result of a job's steps. */
export interface Committed {
  /** The outputs of this job, one for each variant. A skipped duplicate has the outputs of the other source. */
  readonly outputs: readonly OutputRecord[];
  /** Outputs that the index must record: of this job, or given to skipped duplicates. */
  readonly made: readonly OutputRecord[];
  readonly skipped: readonly Reservation[];
}

/** A file appeared under an output's name after the check. Another process may have made this very output. */
export class Overtaken extends Error {
  readonly reason: ImgtoolError;

  constructor(reason: ImgtoolError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** An output whose bytes are staged. */
interface Ready {
  readonly record: Omit<OutputRecord, 'size' | 'mtime' | 'ino'>;
  readonly staged: Staged;
  readonly step: Exclude<Step, { kind: 'keep' | 'adopt' | 'skip' }>;
}

/**
 * Makes all outputs of a job visible: rendered, placed, kept and adopted ones. `staged` begins with the rendered outputs
 * in the order of their steps; `commit` appends all other files that it stages. Errors: `output_exists` before anything
 * is visible, Overtaken, and those of storage.
 */
export async function commit(
  ports: FactPorts,
  steps: readonly Step[],
  rendered: Rendered | undefined,
  staged: Staged[],
  source: SourceRecord,
): Promise<Committed> {
  const ready = await prepare(ports, steps, rendered, staged, source);
  const adopted = new Map<Ready, OutputRecord>();
  for (const one of ready) {
    const found = await adopt(ports, one);
    if (found !== undefined) adopted.set(one, found);
  }
  const fresh = ready.filter((one) => !adopted.has(one));
  const kept = steps.flatMap((step) => inPlace(step, source));
  const found = [...adopted.values(), ...kept].map(({ path }) => path);
  // Recorded outputs must be durable: other jobs link to them.
  if (found.length > 0) await ports.storage.sync(found);
  const given = await giveToSkipped(ports, fresh, source, staged);
  const facts = await ports.storage.commit(fresh.map((one) => one.staged)).catch((error: unknown) => {
    throw error instanceof ImgtoolError && error.code === 'output_exists' ? new Overtaken(error) : error;
  });
  const records = new Map(fresh.map((one, i) => [one.step as Step, { ...one.record, ...facts[i]! }]));
  for (const [{ step }, record] of adopted) records.set(step, record);
  return {
    outputs: steps.map((step) => outputOf(step, records, source)),
    made: [...given, ...kept, ...records.values()],
    skipped: steps.flatMap((step) => (step.kind === 'skip' ? [reservation(step, source)] : [])),
  };
}

/**
 * Whether the staged file is the output `meant`: the bytes under its name may have changed since the decision. The
 * recorded file itself is durable. Another file with the same bytes may not be durable yet.
 */
async function holds(storage: Storage, staged: Staged, meant: OutputRecord): Promise<boolean> {
  const [found] = await storage.stat([staged.path]);
  if (found == null || found === 'foreign') return false;
  staged.durable = sameFile(found, meant);
  return staged.durable || (await storage.checksum(staged.path)) === meant.checksum;
}

async function prepare(
  { storage, options }: FactPorts,
  steps: readonly Step[],
  rendered: Rendered | undefined,
  staged: Staged[],
  source: SourceRecord,
): Promise<Ready[]> {
  const ready: Ready[] = [];
  let ordered = 0;
  for (const step of steps) {
    if (step.kind === 'keep' || step.kind === 'adopt' || step.kind === 'skip') continue;
    const { path, variant, settings } = step.wanted;
    const own = { path, source: source.path, variant: variant.name, settings, digest: source.digest };
    if (step.kind === 'render') {
      const output = rendered!.outputs[ordered]!;
      const { width, height, checksum } = output;
      const record = { ...own, format: variant.format, width, height, checksum, encoder: rendered!.encoder };
      ready.push({ step, record, staged: staged[ordered]! });
      ordered++;
    } else {
      const one = await storage.stageFrom(
        step.from.path,
        path,
        options.duplicates === 'copy' ? 'copy' : 'link',
      );
      staged.push(one);
      if (!(await holds(storage, one, step.from))) throw new Overtaken(outputExists(path));
      ready.push({ step, record: { ...step.from, ...own }, staged: one });
    }
  }
  for (const { staged: one, step } of ready) one.replace = step.replace;
  return ready;
}

/** Adopts an unknown file that holds exactly these bytes. This rebuilds a lost index. */
async function adopt(
  { index, storage }: FactPorts,
  { record, step }: Ready,
): Promise<OutputRecord | undefined> {
  const { disk, path, holds } = step.wanted;
  if (disk === null || disk === 'foreign' || step.replace) return undefined;
  if ((await storage.checksum(path)) === record.checksum) return { ...record, ...disk };
  if (holds !== null) throw outputIsSource(path);
  const isKnown = isMade((await index.lookup([], [path])).output(path));
  throw isKnown ? new Overtaken(outputExists(path)) : outputExists(path);
}

/** Gives skipped duplicates their own outputs before the outputs that they share are replaced. */
async function giveToSkipped(
  ports: FactPorts,
  fresh: readonly Ready[],
  source: SourceRecord,
  staged: Staged[],
): Promise<OutputRecord[]> {
  const given: OutputRecord[] = [];
  for (const { step } of fresh) {
    const { record: old, disk, settings } = step.wanted;
    if (!isMade(old) || (old.digest === source.digest && old.settings === settings)) continue;
    if (!(await isIntact(old, disk, ports.storage))) continue;
    given.push(...(await giveAway(ports, old, source.path, staged)));
  }
  return given;
}

/**
 * Gives an output that is about to be removed or replaced to all skipped duplicates except `leaving`. Returns their new
 * outputs. Appends the files that it stages to `staged`.
 */
export async function giveAway(
  { index, storage, sources }: FactPorts,
  old: OutputRecord,
  leaving: string,
  staged: Staged[],
): Promise<OutputRecord[]> {
  const given: OutputRecord[] = [];
  for (const { path, source: copy } of await index.skipped(old.digest, [old.settings])) {
    if (copy === leaving) continue;
    const [facts] = await sources.statAll([copy]);
    if (!has(facts, (await index.lookup([copy], [])).source(copy), old.digest)) continue;
    const one = await storage.stageFrom(old.path, path, 'link');
    staged.push(one);
    if (!(await holds(storage, one, old))) continue;
    const left = await storage.commit([one]).catch(unlessTaken);
    if (left !== undefined) given.push({ ...old, path, source: copy, ...left[0]! });
  }
  return given;
}

/** A foreign file under the name of a duplicate must not stop this source. */
function unlessTaken(error: unknown): undefined {
  if (!(error instanceof ImgtoolError) || error.code !== 'output_exists') throw error;
}

/** The new record of a file that stays where it is. */
function inPlace(step: Step, source: SourceRecord): OutputRecord[] {
  if (step.kind === 'adopt') return [adopted(step, source)];
  if (step.kind !== 'keep') return [];
  const { record, disk } = step.wanted;
  if (!isMade(record) || disk === null || disk === 'foreign' || sameFile(record, disk)) return [];
  return [{ ...record, ...disk }];
}

function adopted({ wanted, from }: Extract<Step, { kind: 'adopt' }>, source: SourceRecord): OutputRecord {
  const { path, variant, settings, disk } = wanted;
  if (disk === null || disk === 'foreign') throw new Error(`${path} was to be adopted and is not there`);
  return {
    ...from,
    path,
    source: source.path,
    variant: variant.name,
    settings,
    digest: source.digest,
    ...disk,
  };
}

function outputOf(step: Step, records: ReadonlyMap<Step, OutputRecord>, source: SourceRecord): OutputRecord {
  if (step.kind === 'skip') return step.from;
  if (step.kind === 'adopt') return adopted(step, source);
  const record = step.kind === 'keep' ? step.wanted.record : records.get(step);
  if (!isMade(record)) throw new Error(`${step.wanted.path} was to be made and was not`);
  return record;
}

function reservation({ wanted }: Extract<Step, { kind: 'skip' }>, source: SourceRecord): Reservation {
  const { path, variant, settings } = wanted;
  return {
    path,
    source: source.path,
    checksum: null,
    settings,
    digest: source.digest,
    variant: variant.name,
  };
}
