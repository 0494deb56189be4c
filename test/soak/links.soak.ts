import { afterAll, beforeEach, describe, it, vi } from 'vitest';
import { openPlace, type Place } from '../cli/imgtool.ts';
import { ATTACKS, type Attack, attack } from '../cli/linking.ts';
import { random } from '../random.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a source that a symbolic link takes the place of at a random moment', () => {
  const rounds = Number(process.env.ROUNDS ?? 200);
  /** One round alone is repeated with its seed and ROUNDS=1. */
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const done = new Map<string, number>();
  console.log(`SEED=${seed}`);

  it.each(Array.from({ length: rounds }, (_, i) => seed + i))(
    'is passed over, and nothing from outside is rendered (SEED=%i)',
    async (seedOfRound) => {
      const one: Attack = ATTACKS[seedOfRound % ATTACKS.length]!;
      await attack(place, one, random(seedOfRound));
      const kind = `${one.target} swapped ${one.moment}`;
      done.set(kind, (done.get(kind) ?? 0) + 1);
    },
  );

  afterAll(() => {
    const sum = [...done.values()].reduce((so, each) => so + each, 0);
    console.log(`${sum} of ${rounds} swaps rendered nothing from outside:`);
    for (const [kind, count] of done) console.log(`  ${kind}: ${count}`);
  });
});
