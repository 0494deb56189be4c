import { defineConfig } from 'vitest/config';

/** What takes longer than every change may wait for. One file after the other: each uses the whole machine. */
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
