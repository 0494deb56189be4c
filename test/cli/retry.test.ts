import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BatchStarted } from '../../src/model.ts';
import { makeGate } from './gate.ts';
import { countsOf, eventsOf, finishedOf, jobOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

let place: Place;
let whole: Buffer;
beforeEach(async () => {
  place = openPlace();
  whole = await picture({ width: 400, height: 300 });
  putOld(place.at('photos/good.jpg'), await picture({ seed: 2 }));
});

const putHalf = (path = 'photos/half.jpg') =>
  putOld(place.at(path), whole.subarray(0, Math.floor(whole.length * 0.7)));
const retry = (id: string, ...args: string[]) => place.run(['retry', id, '--json', ...args]);

describe('retrying failed pictures', () => {
  it('completes repaired pictures, and counts each picture once', async () => {
    putHalf();
    putOld(place.at('photos/text.jpg'), Buffer.from('no picture'));
    const first = await place.process();
    expect([first.code, countsOf(first)]).toEqual([1, { completed: 1, failed: 2 }]);
    const { batch: id } = finishedOf(first);
    putOld(place.at('photos/half.jpg'), whole);
    const again = await retry(id);
    expect([again.code, countsOf(again)], again.stderr).toEqual([1, { completed: 2, failed: 1 }]);
    const started = eventsOf(again).find(({ type }) => type === 'batch.started') as BatchStarted;
    expect(started).toMatchObject({ batch: id, total: 2, resumed: true });
    const retried = jobsOf(again).map(({ source }) => source);
    expect(retried.sort()).toEqual(['photos/half.jpg', 'photos/text.jpg']);
    expect(jobOf(again, 'photos/half.jpg')).toMatchObject({ state: 'completed', attempts: 1 });
    expect(jobOf(again, 'photos/text.jpg')).toMatchObject({ state: 'failed', attempts: 1 });
    const { batch, jobs } = await place.status(id);
    expect(batch).toMatchObject({ state: 'finished', total: 3, counts: finishedOf(again).counts });
    expect(jobs).toMatchObject([{ source: place.at('photos/text.jpg'), attempts: 1 }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: again });
    putOld(place.at('photos/text.jpg'), await picture({ seed: 3 }));
    const last = await retry(id);
    expect([last.code, countsOf(last)]).toEqual([0, { completed: 3 }]);
    const { bytesIn, bytesOut } = finishedOf(last);
    const reference = finishedOf(await place.process());
    expect([bytesIn, bytesOut]).toEqual([reference.bytesIn, reference.bytesOut]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: last });
  });

  it('renders half a picture with --lenient, and marks it as degraded', async () => {
    putHalf();
    const { batch: id } = finishedOf(await place.process());
    expect((await retry(id)).code, 'as strict as before').toBe(1);
    const outcome = await retry(id, '--lenient');
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
    expect(jobOf(outcome, 'photos/half.jpg')).toMatchObject({ state: 'completed', degraded: true });
    const { jobs } = await place.status(id, '--all');
    const degraded = jobs.map(({ source, degraded }) => [source, degraded]).sort();
    expect(degraded).toEqual([
      [place.at('photos/good.jpg'), undefined],
      [place.at('photos/half.jpg'), true],
    ]);
    const { stdout } = await place.run(['status', id, '--all']);
    expect(stdout).toMatch(/half\.jpg \(damaged\)/);
    expect(stdout).not.toMatch(/good\.jpg \(/);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('applies newly given limits, and otherwise the limits of the batch', async () => {
    putOld(place.at('photos/large.jpg'), await picture({ width: 300, height: 200 }));
    const { batch: id } = finishedOf(await place.process('--limit-pixels', '10000'));
    const before = (await place.status(id)).jobs;
    expect(before.map(({ error }) => error?.code)).toEqual(['too_large']);
    // The batch did not begin with the current contents of the settings file.
    writeFileSync(place.at('.imgtoolrc'), JSON.stringify({ limitPixels: 1_000_000, out: 'other' }));
    const same = await retry(id);
    expect([same.code, countsOf(same)], same.stderr).toEqual([1, { completed: 1, failed: 1 }]);
    const outcome = await retry(id, '--limit-pixels', '1M');
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
    expect(place.files('out')).toHaveLength(4);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('reports without an error that nothing failed', async () => {
    const { batch: id } = finishedOf(await place.process());
    const { stdout, stderr, code } = await place.run(['retry', id]);
    expect([code, stdout, stderr]).toEqual([0, `Batch ${id} has no failed images.\n`, '']);
  });

  it('leaves a cancelled batch for resume', async () => {
    const one = await noise(120, 90);
    for (let i = 0; i < 16; i++) putOld(place.at(`photos/p${i}.jpg`), commented(one, `picture ${i}`));
    // The largest picture, which is processed first.
    putOld(place.at('photos/a-text.jpg'), Buffer.alloc(100_000, 'no picture '));
    const batch = ['process', '--json', '--jobs', '1', ...SMALL, '--out', 'out', 'photos'];
    const gate = makeGate(place, { free: 2 });
    const session = place.start(batch, gate);
    await session.jobs(2);
    await gate.held(session);
    session.signal('SIGINT', 'group');
    await session.event('stopping');
    gate.open();
    const stopped = finishedOf(await session.ended);
    expect(stopped.counts).toMatchObject({ failed: 1 });
    expect(stopped.counts.cancelled).toBeGreaterThan(0);
    putOld(place.at('photos/a-text.jpg'), whole);
    const outcome = await retry(stopped.batch);
    expect(finishedOf(outcome).counts).toMatchObject({ failed: 0, cancelled: stopped.counts.cancelled });
    const { stdout } = await place.run(['status', stopped.batch]);
    expect(stdout).toContain(`Go on: imgtool resume ${stopped.batch}`);
    const resumed = await place.run(['resume', stopped.batch, '--json']);
    expect([resumed.code, countsOf(resumed)], resumed.stderr).toEqual([0, { completed: 18 }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: resumed });
  });
});

describe('half a JPEG', () => {
  it('is completed as degraded with --lenient from the start, and the summary says so', async () => {
    putHalf();
    const strict = await place.process();
    expect([strict.code, jobOf(strict, 'photos/half.jpg').error?.code]).toEqual([1, 'corrupt']);
    const outcome = await place.process('--lenient');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(jobOf(outcome, 'photos/half.jpg')).toMatchObject({ state: 'completed', degraded: true });
    expect(jobOf(outcome, 'photos/good.jpg')).not.toHaveProperty('degraded');
    const shown = ['--lenient', ...SMALL, '--progress', 'bar', '--out', 'shown', 'photos'];
    expect((await place.run(['process', '--force', ...shown])).stderr).toContain(
      '1 image is damaged, and its outputs show what could be read: photos/half.jpg',
    );
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outs: ['out', 'shown'] });
  });
});
