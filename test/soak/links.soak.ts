import { afterAll, beforeEach, describe, it, vi } from 'vitest';
import { openPlace, type Place } from '../cli/imgtool.ts';
import { ATTACKS, attack } from '../cli/linking.ts';
import { random } from '../random.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
beforeEach(() => {
  place = openPlace();
});

/** Swaps in each watch. */
const COUNT = 20;

describe(`sources that symbolic links replace at random moments, ${COUNT} in each watch`, () => {
  /** The seed repeats a run, but its times are never quite the same. */
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let swaps = 0;
  console.log(`SEED=${seed}`);

  it.each(ATTACKS)('are skipped, and nothing from outside is rendered: $target $moment', async (one) => {
    await attack(place, one, COUNT, random(seed + ATTACKS.indexOf(one)));
    swaps += COUNT;
  });

  afterAll(() => console.log(`${swaps} of ${ATTACKS.length * COUNT} swaps rendered nothing from outside`));
});
