import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { everyKind, type Sample } from '../cli/every-kind.ts';
import { processDamaged, type Tally } from '../cli/fuzzing.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 60_000 });

/** FUZZ_COUNT files in folders of one thousand, generated from FUZZ_SEED. */
const COUNT = Number(process.env.FUZZ_COUNT ?? 20_000);
const FOLDER = 1_000;
const SEED = Number(process.env.FUZZ_SEED) || Math.floor(Math.random() * 1_000_000);

let groups: Sample[][];
const tallies: Tally[] = [];
beforeAll(async () => {
  groups = await everyKind();
  console.info(`FUZZ_SEED=${SEED}, ${COUNT} files made from ${groups.flat().length} pictures`);
});
afterAll(() => {
  const total: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [how, count] of Object.entries(tally)) total[how] = (total[how] ?? 0) + count;
  }
  console.info(`FUZZ_SEED=${SEED}:`, total);
});

const folders = Array.from({ length: Math.ceil(COUNT / FOLDER) }, (_, i) => i * FOLDER);

it.each(folders)(
  'damaged pictures from number %d on are refused or rendered, and nothing else happens',
  async (first) => {
    const count = Math.min(FOLDER, COUNT - first);
    // Every second folder runs with --lenient.
    const args = (first / FOLDER) % 2 === 0 ? [] : ['--lenient'];
    const tally = await processDamaged(groups, { seed: SEED, first, count }, ...args);
    tallies.push(tally);
    expect(Object.values(tally).reduce((sum, n) => sum + n, 0)).toBe(count);
  },
);
