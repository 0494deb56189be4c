import { beforeEach, describe, expect, it } from 'vitest';
import { type Gate, makeGate } from './gate.ts';
import { canSeeProcesses, membersOf, until } from './group.ts';
import { countsOf, finishedOf, jobsOf, openPlace, type Place, type Session } from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';
import { lastOf, startWatch } from './watching.ts';

const COUNT = 16;
const BATCH = ['process', '--json', '--jobs', '2', '--out', 'out', 'photos'];

let place: Place;
let sources: Sources;
let gate: Gate;
beforeEach(async () => {
  place = openPlace();
  gate = makeGate(place);
  const one = await noise(120, 90);
  for (let i = 0; i < COUNT; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  sources = sourcesOf(place, 'photos');
});

/** Starts a batch with one completed picture, and two in work until the gate opens. Returns its id. */
async function begun(): Promise<{ session: Session; id: string }> {
  const session = place.start(BATCH, gate);
  const [job] = await session.jobs(1);
  await gate.held(session, 2);
  return { session, id: job!.batch };
}

const isAsked = () =>
  readIndex(place.index).batches.some((row) => 'cancel_asked' in row && row.cancel_asked === 1);

describe('cancelling a batch from another process', () => {
  it('finishes the pictures in work, cancels the rest and exits with a number, not by a signal', async () => {
    const { session, id } = await begun();
    const cancelling = place.run(['cancel', id]);
    await session.event('stopping');
    gate.open();
    const cancelled = await cancelling;
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([130, null]);
    expect(() => process.kill(-session.pid, 0), 'no process of the group is left').toThrow('ESRCH');
    const finished = finishedOf(outcome);
    expect([finished.state, finished.exit]).toEqual(['cancelled', 130]);
    const { completed = 0, cancelled: dropped = 0, ...others } = countsOf(outcome);
    expect([others, completed + dropped]).toEqual([{}, COUNT]);
    expect(dropped).toBeGreaterThan(0);
    expect(jobsOf(outcome)).toHaveLength(completed);
    expect(cancelled).toMatchObject({ code: 0, stderr: '' });
    expect(cancelled.stdout).toBe(
      `Batch ${id} cancelled after ${completed} of ${COUNT}.\nGo on: imgtool resume ${id}\n`,
    );
    expect((await place.status(id)).batch).toMatchObject({ state: 'cancelled', counts: finished.counts });
    await assertInvariants(place, { sources, outcome });
  });

  it('finds the batch by the beginning of its id and prints a JSON document', async () => {
    const { session, id } = await begun();
    const cancelling = place.run(['cancel', id.slice(0, 6), '--json']);
    await session.event('stopping');
    gate.open();
    const { stdout, stderr, code } = await cancelling;
    await session.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, batch: { id, state: 'cancelled', total: COUNT } });
  });

  it('works for two processes that cancel at the same time', async () => {
    const { session, id } = await begun();
    const asking = [place.start(['cancel', id]), place.start(['cancel', id])];
    await session.event('stopping');
    gate.open();
    const both = await Promise.all(asking.map(({ ended }) => ended));
    const outcome = await session.ended;
    expect(outcome.code).toBe(130);
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
  });

  it('waits for a batch that its terminal has suspended until the batch continues', async () => {
    const { session, id } = await begun();
    session.signal('SIGSTOP', 'group');
    if (canSeeProcesses)
      await until('all stopped', () => membersOf(session.pid).every(({ state }) => state === 'T'));
    let isContinued = false;
    const answered = place.run(['cancel', id]).then((outcome) => ({ outcome, isEarly: !isContinued }));
    await until('the batch being asked to stop', isAsked);
    // A cancel that does not wait would have answered while another came and went.
    await place.run(['list']);
    gate.open();
    isContinued = true;
    session.signal('SIGCONT', 'group');
    const { outcome, isEarly } = await answered;
    expect([outcome.code, isEarly], outcome.stderr).toEqual([0, false]);
    expect(outcome.stdout).toContain(`Batch ${id} cancelled after `);
    const ended = await session.ended;
    expect([ended.code, finishedOf(ended).state]).toEqual([130, 'cancelled']);
    await assertInvariants(place, { sources, outcome: ended });
  });
});

describe('cancelling a batch whose run died', () => {
  it('cancels the waiting jobs at once and for good', async () => {
    const { session, id } = await begun();
    session.signal('SIGKILL', 'group');
    await session.ended;
    expect((await place.status(id)).batch.state).toBe('interrupted');
    const { stdout, stderr, code } = await place.run(['cancel', id]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(`^Batch ${id} cancelled after \\d+ of ${COUNT}.\nGo on: imgtool resume ${id}\n$`),
    );
    const { batch } = await place.status(id);
    expect(batch.state).toBe('cancelled');
    expect([batch.total, batch.counts.pending]).toEqual([COUNT, 0]);
    // The next run cleans up after the dead one.
    putOld(place.at('others/a.jpg'), await picture());
    expect((await place.run(['process', '--out', 'out', 'others'])).code).toBe(0);
    const later = (await place.status(id)).batch;
    expect([later.state, later.counts.processing]).toEqual(['cancelled', 0]);
    expect(later.counts.cancelled + later.counts.completed).toBe(COUNT);
    // A run killed between rename and commit leaves outputs without rows in the index until the batch is resumed.
    const resumed = await place.run(['resume', id, '--json']);
    expect([resumed.code, countsOf(resumed)], resumed.stderr).toEqual([0, { completed: COUNT }]);
    await assertInvariants(place, { sources, outcome: resumed });
  });

  it('can be resumed before another run has cleaned up', async () => {
    const { session, id } = await begun();
    session.signal('SIGKILL', 'group');
    await session.ended;
    expect((await place.run(['cancel', id])).code).toBe(0);
    const resumed = await place.run(['resume', id, '--json']);
    expect([resumed.code, countsOf(resumed)], resumed.stderr).toEqual([0, { completed: COUNT }]);
    await assertInvariants(place, { sources, outcome: resumed });
  });
});

describe('cancelling a batch that cannot be cancelled', () => {
  it('reports that a batch has already ended, and changes nothing', async () => {
    const outcome = await place.process();
    const { batch: id } = finishedOf(outcome);
    const before = await place.status(id);
    const { stdout, stderr, code } = await place.run(['cancel', id]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`Batch ${id} had ended (finished): there was nothing to stop.\n`);
    expect(await place.status(id)).toEqual(before);
  });

  it('suggests the nearest id, and exits with 2', async () => {
    const { batch: id } = finishedOf(await place.process());
    const near = `${id.slice(0, 6)}zz`;
    const mistyped = await place.run(['cancel', near]);
    expect([mistyped.code, mistyped.stdout]).toEqual([2, '']);
    expect(mistyped.stderr).toBe(
      `error: ${near}: no batch has this id\nfix: did you mean ${id}? All: imgtool list\n`,
    );
    const far = await place.run(['cancel', 'xyzzy']);
    expect([far.code, far.stderr]).toEqual([2, 'error: xyzzy: no batch has this id\nfix: imgtool list\n']);
    expect((await place.run(['cancel'])).code).toBe(2);
  });
});

describe('cancelling a watch', () => {
  it('stops it as Ctrl-C does, and exits with a number', async () => {
    const session = startWatch(place);
    await session.jobs(COUNT);
    const { batch: id } = (await session.event('batch.started')) as { batch: string };
    const { stdout, stderr, code } = await place.run(['cancel', id]);
    expect([code, stdout, stderr]).toEqual([0, `Watch ${id} was stopped.\n`, '']);
    const outcome = await session.ended;
    expect([outcome.code, outcome.signal], outcome.stderr).toEqual([130, null]);
    expect([finishedOf(outcome).state, finishedOf(outcome).exit]).toEqual(['finished', 130]);
    expect(lastOf(outcome).size).toBe(COUNT);
    await assertInvariants(place, { sources });
  });
});
