import { beforeEach, describe, expect, it } from 'vitest';
import { canSeeProcesses, untilGone, untilWorking } from './group.ts';
import { openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { KINDS, killedAndResumed, type Landing, randomFrom } from './killing.ts';
import { noise, picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a batch whose processes are all killed at a random moment', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const landings: Landing[] = [];

  it.each(KINDS.flatMap((kind, i) => [2 * i, 2 * i + 1].map((round) => ({ kind, round }))))(
    'leaves nothing partial, and is resumed to completion ($kind, $round)',
    async ({ kind, round }) => {
      console.log(`SEED=${seed}`);
      const plan = { kind, count: 12, held: round % 2 === 0 };
      landings.push(await killedAndResumed(place, plan, randomFrom(seed + round)));
    },
  );

  it('was killed while it worked in more than a few rounds', () => {
    const inWork = landings.filter(({ staged, processing }) => staged + processing > 0);
    expect(inWork.length, JSON.stringify(landings)).toBeGreaterThanOrEqual(landings.length / 4);
  });
});

describe('a process killed alone in the middle of an AVIF', () => {
  it.skipIf(!canSeeProcesses)('leaves no child behind that goes on encoding', async () => {
    putOld(place.at('photos/0.jpg'), await noise(1600, 1600));
    putOld(place.at('photos/1.jpg'), await picture());
    const sources = sourcesOf(place, 'photos');
    const slow = [
      'process',
      '--json',
      '--jobs',
      '1',
      '--variant',
      'a:w=1600,format=avif,effort=9',
      '--out',
      'out',
    ];
    const session = place.start([...slow, 'photos']);
    await untilWorking(session.pid, 700);
    session.signal('SIGKILL');
    // Encoding takes far longer.
    await untilGone(session.pid, 8_000);
    expect((await session.ended).signal).toBe('SIGKILL');
    const again = await place.process();
    expect(again.code).toBe(0);
    await assertInvariants(place, { sources, outcome: again });
  });
});
