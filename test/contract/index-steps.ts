import type { BatchOptions, Counts } from '../../src/model.ts';
import type { Index, NewJob, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sourceRecord } from '../records.ts';

/** What the contract tests of an index do with it. */

/** No unchanged sources. */
export const NOTHING = { unchanged: 0, bytesIn: 0, bytesOut: 0 };

/** One index that is opened twice, as by two processes. */
export interface IndexPair {
  readonly one: Index;
  readonly other: Index;
  close(): Promise<void>;
}

let runs = 0;

/** Begins a batch, in a run with an id of its own. */
export function begin(index: Index, options: BatchOptions = batchOptions()): Promise<Run> {
  const run = `${(++runs).toString(16).padStart(4, '0')}abcd`;
  return index.begin({ run, command: 'process', inputs: ['photos'], cwd: '/', options });
}

/** The end of a job. */
export function settled(over: Partial<Settlement> & Pick<Settlement, 'state'>): Settlement {
  return { made: [], skipped: [], outputs: [], ...over };
}

export async function takeOne(index: Index, run: Run) {
  return (await index.take(run, 1, Date.now()))[0]!;
}

/** Adds one job and ends it like this. */
export async function endJob(index: Index, run: Run, job: NewJob, end: Settlement): Promise<void> {
  await index.add(run, [job], NOTHING);
  await index.settle(run, await takeOne(index, run), end);
}

/** Adds a job of one source with one output, and completes it. */
export function completeJob(index: Index, run: Run, name: string): Promise<void> {
  const source = sourceRecord(`/photos/${name}`);
  const made = [outputRecord(`/out/${name}_small.webp`, source.path)];
  return endJob(index, run, newJob(name), settled({ state: 'completed', source, made }));
}

/** The counts of a batch, without the states that have no jobs. */
export async function countsIn(index: Index, { batch }: Run): Promise<Partial<Counts>> {
  const all = Object.entries((await index.batch(batch)).counts);
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

export async function sourcesBelow(index: Index, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of index.sourcesBelow(folder)) paths.push(path);
  return paths;
}
