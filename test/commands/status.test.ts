import { expect, it } from 'vitest';
import { byStateAndName } from '../../src/commands/status.ts';
import { recordOf } from '../report/samples.ts';

it('shows the jobs of a batch by state and name, in whatever order they were worked on', () => {
  const records = [
    ...['/c', '/a', '/b'].map((source) => recordOf(source, { state: 'failed' })),
    ...['/e', '/d'].map((source) => recordOf(source, { state: 'completed' })),
  ];
  expect(byStateAndName(records).map(({ source }) => source)).toEqual(['/d', '/e', '/a', '/b', '/c']);
});
