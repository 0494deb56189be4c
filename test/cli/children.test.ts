import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, finishedOf, has, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { noise, picture, putOld } from './pictures.ts';
import { busyChildOf, canSee, sizeOf } from './processes.ts';

/** Children that die or do not come to an end: each costs its own picture a try, and no other anything. */

/** The first to be taken, and in work while the others come and go. */
const SLOW = 'photos/0.jpg';
const OTHERS = ['photos/1.jpg', 'photos/2.jpg', 'photos/3.jpg'];
const ARGS = [
  'process',
  '--json',
  '--jobs',
  '2',
  '--variant',
  'a:w=3000,format=avif,effort=3',
  '--out',
  'out',
];

/** Hundredths of a second of processor time after which a child has loaded what it works with. */
const STARTED = 40;
/** Bytes for a small picture, and not for a large one. */
const ROOM = 30 * 2 ** 20;

let place: Place;
let sources: Sources;

async function putPictures(slow: Buffer): Promise<void> {
  place = openPlace();
  putOld(place.at(SLOW), slow);
  for (const [i, other] of OTHERS.entries()) putOld(place.at(other), await picture({ seed: i + 1 }));
  sources = sourcesOf(place, 'photos');
}

async function attemptsOf(batch: string): Promise<Record<string, unknown>> {
  const { jobs } = await place.status(batch, '--all');
  return Object.fromEntries(
    jobs.map(({ source, attempts }) => [source.slice(place.cwd.length + 1), attempts]),
  );
}

describe.skipIf(!canSee)('a child that dies in the midst of a picture (seen in /proc)', () => {
  beforeEach(async () => putPictures(await noise(1700, 1200)));

  it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)(
    'of %s costs only this picture a try',
    async (signal) => {
      const session = place.start([...ARGS, 'photos']);
      process.kill(await busyChildOf(session.pid), signal);
      const retrying = await session.event('job.retrying');
      expect(retrying).toMatchObject({ source: SLOW, attempts: 1, error: { code: 'worker_crashed' } });
      const outcome = await session.ended;
      expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 4 }]);
      expect(jobOf(outcome, SLOW)).toMatchObject({ state: 'completed', attempts: 2 });
      for (const other of OTHERS) expect(jobOf(outcome, other)).toMatchObject({ attempts: 1 });
      expect(await attemptsOf(finishedOf(outcome).batch)).toMatchObject({ [SLOW]: 2, [OTHERS[0]!]: 1 });
      await assertInvariants(place, { sources, outcome });
    },
  );

  it('at each of its tries gives this picture up after three, and no other', async () => {
    const session = place.start([...ARGS, 'photos']);
    let child = await busyChildOf(session.pid);
    for (let tries = 1; tries <= 3; tries++) {
      process.kill(child, 'SIGKILL');
      if (tries < 3) {
        await session.events('job.retrying', tries);
        child = await busyChildOf(session.pid);
      }
    }
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 3, failed: 1 }]);
    expect(jobOf(outcome, SLOW)).toMatchObject({
      ...{ state: 'failed', attempts: 3 },
      error: { code: 'worker_crashed', fix: expect.any(String) },
    });
    expect(place.files('out')).toEqual(['1_a.avif', '2_a.avif', '3_a.avif']);
    expect(await attemptsOf(finishedOf(outcome).batch)).toMatchObject({ [SLOW]: 3, [OTHERS[0]!]: 1 });
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(!has('prlimit'))('for want of memory costs only this picture a try (prlimit)', async () => {
    // The first keeps its child busy until that has its limit, which suffices for all but the second.
    putOld(place.at(SLOW), await noise(700, 500));
    const large = 'photos/1.jpg';
    putOld(place.at(large), await noise(6000, 4000));
    sources = sourcesOf(place, 'photos');
    const variant = 'a:w=6000,format=avif,effort=0';
    const args = ['process', '--json', '--jobs', '1', '--variant', variant, '--out', 'out', 'photos'];
    const session = place.start(args);
    const child = await busyChildOf(session.pid, STARTED);
    execFileSync('prlimit', ['--pid', String(child), `--as=${sizeOf(child) + ROOM}`]);
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 4 }]);
    const retried = eventsOf(outcome).filter((event) => event.type === 'job.retrying');
    expect(retried.map(({ source, attempts }) => [source, attempts])).toEqual([[large, 1]]);
    expect(['worker_crashed', 'out_of_memory']).toContain(retried[0]?.error.code);
    expect(jobOf(outcome, large)).toMatchObject({ state: 'completed', attempts: 2 });
    await assertInvariants(place, { sources, outcome });
  });
});

describe('a picture beyond the deadline', () => {
  beforeEach(async () => putPictures(await noise(4000, 4000)));

  it('fails, while the others are rendered and nothing goes on behind its back', async () => {
    const args = ARGS.map((arg) => arg.replace('effort=3', 'effort=9').replace('3000', '4000'));
    const session = place.start([...args, '--timeout', '4', 'photos']);
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 3, failed: 1 }]);
    expect(jobOf(outcome, SLOW)).toMatchObject({
      ...{ state: 'failed', attempts: 1 },
      error: { code: 'timeout', fix: expect.stringContaining('--timeout') },
    });
    expect(() => process.kill(-session.pid, 0), 'no process of the group is left').toThrow('ESRCH');
    expect(place.files('out')).toEqual(['1_a.avif', '2_a.avif', '3_a.avif']);
    await assertInvariants(place, { sources, outcome });
  });
});
