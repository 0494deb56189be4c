import { expect, it } from 'vitest';
import { status } from '../../src/commands/status.ts';
import type { JobRecord, JobState } from '../../src/model.ts';
import { batchOf, recordOf } from '../report/samples.ts';

it('the jobs of a batch are shown by state and name, in whatever order they were worked on', async () => {
  const records = [
    ...['/c', '/a', '/b'].map((source) => recordOf(source, { state: 'failed' })),
    ...['/e', '/d'].map((source) => recordOf(source, { state: 'completed' })),
  ];
  const index = {
    batch: async () => batchOf(),
    batches: async () => [],
    async *jobs(_: string, states: readonly JobState[]) {
      yield* records.filter(({ state }) => states.includes(state));
    },
  };
  const shown = async (all: boolean) => {
    let seen: readonly JobRecord[] = [];
    await status(index, '7f3a9c', { all, watch: false }, async (_, jobs) => {
      seen = jobs;
    });
    return seen.map(({ source }) => source);
  };
  expect(await shown(false)).toEqual(['/a', '/b', '/c']);
  expect(await shown(true)).toEqual(['/d', '/e', '/a', '/b', '/c']);
});
