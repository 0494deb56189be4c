import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { canSeeProcesses, untilGone, untilWorking } from '../cli/group.ts';
import { openPlace, type Place } from '../cli/imgtool.ts';
import { assertInvariants, sourcesOf } from '../cli/invariants.ts';
import { KINDS, killedAndResumed, type Landing, randomFrom } from '../cli/killing.ts';
import { noise, picture, putOld } from '../cli/pictures.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a batch of 40 whose processes are all killed at a random moment', () => {
  const rounds = Number(process.env.ROUNDS ?? 200);
  /** ROUNDS=1 and a seed repeat a single round. */
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const landings: Landing[] = [];
  console.log(`SEED=${seed}`);

  it.each(Array.from({ length: rounds }, (_, i) => seed + i))(
    'leaves nothing partial and is resumed to completion (SEED=%i)',
    async (seedOfRound) => {
      const kind = KINDS[seedOfRound % KINDS.length]!;
      landings.push(await killedAndResumed(place, { kind, count: 40 }, randomFrom(seedOfRound)));
    },
  );

  it('was killed with a staged file or a picture in work in three of four rounds', () => {
    const inWork = landings.filter(({ staged, processing }) => staged + processing > 0);
    expect(landings).toHaveLength(rounds);
    expect(inWork.length).toBeGreaterThanOrEqual(Math.floor(rounds * 0.75));
  });

  afterAll(() => {
    const moments = landings.map(
      ({ at, reported, staged, processing }) => `${at}ms/${reported}/${staged}s/${processing}p`,
    );
    console.log(`moments (after the start/results/files staged/jobs processing):\n${moments.join(' ')}`);
    console.log(`by results reported:\n${histogram(landings.map(({ reported }) => reported))}`);
    const count = (is: (landing: Landing) => boolean) => landings.filter(is).length;
    const staged = count((one) => one.staged > 0);
    const inWork = count((one) => one.staged + one.processing > 0);
    const unbegun = count((one) => !one.begun);
    console.log(
      `${landings.length} kills: ${inWork} in work, ${staged} with a file staged, ${unbegun} out of a batch`,
    );
  });
});

describe('a parent process that is killed alone during the encode of an AVIF', () => {
  const took: number[] = [];

  it.skipIf(!canSeeProcesses).each(Array.from({ length: 10 }, (_, i) => i))(
    'leaves no child process for longer than a second (%i)',
    async (round) => {
      putOld(place.at('photos/0.jpg'), await noise(3000, 3000));
      putOld(place.at('photos/1.jpg'), await picture());
      const sources = sourcesOf(place, 'photos');
      const slow = [
        'process',
        '--json',
        '--jobs',
        '2',
        '--variant',
        'a:w=3000,format=avif,effort=9',
        '--out',
        'out',
      ];
      const session = place.start([...slow, 'photos']);
      await untilWorking(session.pid, 800 + 300 * round);
      session.signal('SIGKILL');
      took.push(Math.round(await untilGone(session.pid, 1_000)));
      await session.ended;
      const again = await place.process();
      expect(again.code).toBe(0);
      await assertInvariants(place, { sources, outcome: again });
    },
  );

  afterAll(() => console.log(`gone after ms: ${took.join(' ')}`));
});

function histogram(numbers: readonly number[]): string {
  const rows = [0, 5, 10, 15, 20, 25, 30, 35, 40];
  return rows
    .map((from) => {
      const found = numbers.filter((one) => one >= from && one < from + 5).length;
      return `${String(from).padStart(4)} ${'#'.repeat(found)} ${found}`;
    })
    .join('\n');
}
