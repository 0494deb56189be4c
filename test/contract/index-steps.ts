import type { BatchOptions } from '../../src/model.ts';
import type { Index, Run, Settlement } from '../../src/ports.ts';
import { batchOptions } from '../records.ts';

/** What the contract tests of an index do with it. */

/** No unchanged sources. */
export const NOTHING = { unchanged: 0, bytesIn: 0, bytesOut: 0, degraded: [] };

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
