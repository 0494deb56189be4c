import { setTimeout as passes } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/model.ts';
import { type Gate, makeGate } from './gate.ts';
import { canSeeProcesses, until, untilGone } from './group.ts';
import { countsOf, finishedOf, jobsOf, openPlace, type Place, type Session, SMALL } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

/** Milliseconds. Before this time, a second Ctrl-C counts as a repeat of the first one. */
const SAME_SIGNAL = 300;
/** A staged file: written and not yet visible under its final name. */
const STAGED = /\.imgtool-.*\.tmp$/;

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe('a batch that receives a signal', () => {
  const BATCH = ['process', '--json', '--jobs', '2', '--out', 'out', 'photos'];
  const COUNT = 12;
  let sources: Sources;
  let gate: Gate;
  beforeEach(async () => {
    gate = makeGate(place);
    const one = await noise(120, 90);
    for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
    sources = sourcesOf(place, 'photos');
  });

  /** One picture is completed, and two are in work until the gate opens. */
  async function begun(args: readonly string[] = BATCH): Promise<Session> {
    const session = place.start(args, gate);
    await (args === BATCH ? session.event('job') : session.line(/completed/, 'stderr'));
    await gate.held(session, 2);
    return session;
  }

  it.each([
    ['SIGINT', 'group'],
    ['SIGINT', 'process'],
    ['SIGTERM', 'process'],
    ['SIGTERM', 'group'],
    ['SIGHUP', 'group'],
  ] as const)('by %s to the %s finishes its work, cancels the rest and ends by it', async (signal, to) => {
    const session = await begun();
    session.signal(signal, to);
    await session.event('stopping');
    gate.open();
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([null, signal]);
    expect(outcome.stderr).not.toMatch(/\n\s+at |error/);
    const finished = finishedOf(outcome);
    expect(finished.state).toBe('cancelled');
    const { completed = 0, cancelled = 0, ...others } = countsOf(outcome);
    expect([others, completed + cancelled]).toEqual([{}, COUNT]);
    expect(cancelled).toBeGreaterThanOrEqual(COUNT - 3);
    const completedJobs = jobsOf(outcome).filter(({ state }) => state === 'completed');
    expect(completedJobs).toHaveLength(completed);
    expect(place.files('out')).toHaveLength(completed * 3);
    expect((await place.status(finished.batch)).batch).toMatchObject({
      state: 'cancelled',
      counts: finished.counts,
    });
    await assertInvariants(place, { sources, outcome });
  });

  it('reports how many pictures it finishes and cancels, and does exactly that', async () => {
    const session = await begun();
    session.signal('SIGINT', 'group');
    const stopping = (await session.event('stopping')) as Extract<Event, { type: 'stopping' }>;
    gate.open();
    const outcome = await session.ended;
    const all = outcome.stdout.split('\n');
    const at = all.findIndex((line) => line.includes('"type":"stopping"'));
    const after = jobsOf({ stdout: all.slice(at).join('\n') });
    expect(stopping).toMatchObject({ finishing: 2, dropping: COUNT - 3 });
    expect(after.length).toBeLessThanOrEqual(stopping.finishing);
    expect(countsOf(outcome).cancelled).toBeGreaterThanOrEqual(stopping.dropping);
  });

  it('shows on the screen that it stops and how to continue', async () => {
    const session = await begun([...BATCH.filter((arg) => arg !== '--json'), '--verbose']);
    session.signal('SIGINT', 'group');
    await session.line(/stopping/, 'stderr');
    gate.open();
    const { stderr, signal } = await session.ended;
    expect(signal).toBe('SIGINT');
    expect(stderr).toContain(`stopping: finishing 2, dropping ${COUNT - 3}`);
    expect(stderr).toContain('run the same command again to go on');
  });

  it('is completed by the same command', async () => {
    const session = await begun();
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    gate.open();
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
  const batch = (variant: string[]) => ['process', '--json', ...variant, '--out', 'out', 'photos'];

  it('ends the batch at once while a picture is encoded, leaves no staged file and a correct index', async () => {
    for (const seed of [0, 1]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    const sources = sourcesOf(place, 'photos');
    // The second output never comes.
    const gate = makeGate(place, { before: 'out', free: 1, endless: true });
    const session = place.start(batch(['--jobs', '1', '--timeout', '1h', ...SMALL]), gate);
    await gate.held(session);
    const staged = () => place.files('out').filter((name) => STAGED.test(name));
    await until('the first output is staged', () => staged().length === 1);
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    await passes(SAME_SIGNAL + 100);
    session.signal('SIGINT', 'group');
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([null, 'SIGINT']);
    expect(outcome.stderr).not.toMatch(/\n\s+at |crashed/);
    expect(place.files('out')).toEqual([]);
    if (canSeeProcesses) await untilGone(session.pid);
    const listed = await place.run(['list', '--json']);
    expect(listed.stdout).toContain('"state":"cancelled"');
    const again = await place.run(batch(SMALL));
    expect([again.code, countsOf(again)]).toEqual([0, { completed: 2 }]);
    await assertInvariants(place, { sources, outcome: again });
  });

  /** What happens to a picture in work when a second Ctrl-C follows the first one at once. */
  async function twiceAtOnce(): Promise<string> {
    place = openPlace();
    for (const seed of [0, 1]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    const sources = sourcesOf(place, 'photos');
    const gate = makeGate(place);
    const session = place.start(batch(['--jobs', '1', '--variant', 'a:w=30']), gate);
    await gate.held(session);
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    session.signal('SIGINT', 'group');
    gate.open();
    const outcome = await session.ended;
    expect(outcome.signal, outcome.stderr).toBe('SIGINT');
    await assertInvariants(place, { sources, outcome });
    return finishedOf(outcome).counts.completed === 2 ? 'completed' : 'cancelled';
  }

  it('counts as the first one if it follows at once, as under `npm start`', async () => {
    // On a busy machine the signal can arrive too late for that.
    const ends: string[] = [];
    while (!ends.includes('completed') && ends.length < 5) ends.push(await twiceAtOnce());
    expect(ends).toContain('completed');
  });
});
