import { it, vi } from 'vitest';
import { killedAmongUploads } from '../cli/serve-killing.ts';

vi.setConfig({ testTimeout: 3_600_000 });

const KILLS = Number(process.env.ROUNDS ?? 100);
const UPLOADS = Number(process.env.UPLOADS ?? 5 * KILLS);
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const LIFE = Number(process.env.LIFE ?? 1_500);

it(`a service that is killed ${KILLS} times among ${UPLOADS} uploads loses and repeats nothing`, async () => {
  console.log(`SEED=${SEED}`);
  console.log(await killedAmongUploads({ kills: KILLS, uploads: UPLOADS, seed: SEED, life: LIFE }));
});
