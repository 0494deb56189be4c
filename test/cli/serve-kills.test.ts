import { expect, it } from 'vitest';
import { killedAmongUploads } from './serve-killing.ts';

it.each([16, 61])(
  'a service that is killed among uploads loses and repeats nothing (seed %i)',
  async (seed) => {
    const report = await killedAmongUploads({ kills: 4, uploads: 20, seed, life: 1_500 });
    expect(report).toMatch(/4 of 4$/);
  },
);
