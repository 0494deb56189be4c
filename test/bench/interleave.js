import { run, tell } from './run.js';

/** To be said beside figures. */
export const SYNCED = '`sync` before each run';

/**
 * Runs ways in turn, A B A B …, so that what the machine does besides falls on all alike. What the one before has left to
 * be written is written first: a way that syncs would wait for it. The first round fills caches and is not counted; it
 * may have been gone through before. Resolves with the milliseconds of each way by its name.
 */
export async function interleave(ways, rounds, isWarm = false) {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = isWarm ? 1 : 0; round <= rounds; round++) {
    for (const [name, once] of Object.entries(ways)) {
      await run('sync', []);
      const ms = await once(round);
      tell(
        `  ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name} ${(ms / 1000).toFixed(2)} s`,
      );
      if (round > 0) times[name].push(ms);
    }
  }
  return times;
}
