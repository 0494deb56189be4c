import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** `.ci/run` sets this path to get the results as JSON too. */
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many tests start processes that use all cores. As many wait for a while, so one more test at a time saves time.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    // Generous, because a test takes several times as long on a busy machine, and no test measures time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
