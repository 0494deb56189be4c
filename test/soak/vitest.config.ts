import { defineConfig } from 'vitest/config';

/** Tests that take too long for every change. They run one file at a time, because each uses the whole machine. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
