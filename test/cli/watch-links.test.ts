import { beforeEach, describe, it } from 'vitest';
import { random } from '../random.ts';
import { openPlace, type Place } from './imgtool.ts';
import { ATTACKS, attack } from './linking.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

/** Swaps in each watch. */
const COUNT = 2;

describe('a source that a symbolic link replaces', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

  it.each(ATTACKS.map((one, i) => ({ ...one, seed: seed + i })))(
    'is skipped: its $target swapped $moment (SEED=$seed)',
    async ({ seed: own, ...one }) => {
      await attack(place, one, COUNT, random(own));
    },
  );
});
