import { mkdirSync, renameSync, rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { countsOf, errorOf, finishedOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const folder of ['first', 'second']) mkdirSync(place.at(folder));
  putOld(place.at('first/a.jpg'), await picture({ seed: 1 }));
});

/** A batch over these inputs whose run died before it reached the second folder. Returns the id. */
async function cutShort(...inputs: string[]): Promise<string> {
  const { batch } = finishedOf(await place.run(['process', '--json', ...SMALL, '--out', 'out', ...inputs]));
  const db = keep(new Sqlite(place.index));
  keep(db.prepare("UPDATE batches SET walk_ended = 0, state = 'interrupted' WHERE id = ?")).run(batch);
  db.close();
  putOld(place.at('second/b.jpg'), await picture({ seed: 2 }));
  return batch;
}

const resume = (id: string) => place.run(['resume', id, '--json']);

it('resume waits for a missing folder, and processes its pictures once the folder is back', async () => {
  const id = await cutShort('first', 'second');
  renameSync(place.at('second'), place.at('unmounted'));
  for (let times = 0; times < 2; times++) {
    const outcome = await resume(id);
    expect([outcome.code, finishedOf(outcome).state, countsOf(outcome)]).toEqual([
      ...[3, 'interrupted', { completed: 1 }],
    ]);
    expect(jobsOf(outcome)).toEqual([]);
    expect(outcome.stderr).toContain('second: is not there');
    expect(outcome.stderr).toContain('mount or bring it back, and resume again');
  }
  renameSync(place.at('unmounted'), place.at('second'));
  const outcome = await resume(id);
  expect([outcome.code, finishedOf(outcome).state, countsOf(outcome)]).toEqual([
    ...[0, 'finished', { completed: 2 }],
  ]);
  await assertInvariants(place, { sources: sourcesOf(place, 'second'), outcome });
});

it('resume completes the rest if a pattern no longer matches anything', async () => {
  const id = await cutShort('first/*.jpg', 'second');
  rmSync(place.at('first/a.jpg'));
  const outcome = await resume(id);
  expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 2 }]);
  expect(finishedOf(outcome).state).toBe('finished');
});

it('resume names the missing folder of a pattern', async () => {
  const id = await cutShort('first/*.jpg', 'second');
  renameSync(place.at('first'), place.at('unmounted'));
  const outcome = await resume(id);
  expect([outcome.code, countsOf(outcome)]).toEqual([3, { completed: 2 }]);
  expect(outcome.stderr).toContain('first: is not there');
});

it('resume fails a named picture that was removed before the batch reached it', async () => {
  putOld(place.at('named.jpg'), await picture({ seed: 3 }));
  const id = await cutShort('first', 'named.jpg');
  const db = keep(new Sqlite(place.index));
  keep(db.prepare("DELETE FROM jobs WHERE source LIKE '%named.jpg'")).run();
  db.close();
  rmSync(place.at('named.jpg'));
  const outcome = await resume(id);
  expect([outcome.code, finishedOf(outcome).state]).toEqual([1, 'finished']);
  expect(jobsOf(outcome)).toMatchObject([{ source: 'named.jpg', error: { code: 'source_missing' } }]);
});

it.each([[['first', 'second']], [['first/*.jpg', 'second']], [['first/*.jpg']]])(
  'resume does nothing while all of %j are missing',
  async (inputs) => {
    const id = await cutShort(...inputs);
    renameSync(place.at('second'), place.at('unmounted'));
    rmSync(place.at('first/a.jpg'));
    if (inputs[0] === 'first') rmSync(place.at('first'), { recursive: true });
    const outcome = await resume(id);
    expect([outcome.code, errorOf(outcome)]).toMatchObject([
      2,
      { fix: expect.stringContaining('nothing was done') },
    ]);
  },
);
