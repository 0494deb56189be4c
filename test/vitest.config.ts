import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the results as JSON, besides those shown. */
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many tests start processes that use all cores by themselves; as many wait for a while, which one more makes use of.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    // Generous: on a busy machine a test takes several times as long, and none is about time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
