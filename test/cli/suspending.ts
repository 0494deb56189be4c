import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import { makeGate } from './gate.ts';
import { membersOf, until } from './group.ts';
import { countsOf, jobsOf, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, picture, putOld } from './pictures.ts';

const COUNT = 4;
const STAGED = /\.imgtool-[^/]*\.tmp$/;

/**
 * Suspends a batch with all its processes for this long, during two pictures with one staged output, and continues it.
 * Nothing times out and nothing is done twice. Meanwhile other processes on the index take none of its jobs and remove
 * none of its staged files.
 */
export async function assertUnharmedBy(pause: number, place: Place, ...more: string[]): Promise<void> {
  const one = await picture();
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  putOld(place.at('others/x.jpg'), await picture());
  const sources = sourcesOf(place, 'photos', 'others');
  const batchOf = (from: string) => [
    'process',
    '--json',
    '--jobs',
    '2',
    ...SMALL,
    ...more,
    '--out',
    'out',
    from,
  ];

  const gate = makeGate(place, { before: 'out/' });
  const session = place.start(batchOf('photos'), gate);
  const begun = (await session.events('batch.started', 1))[0]!;
  // One of four outputs is written.
  await gate.held(session, 3);
  await until('a file that is staged', () => stagedIn(place).length > 0);
  session.signal('SIGSTOP', 'group');
  const since = performance.now();
  await until('all processes stopped', () => membersOf(session.pid).every(({ state }) => state === 'T'));
  const staged = stagedIn(place);
  const files = place.files('out');
  expect(staged.length, 'suspended with a staged file').toBeGreaterThan(0);
  const { batch: before } = await place.status(begun.batch);
  expect([before.state, before.counts.processing > 0]).toEqual(['running', true]);

  const others = await place.run(batchOf('others'));
  expect([others.code, countsOf(others)]).toEqual([0, { completed: 1 }]);
  expect(place.files('out')).toEqual([...files, 'x_a.webp', 'x_b.webp'].sort());
  expect((await place.status(begun.batch)).batch.counts).toEqual(before.counts);
  const same = place.start(batchOf('photos'));
  await same.event('batch.started');
  await passes(pause - (performance.now() - since));
  expect(stagedIn(place)).toEqual(expect.arrayContaining(staged));

  gate.open();
  session.signal('SIGCONT', 'group');
  const outcomes = await Promise.all([session.ended, same.ended]);
  for (const outcome of outcomes) {
    expect([outcome.code, outcome.stderr]).toEqual([0, '']);
    expect(outcome.stdout).not.toMatch(/timeout|job\.retrying|"attempts":[2-9]/);
    const { completed = 0, unchanged = 0, ...rest } = countsOf(outcome);
    expect([rest, completed + unchanged, jobsOf(outcome).length]).toEqual([{}, COUNT, COUNT]);
  }
  const rendered = outcomes.flatMap(jobsOf).filter(({ state, reused }) => state === 'completed' && !reused);
  expect(rendered.map(({ source }) => source).sort()).toEqual(
    [...sources.keys()].slice(0, COUNT).map(relative(place)),
  );
  await assertInvariants(place, { sources });
}

function stagedIn(place: Place): string[] {
  try {
    return place.files('out').filter((name) => STAGED.test(name));
  } catch {
    // The folder does not exist yet.
    return [];
  }
}

const relative =
  ({ cwd }: Place) =>
  (path: string) =>
    path.slice(cwd.length + 1);
