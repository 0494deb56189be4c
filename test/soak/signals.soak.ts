import { setTimeout as passes } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canSeeProcesses, untilGone, untilWorking, waitedFor } from '../cli/group.ts';
import {
  countsOf,
  eventsOf,
  finishedOf,
  jobsOf,
  openPlace,
  type Place,
  type Session,
} from '../cli/imgtool.ts';
import { assertInvariants, sourcesOf } from '../cli/invariants.ts';
import { commented, noise, putOld } from '../cli/pictures.ts';

const ROUNDS = Array.from({ length: Number(process.env.ROUNDS ?? 20) }, (_, i) => i);
const STAGED = /\.imgtool-[^/]*\.tmp$/;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a first Ctrl-C in a batch of 100', () => {
  const COUNT = 100;
  const BATCH = ['process', '--json', '--jobs', '2', '--out', 'out', 'photos'];
  let one: Buffer;
  const stopped: number[] = [];
  const ended: number[] = [];

  beforeAll(async () => {
    one = await noise(600, 450);
  });

  it.skipIf(!canSeeProcesses).each(ROUNDS)(
    'stops the intake within 100 ms and leaves nothing staged (%i)',
    async (round) => {
      for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
      const sources = sourcesOf(place, 'photos');
      const session = place.start(BATCH);
      await session.jobs(1 + 3 * round);
      await passes(7 * round);
      const stopping = arrival(session, '"type":"stopping"');
      const waited = waitedFor(session.pid);
      const sent = performance.now();
      session.signal('SIGINT', 'group');
      const took = (await stopping) - sent;
      const own = took - (waitedFor(session.pid) - waited);
      stopped.push(took);
      const outcome = await session.ended;
      ended.push(performance.now() - sent);
      expect(own, 'without the time of other programs').toBeLessThan(100);
      expect([outcome.code, outcome.signal, outcome.stderr]).toEqual([null, 'SIGINT', '']);
      // A picture that was begun after the event would have its own result.
      const all = eventsOf(outcome);
      const at = all.findIndex(({ type }) => type === 'stopping');
      const { finishing } = all[at] as Extract<(typeof all)[number], { type: 'stopping' }>;
      // Pictures in the slots, and pictures whose outputs are about to become visible.
      expect(finishing).toBeLessThanOrEqual(4 * 2);
      expect(all.slice(at).filter(({ type }) => type === 'job').length).toBeLessThanOrEqual(finishing);
      const finished = finishedOf(outcome);
      const { completed = 0, cancelled = 0, ...others } = countsOf(outcome);
      expect([finished.state, others, completed + cancelled]).toEqual(['cancelled', {}, COUNT]);
      expect(jobsOf(outcome).filter(({ state }) => state === 'completed')).toHaveLength(completed);
      expect(place.files('out').filter((name) => STAGED.test(name))).toEqual([]);
      expect((await place.status(finished.batch)).batch).toMatchObject({
        state: 'cancelled',
        counts: finished.counts,
      });
      await assertInvariants(place, { sources, outcome });
    },
  );

  afterAll(() => {
    console.log(`ms until it said that it stops: ${list(stopped)}; until it had ended: ${list(ended)}`);
  });
});

describe('a second Ctrl-C during the encode of an AVIF of 4000 x 4000 pixels', () => {
  const BATCH = [
    'process',
    '--json',
    '--jobs',
    '2',
    '--variant',
    'a:w=4000,format=avif',
    '--out',
    'out',
    'photos',
  ];
  let large: Buffer;
  const gone: number[] = [];
  beforeAll(async () => {
    large = await sharp(await noise(1000, 1000, 'png'))
      .resize(4000, 4000)
      .jpeg({ quality: 70 })
      .toBuffer();
  });

  it.skipIf(!canSeeProcesses).each(ROUNDS)('ends all processes within a second (%i)', async (round) => {
    for (const name of ['0', '1']) putOld(place.at(`photos/${name}.jpg`), commented(large, name));
    const sources = sourcesOf(place, 'photos');
    const session = place.start(BATCH);
    await untilWorking(session.pid, 1_500 + 100 * round);
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    await passes(350);
    session.signal('SIGINT', 'group');
    gone.push(await untilGone(session.pid, 1_000));
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal]).toEqual([null, 'SIGINT']);
    expect(outcome.stderr).not.toMatch(/\n\s+at |crashed/);
    const staged = place.files('out').filter((name) => STAGED.test(name));
    expect(jobsOf(outcome).filter(({ state }) => state === 'completed')).toEqual([]);
    const { stdout } = await place.run(['list', '--json']);
    expect(stdout).toMatch(/"state":"(cancelled|interrupted)"/);
    const again = await place.process();
    expect([again.code, countsOf(again), staged]).toEqual([0, { completed: 2 }, []]);
    await assertInvariants(place, { sources, outcome: again });
  });

  afterAll(() => console.log(`ms until all processes were gone: ${list(gone)}`));
});

const list = (numbers: readonly number[]) => numbers.map(Math.round).join(' ');

/** The time at which a text arrives on standard output. */
function arrival({ child }: Session, text: string): Promise<number> {
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: string) => {
      if (chunk.includes(text)) resolve(performance.now());
    });
  });
}
