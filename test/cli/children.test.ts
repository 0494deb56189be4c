import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { canSeeProcesses, sizeOf } from './group.ts';
import { countsOf, eventsOf, finishedOf, has, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { picture, putOld } from './pictures.ts';

/** A child process that dies or hangs costs only its own picture an attempt. */

const FIRST = 'photos/0.jpg';
const OTHERS = ['photos/1.jpg', 'photos/2.jpg', 'photos/3.jpg'];
const ALL = [FIRST, ...OTHERS];
const batch = (variant: string, jobs = 2) => [
  ...['process', '--json', '--jobs', String(jobs), '--variant', variant, '--out', 'out'],
];

/** Bytes that suffice for a small picture and not for a large one. */
const ROOM = 12 * 2 ** 20;

let place: Place;
let sources: Sources;

async function putPictures(first: Buffer): Promise<void> {
  place = openPlace();
  putOld(place.at(FIRST), first);
  for (const [i, other] of OTHERS.entries()) putOld(place.at(other), await picture({ seed: i + 1 }));
  sources = sourcesOf(place, 'photos');
}

async function attemptsOf(id: string): Promise<Record<string, unknown>> {
  const { jobs } = await place.status(id, '--all');
  return Object.fromEntries(
    jobs.map(({ source, attempts }) => [source.slice(place.cwd.length + 1), attempts]),
  );
}

describe('a child process that dies while it renders a picture', () => {
  beforeEach(async () => putPictures(await picture({ seed: 9 })));

  it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)(
    'by %s costs only this picture an attempt',
    async (signal) => {
      // Two pictures are encoded and not yet written.
      const gate = makeGate(place, { before: 'out/', free: 0 });
      const session = place.start([...batch('a:w=40'), 'photos'], gate);
      const [child] = await gate.held(session, 2);
      process.kill(child!, signal);
      const [retrying] = await session.events('job.retrying', 1);
      const { source } = retrying!;
      expect(retrying).toMatchObject({ attempts: 1, error: { code: 'worker_crashed' } });
      gate.open();
      const outcome = await session.ended;
      expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 4 }]);
      const attempts = Object.fromEntries(ALL.map((one) => [one, one === source ? 2 : 1]));
      for (const one of ALL)
        expect(jobOf(outcome, one)).toMatchObject({ state: 'completed', attempts: attempts[one] });
      expect(await attemptsOf(finishedOf(outcome).batch)).toEqual(attempts);
      await assertInvariants(place, { sources, outcome });
    },
  );

  it('at every attempt fails only this picture, after three attempts', async () => {
    const gate = makeGate(place, { before: FIRST, free: 0 });
    const session = place.start([...batch('a:w=40'), 'photos'], gate);
    for (let tries = 1; tries <= 3; tries++) {
      const children = await gate.held(session, tries);
      process.kill(children.at(-1)!, 'SIGKILL');
    }
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 3, failed: 1 }]);
    expect(jobOf(outcome, FIRST)).toMatchObject({
      ...{ state: 'failed', attempts: 3 },
      error: { code: 'worker_crashed', fix: expect.any(String) },
    });
    expect(place.files('out')).toEqual(['1_a.webp', '2_a.webp', '3_a.webp']);
    expect(await attemptsOf(finishedOf(outcome).batch)).toEqual({
      ...Object.fromEntries(OTHERS.map((one) => [one, 1])),
      [FIRST]: 3,
    });
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(!canSeeProcesses || !has('prlimit'))(
    'because it lacks memory costs only this picture an attempt (needs prlimit and /proc)',
    async () => {
      const [large = ''] = OTHERS;
      putOld(place.at(large), await picture({ width: 4000, height: 3000 }));
      sources = sourcesOf(place, 'photos');
      const gate = makeGate(place, { before: large, free: 0 });
      const session = place.start([...batch('a:w=4000,format=jpeg', 1), 'photos'], gate);
      const [child] = await gate.held(session);
      execFileSync('prlimit', ['--pid', String(child), `--as=${sizeOf(child!) + ROOM}`]);
      gate.open();
      const outcome = await session.ended;
      expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 4 }]);
      const retried = eventsOf(outcome).filter((event) => event.type === 'job.retrying');
      expect(retried.map(({ source, attempts }) => [source, attempts])).toEqual([[large, 1]]);
      expect(['worker_crashed', 'out_of_memory']).toContain(retried[0]?.error.code);
      expect(jobOf(outcome, large)).toMatchObject({ state: 'completed', attempts: 2 });
      await assertInvariants(place, { sources, outcome });
    },
  );
});

describe('a picture beyond the deadline', () => {
  beforeEach(async () => putPictures(await picture({ seed: 9 })));

  it('fails, the others are rendered, and no child process keeps running', async () => {
    // Its child process waits at the gate until the deadline, while a busy machine cannot slow the others down so far.
    const gate = makeGate(place, { before: FIRST, free: 0 });
    const session = place.start([...batch('a:w=40'), '--timeout', '10', 'photos'], gate);
    const outcome = await session.ended;
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([1, { completed: 3, failed: 1 }]);
    expect(jobOf(outcome, FIRST)).toMatchObject({
      ...{ state: 'failed', attempts: 1 },
      error: { code: 'timeout', fix: expect.stringContaining('--timeout') },
    });
    expect(() => process.kill(-session.pid, 0), 'no process of the group is left').toThrow('ESRCH');
    expect(place.files('out')).toEqual(['1_a.webp', '2_a.webp', '3_a.webp']);
    await assertInvariants(place, { sources, outcome });
  });
});
