import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { eventsOf, finishedOf, openPlace, type Place } from './imgtool.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

/** The built library: its child processes start from dist. */
const { openEngine } = (await import(
  new URL('../../dist/index.js', import.meta.url).href
)) as typeof import('../../src/index.ts');

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
  putOld(place.at('photos/b.jpg'), await picture({ seed: 2 }));
});

/** Starts a batch over other images that stays in the middle of its work. */
async function begun() {
  const one = await noise(120, 90);
  for (let i = 0; i < 4; i++) putOld(place.at(`others/${i}.jpg`), commented(one, `picture ${i}`));
  const gate = makeGate(place, { before: 'others' });
  const session = place.start(['process', '--json', '--out', 'out2', 'others'], gate);
  const { batch: id } = (await session.event('batch.started')) as { batch: string };
  await gate.held(session);
  return { gate, session, id };
}

describe('the id `last`', () => {
  it('stands for the newest batch in `status` and `verify`', async () => {
    const older = finishedOf(await place.process()).batch;
    const newer = finishedOf(await place.process()).batch;
    expect(newer).not.toBe(older);
    expect((await place.status('last')).batch.id).toBe(newer);
    const { code, stdout, stderr } = await place.run(['verify', 'last', '--json']);
    expect([code, stderr, JSON.parse(stdout)]).toMatchObject([0, '', { batch: newer, wrong: 0 }]);
  });

  it('stands for the newest batch in `cancel` and `resume`', async () => {
    await place.process();
    const { gate, session, id } = await begun();
    const cancelling = place.run(['cancel', 'last']);
    await session.event('stopping');
    gate.open();
    const cancelled = await cancelling;
    expect((await session.ended).code).toBe(130);
    expect([cancelled.code, cancelled.stderr]).toEqual([0, '']);
    expect(cancelled.stdout).toMatch(new RegExp(`^Batch ${id} cancelled after \\d of 4.\n`));
    const resumed = await place.run(['resume', 'last', '--json']);
    expect([resumed.code, finishedOf(resumed)]).toMatchObject([0, { batch: id, counts: { completed: 4 } }]);
  });

  it('stands for the newest batch in `retry`', async () => {
    place.put('photos/bad.jpg', 'no picture');
    const { batch: id } = finishedOf(await place.process());
    putOld(place.at('photos/bad.jpg'), await picture({ seed: 3 }));
    const { code, stdout } = await place.run(['retry', 'last', '--json']);
    expect([code, eventsOf({ stdout })[0]]).toMatchObject([0, { batch: id, resumed: true }]);
  });

  it('names another batch if the newest one does not fit the command', async () => {
    place.put('bad/bad.jpg', 'no picture');
    const failed = finishedOf(await place.process('--out', 'out3', '--', 'bad')).batch;
    const { gate, session, id } = await begun();
    const { batch: newest } = finishedOf(await place.process());
    const cancelled = await place.run(['cancel', 'last']);
    expect([cancelled.code, cancelled.stderr, cancelled.stdout]).toEqual([
      ...[0, ''],
      `Batch ${newest} had ended (finished): there was nothing to stop.\nBatch ${id} is running: imgtool cancel ${id}\n`,
    ]);
    session.signal('SIGKILL', 'group');
    await session.ended;
    gate.open();
    const resumed = await place.run(['resume', 'last']);
    expect([resumed.code, resumed.stdout]).toEqual([
      0,
      `Batch ${newest} is finished: nothing is left to be done.\nBatch ${id} is interrupted: imgtool resume ${id}\n`,
    ]);
    const retried = await place.run(['retry', 'last']);
    expect([retried.code, retried.stdout]).toEqual([
      0,
      `Batch ${newest} has no failed images.\nBatch ${failed} has failed images: imgtool retry ${failed}\n`,
    ]);
    const byId = await place.run(['resume', newest]);
    expect(byId.stdout).toBe(`Batch ${newest} is finished: nothing is left to be done.\n`);
  });

  it('is not resumed while it runs', async () => {
    const { gate, session, id } = await begun();
    const { code, stderr } = await place.run(['resume', 'last']);
    expect([code, stderr]).toEqual([
      2,
      `error: batch ${id} is being worked on\nfix: imgtool status ${id} --watch shows it, imgtool cancel ${id} stops it\n`,
    ]);
    gate.open();
    expect((await session.ended).code).toBe(0);
  });

  it('is followed by `status --watch` to its end, although another batch begins meanwhile', async () => {
    const { gate, session, id } = await begun();
    const watching = place.start(['status', 'last', '--watch']);
    await watching.line(/running/);
    await place.process();
    gate.open();
    await session.ended;
    const { code, stdout } = await watching.ended;
    expect([code, [...new Set(stdout.match(/^Batch \w+/gm))]]).toEqual([0, [`Batch ${id}`]]);
    expect(stdout).toContain('finished');
  });

  it('is an error with a fix when there is no batch yet, and the suggestion for a misspelling', async () => {
    for (const verb of ['status', 'resume', 'retry', 'cancel', 'verify']) {
      const { code, stdout, stderr } = await place.run([verb, 'last']);
      expect([verb, code, stdout, stderr]).toEqual([
        ...[verb, 2, ''],
        'error: there is no batch yet\nfix: imgtool process <path…>\n',
      ]);
    }
    await place.process();
    const { code, stderr } = await place.run(['status', 'lst']);
    expect([code, stderr]).toEqual([
      2,
      'error: lst: no batch has this id\nfix: did you mean last? All: imgtool list\n',
    ]);
  });

  it('works in the library too', async () => {
    const engine = await openEngine({ index: place.index, cwd: place.cwd });
    try {
      await expect(engine.status('last')).rejects.toMatchObject({ code: 'unknown_batch' });
      const { batch: id } = finishedOf(await place.process());
      expect((await engine.status('last')).batch.id).toBe(id);
      expect(await engine.verify({ batch: 'last' })).toMatchObject({ batch: id, wrong: [] });
      expect((await engine.cancel('last')).id).toBe(id);
    } finally {
      await engine.close();
    }
  });
});
