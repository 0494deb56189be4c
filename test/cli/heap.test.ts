import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const HEAP = new URL('../../dist/cli/heap.js', import.meta.url).href;

/** Makes garbage that lives for a while, as jobs do, before and after the heap is to stay as it is; MB of young objects. */
const CHURN = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { growHeapOnce, keepHeap } from '${HEAP}';
  const held = [];
  const churn = (times) => {
    for (let i = 0; i < times; i++) held[i % 4_000] = { text: String(i).repeat(20), more: [i, i, i] };
  };
  growHeapOnce();
  churn(20_000);
  keepHeap();
  churn(4_000_000);
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  process.stdout.write(String(young.physical_space_size / 2 ** 20));
`;

it('The space of young objects stays small however long a batch is', () => {
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', CHURN], { encoding: 'utf8' });
  // Left alone it grows to 32 MB.
  expect(Number(told)).toBeLessThanOrEqual(8);
});
