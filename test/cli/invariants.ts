import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { foldName } from '../../src/core/batch/names.ts';
import { eventsOf, filesBelow, type Outcome, type Place } from './imgtool.ts';
import { hashOf } from './pictures.ts';
import { type Recorded, readIndex } from './recorded.ts';

/** The original sources: path to digest. */
export type Sources = ReadonlyMap<string, string>;

interface Expected {
  /** The result of `sourcesOf` before the fault. */
  readonly sources: Sources;
  /** How the last run ended. */
  readonly outcome?: Outcome;
  /** Output folders below the test's folder. */
  readonly outs?: readonly string[];
  /** Files in the output folders that the test itself wrote. */
  readonly foreign?: readonly string[];
  /** Outputs that the test removed and that no run had to restore. */
  readonly gone?: readonly string[];
  /** Rejects a file that is not a complete picture. Fake renderers need another check of their files. */
  readonly decode?: (path: string, row: OutputRow) => Promise<unknown>;
}

type OutputRow = Recorded['outputs'][number];

/** Digests of all files in folders below the test's folder. */
export function sourcesOf(place: Pick<Place, 'at'>, ...folders: string[]): Sources {
  const paths = folders.flatMap((folder) =>
    filesBelow(place.at(folder)).map((name) => join(place.at(folder), name)),
  );
  return new Map(paths.filter((path) => lstatSync(path).isFile()).map((path) => [path, hashOf(path)]));
}

/** Invariants I1 to I8. They hold after any fault, once no run is alive and one run has started since the fault. */
export async function assertInvariants(
  place: Pick<Place, 'at' | 'index'>,
  expected: Expected,
): Promise<void> {
  const { sources, outcome, outs = ['out'], gone = [] } = expected;
  for (const [path, digest] of sources) expect(hashOf(path), `I1: ${path} is as before`).toBe(digest);
  const recorded = readIndex(place.index);
  const foreign = new Set((expected.foreign ?? []).map((path) => place.at(path)));
  const found = outs.flatMap((out) => (existsSync(place.at(out)) ? filesIn(place.at(out)) : []));
  const made = new Set(recorded.outputs.filter(isMade).map(({ path }) => path));
  // If the outputs are among the sources, the test can have counted outputs as sources.
  const ours = found.filter((path) => !foreign.has(path) && (!sources.has(path) || made.has(path)));
  await assertFiles(ours, recorded, expected.decode ?? decodes);
  assertOwners(recorded);
  assertCompleted(recorded, new Set(gone.map((path) => place.at(path))));
  expect(
    recorded.jobs.filter(({ state }) => state === 'processing'),
    'I5: no job is processing',
  ).toEqual([]);
  expect(recorded.runs, 'I5: no run is left').toEqual([]);
  assertCounts(recorded);
  expect(recorded.problems, 'I7').toEqual([]);
  if (outcome !== undefined) assertOutcome(outcome, recorded);
}

/** I2, I3 and the first half of I4, checked against the files in the output folders. */
async function assertFiles(
  paths: readonly string[],
  { outputs }: Recorded,
  decode: NonNullable<Expected['decode']>,
): Promise<void> {
  const rows = new Map(outputs.map((row) => [row.path, row]));
  for (const path of paths) {
    expect(path, 'I3: nothing staged is left').not.toMatch(/\.imgtool-[^/]*\.tmp$/);
    const row = rows.get(path);
    expect(row?.checksum ?? undefined, `I4: ${path} has its row`).toBeDefined();
    expect(hashOf(path), `I2: ${path} is as recorded`).toBe(row?.checksum);
    expect(lstatSync(path).size, `I2: ${path} is of the size recorded`).toBe(row?.size);
    const problem = row && (await decode(path, row).then(() => undefined, String));
    expect(problem, `I2: ${path} decodes`).toBeUndefined();
  }
}

/** Decodes the whole file in its recorded format. */
async function decodes(path: string, row: OutputRow): Promise<unknown> {
  await sharp(path).raw().toBuffer();
  const { width, height, format, compression } = await sharp(path).metadata();
  const found = { width, height, format: compression === 'av1' ? 'avif' : format };
  expect(found, `I2: ${path}`).toEqual({ width: row.width, height: row.height, format: row.format });
  return found;
}

/** I4: an output has one owner, also on a case-insensitive disk, and is never a source. */
function assertOwners({ outputs }: Recorded): void {
  const sources = new Set(outputs.filter(isMade).map(({ source }) => source));
  const owners = new Map<string, string>();
  for (const row of outputs) {
    const { key, path, source } = row;
    expect(key, `I4: the row of ${path} has the key of its path`).toBe(foldName(path));
    expect(owners.get(key), `I4: ${path} has one owner`).toBeUndefined();
    owners.set(key, source);
    if (isMade(row)) expect(sources.has(path), `I4: ${path} is no source`).toBe(false);
  }
}

/** I4: all outputs reported as completed exist, and are recorded as the job's own or as its successor's. */
function assertCompleted({ batches, jobs, outputs }: Recorded, gone: ReadonlySet<string>): void {
  const rows = new Map(outputs.map((row) => [row.path, row]));
  const optionsOf = new Map(batches.map((batch) => [batch.id, batch.options]));
  for (const { batch, source, state, outputs: made } of jobs) {
    if (state !== 'completed') continue;
    const wanted = optionsOf.get(batch)?.preset.variants.map(({ name }) => name);
    expect(
      made.map(({ variant }) => variant),
      `I4: every variant of ${source} was made`,
    ).toEqual(wanted);
    for (const { path } of made) {
      if (gone.has(path)) continue;
      expect(existsSync(path), `I4: ${path} of a completed job is there`).toBe(true);
      expect(
        rows.get(path)?.checksum ?? undefined,
        `I4: ${path} of a completed job has its row`,
      ).toBeDefined();
    }
  }
  for (const [path, source] of lastOwners({ batches, jobs })) {
    const owner = rows.get(path)?.source;
    if (!gone.has(path) && existsSync(source)) expect(owner, `I4: ${path} is of its source`).toBe(source);
  }
}

/** The last owner of each output. */
function lastOwners({ batches, jobs }: Pick<Recorded, 'batches' | 'jobs'>): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { id, options } of batches) {
    for (const { batch, source, state, outputs } of jobs) {
      if (batch !== id) continue;
      const isOwn = state === 'completed' || (state === 'duplicate' && options.duplicates !== 'skip');
      if (isOwn) for (const { path } of outputs) owners.set(path, source);
    }
  }
  return owners;
}

function assertCounts({ batches, jobs }: Recorded): void {
  for (const { id, counts, state } of batches) {
    const rows: Record<string, number> = Object.fromEntries(Object.keys(counts).map((name) => [name, 0]));
    for (const job of jobs) if (job.batch === id) rows[job.state] = (rows[job.state] ?? 0) + 1;
    // Unchanged jobs have no rows.
    expect(counts, `I6: counts of batch ${id}`).toEqual({ ...rows, unchanged: counts.unchanged });
    expect(state, `I5: batch ${id} of no live run`).not.toBe('running');
    if (state !== 'finished') continue;
    const left = (counts.pending ?? 0) + (counts.processing ?? 0) + (counts.retrying ?? 0);
    expect(left, `I8: a finished batch has nothing left`).toBe(0);
  }
}

/** I8: the exit code and all reports agree with the records. */
function assertOutcome(outcome: Outcome, { batches, jobs }: Recorded): void {
  const { code, signal } = outcome;
  const events = outcome.stdout.startsWith('{') ? eventsOf(outcome) : [];
  const finished = events.findLast((event) => event.type === 'batch.finished');
  const batch = finished ? batches.find(({ id }) => id === finished.batch) : batches.at(-1);
  const stopped = signal !== null || code === 130 || code === 141;
  // A batch is also finished if the stop came after its last job.
  const isCut = stopped && !(batch?.counts.cancelled === 0 && batch.state === 'finished');
  const state = isCut ? 'cancelled' : code === 3 ? 'interrupted' : 'finished';
  expect(batch?.state, `I8: exit ${signal ?? code}`).toBe(state);
  if (!stopped && code !== 3) {
    const failed = batch?.counts.failed ?? 0;
    expect(code, 'I8: exit code agrees with the failures').toBe(failed > 0 ? 1 : 0);
  }
  if (finished === undefined || batch === undefined) return;
  expect([finished.state, finished.counts], 'I8: the end as reported').toEqual([batch.state, batch.counts]);
  if (batch.command === 'process') assertTold(outcome, { jobs });
}

/** I4, I8: each reported job of `process` is recorded with the same result, however the run ended. */
export function assertTold(outcome: Pick<Outcome, 'stdout'>, { jobs }: Pick<Recorded, 'jobs'>): void {
  // Compare whole paths if the batch was resumed from another folder.
  const states = new Map(
    jobs.flatMap(({ batch, given, source, state }) =>
      [given, source].map((name) => [`${batch} ${name}`, state]),
    ),
  );
  for (const event of eventsOf(outcome)) {
    if (event.type !== 'job' || event.state === 'unchanged') continue;
    expect(states.get(`${event.batch} ${event.source}`), `I8: ${event.source} as reported`).toBe(event.state);
  }
}

/** Excludes a name that is only reserved. */
function isMade({ checksum }: OutputRow): boolean {
  return checksum !== null;
}

function filesIn(folder: string): string[] {
  return filesBelow(folder).map((name) => join(folder, name));
}
