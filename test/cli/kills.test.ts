import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { canSeeProcesses, untilGone } from './group.ts';
import { openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { KINDS, killedAndResumed, type Landing, randomFrom } from './killing.ts';
import { picture, putOld } from './pictures.ts';

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

  it('was killed during work in more than a few rounds', () => {
    const inWork = landings.filter(({ staged, processing }) => staged + processing > 0);
    expect(inWork.length, JSON.stringify(landings)).toBeGreaterThanOrEqual(landings.length / 4);
  });
});

describe('a parent process that is killed alone during an encode', () => {
  it.skipIf(!canSeeProcesses)('leaves no child process that continues to encode', async () => {
    for (const seed of [0, 1]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    const sources = sourcesOf(place, 'photos');
    // A child that waits for the end of its encode never ends.
    const gate = makeGate(place, { before: 'out', free: 0, endless: true });
    const session = place.start(['process', '--json', ...SMALL, '--out', 'out', 'photos'], gate);
    await gate.held(session);
    session.signal('SIGKILL');
    await untilGone(session.pid);
    expect((await session.ended).signal).toBe('SIGKILL');
    const again = await place.process();
    expect(again.code).toBe(0);
    await assertInvariants(place, { sources, outcome: again });
  });
});
