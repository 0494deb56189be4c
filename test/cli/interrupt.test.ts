import { setImmediate as breathe } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model.ts';
import { countsOf, finishedOf, jobOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

/** Sooner than this a second Ctrl-C is the first one, delivered twice; milliseconds. */
const SAME_SIGNAL = 300;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a batch that is told to stop', () => {
  const BATCH = ['process', '--json', '--jobs', '2', '--out', 'out', 'photos'];
  const COUNT = 24;
  let sources: Sources;
  beforeEach(async () => {
    const one = await noise(480, 360);
    for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
    sources = sourcesOf(place, 'photos');
  });

  it.each([
    ['SIGINT', 'group'],
    ['SIGINT', 'process'],
    ['SIGTERM', 'process'],
    ['SIGTERM', 'group'],
    ['SIGHUP', 'group'],
  ] as const)('by %s to the %s finishes what runs, cancels the rest and ends by it', async (signal, to) => {
    const session = place.start(BATCH);
    await session.event('job');
    session.signal(signal, to);
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([null, signal]);
    expect(outcome.stderr).not.toMatch(/\n\s+at |error/);
    const finished = finishedOf(outcome);
    expect(finished.state).toBe('cancelled');
    const { completed = 0, cancelled = 0, ...others } = countsOf(outcome);
    expect([others, completed + cancelled]).toEqual([{}, COUNT]);
    expect(cancelled).toBeGreaterThan(COUNT / 3);
    const completedJobs = jobsOf(outcome).filter(({ state }) => state === 'completed');
    expect(completedJobs).toHaveLength(completed);
    expect(place.files('out')).toHaveLength(completed * 3);
    expect((await place.status(finished.batch)).batch).toMatchObject({
      state: 'cancelled',
      counts: finished.counts,
    });
    await assertInvariants(place, { sources, outcome });
  });

  it('says how many pictures it finishes and drops, and keeps to it', async () => {
    const session = place.start(BATCH);
    await session.event('job');
    session.signal('SIGINT', 'group');
    const stopping = (await session.event('stopping')) as Extract<Event, { type: 'stopping' }>;
    const outcome = await session.ended;
    const all = outcome.stdout.split('\n');
    const at = all.findIndex((line) => line.includes('"type":"stopping"'));
    const after = jobsOf({ stdout: all.slice(at).join('\n') });
    expect(stopping.finishing).toBeLessThanOrEqual(2);
    expect(after.length).toBeLessThanOrEqual(stopping.finishing);
    expect(countsOf(outcome).cancelled).toBeGreaterThanOrEqual(stopping.dropping);
  });

  it('says on the screen that it stops and how to go on', async () => {
    const session = place.start([...BATCH.filter((arg) => arg !== '--json'), '--verbose']);
    await session.line(/completed/, 'stderr');
    session.signal('SIGINT', 'group');
    const { stderr, signal } = await session.ended;
    expect(signal).toBe('SIGINT');
    expect(stderr).toMatch(/stopping: finishing \d+, dropping \d+/);
    expect(stderr).toContain('run the same command again to go on');
  });

  it('is completed by the same command', async () => {
    const session = place.start(BATCH);
    await session.event('job');
    session.signal('SIGINT', 'group');
    const { completed = 0 } = countsOf(await session.ended);
    const again = await place.run(BATCH);
    expect([again.code, countsOf(again)]).toEqual([
      0,
      { completed: COUNT - completed, unchanged: completed },
    ]);
    await assertInvariants(place, { sources, outcome: again });
  });
});

describe('a second Ctrl-C', () => {
  const slow = (effort: number) => ['--jobs', '1', '--variant', `a:w=3000,format=avif,effort=${effort}`];
  const batch = (variant: string[]) => ['process', '--json', ...variant, '--out', 'out', 'photos'];

  async function passes(milliseconds: number, since: number): Promise<void> {
    while (performance.now() - since < milliseconds) await breathe();
  }

  it('ends it at once while a picture is encoded: nothing staged is left, the index is right', async () => {
    putOld(place.at('photos/0.jpg'), await picture());
    putOld(place.at('photos/1.jpg'), await noise(3000, 3000));
    const sources = sourcesOf(place, 'photos');
    const session = place.start(batch(slow(9)));
    await session.event('job');
    const first = performance.now();
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    await passes(SAME_SIGNAL + 100, first);
    const second = performance.now();
    session.signal('SIGINT', 'group');
    const outcome = await session.ended;
    expect(performance.now() - second).toBeLessThan(2_000);
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([null, 'SIGINT']);
    expect(outcome.stderr).not.toMatch(/\n\s+at |crashed/);
    expect(place.files('out')).toEqual(['0_a.avif']);
    expect(() => process.kill(-session.pid, 0), 'no process of the group is left').toThrow('ESRCH');
    const listed = await place.run(['list', '--json']);
    expect(listed.stdout).toContain('"state":"cancelled"');
    const again = await place.run(batch(['--variant', 'a:w=30,format=avif']));
    expect([again.code, countsOf(again)]).toEqual([0, { completed: 2 }]);
    await assertInvariants(place, { sources, outcome: again });
  });

  it('is the first one when it comes at once, as under `npm start`', async () => {
    putOld(place.at('photos/0.jpg'), await picture());
    putOld(place.at('photos/1.jpg'), await noise(700, 500));
    const sources = sourcesOf(place, 'photos');
    const session = place.start(batch(slow(3)));
    await session.event('job');
    const first = performance.now();
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    session.signal('SIGINT', 'group');
    expect(performance.now() - first).toBeLessThan(SAME_SIGNAL);
    const outcome = await session.ended;
    expect([outcome.signal, jobOf(outcome, 'photos/1.jpg').state]).toEqual(['SIGINT', 'completed']);
    await assertInvariants(place, { sources, outcome });
  });
});
