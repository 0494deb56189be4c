import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import type { BatchStarted } from '../../src/model.ts';
import { makeGate } from './gate.ts';
import {
  countsOf,
  errorOf,
  eventsOf,
  finishedOf,
  jobOf,
  jobsOf,
  type Outcome,
  openPlace,
  type Place,
  SMALL,
} from './imgtool.ts';
import { assertInvariants, type Sources, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';
import { argsOf, startWatch } from './watching.ts';

const COUNT = 24;
const BATCH = ['process', '--json', '--jobs', '1', ...SMALL, '--out', 'out'];

let place: Place;
let sources: Sources;
beforeEach(() => {
  place = openPlace();
});

async function putMany(count = COUNT): Promise<void> {
  const one = await noise(120, 90);
  for (let i = 0; i < count; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
  sources = sourcesOf(place, 'photos');
}

/** Kills a batch with all its processes once one picture is completed and others are in work. Returns its id. */
async function killed(args: readonly string[], stdin?: string): Promise<string> {
  const gate = makeGate(place);
  const session = place.start(args, stdin === undefined ? gate : { ...gate, stdin });
  const [job] = await session.jobs(1);
  await gate.held(session);
  session.signal('SIGKILL', 'group');
  await session.ended;
  return job!.batch;
}

const resume = (id: string, ...args: string[]) => place.run(['resume', id, '--json', ...args]);
const startedOf = (outcome: Outcome) =>
  eventsOf(outcome).find(({ type }) => type === 'batch.started') as BatchStarted;

/** Changes the index as if the run had died here in its walk: the batch lacks the sources after this point. */
function forgetWalk(id: string, kept: number): void {
  const db = keep(new Sqlite(place.index));
  const run = (sql: string, ...values: (string | number)[]) => keep(db.prepare(sql)).run(...values);
  run('UPDATE batches SET walk_ended = 0, passed_over = 0 WHERE id = ?', id);
  run(
    `DELETE FROM jobs WHERE batch = ? AND state = 'pending' AND id NOT IN
       (SELECT id FROM jobs WHERE batch = ? AND state = 'pending' ORDER BY id LIMIT ?)`,
    ...([id, id, kept] as const),
  );
  db.close();
}

describe('a batch whose processes were all killed', () => {
  beforeEach(() => putMany());

  it('is resumed from any folder: exactly the rest is processed, with the settings of the batch', async () => {
    const id = await killed([...BATCH, 'photos']);
    const { batch } = await place.status(id);
    expect(batch.state).toBe('interrupted');
    const elsewhere = place.at('elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(
      `${elsewhere}/.imgtoolrc`,
      JSON.stringify({
        out: 'other',
        preset: 'archive',
        name: '{name}-x-{variant}.{ext}',
        include: ['*.png'],
      }),
    );
    const outcome = await place.run(['resume', id.slice(0, 7), '--json', '--jobs', '2'], { cwd: elsewhere });
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: COUNT }]);
    const left = COUNT - batch.counts.completed;
    expect(startedOf(outcome)).toMatchObject({ batch: id, resumed: true, total: left, jobs: 2 });
    expect(jobsOf(outcome)).toHaveLength(left);
    expect(new Set(jobsOf(outcome).map(({ source }) => source)).size).toBe(left);
    expect(place.files('.').filter((file) => /other|-x-/.test(file))).toEqual([]);
    expect(place.files('out')).toHaveLength(2 * COUNT);
    const after = (await place.status(id)).batch;
    expect(after).toMatchObject({ id, state: 'finished', total: COUNT, startedAt: batch.startedAt });
    await assertInvariants(place, { sources, outcome });
    const undisturbed = openPlace();
    for (const file of place.files('photos')) renameSync(place.at('photos', file), move(undisturbed, file));
    const reference = finishedOf(await undisturbed.process());
    expect([after.bytesIn, after.bytesOut]).toEqual([reference.bytesIn, reference.bytesOut]);

    function move(to: Place, file: string): string {
      mkdirSync(to.at('photos'), { recursive: true });
      return to.at('photos', file);
    }
  });

  it('can be killed again and resumed again', async () => {
    const id = await killed([...BATCH, 'photos']);
    for (let times = 0; times < 2; times++) {
      expect(await killed(['resume', id, '--json'])).toBe(id);
      const { batch } = await place.status(id);
      expect([batch.state, batch.total]).toEqual(['interrupted', COUNT]);
    }
    const outcome = await resume(id);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: COUNT }]);
    await assertInvariants(place, { sources, outcome });
  });

  it('is walked again if its walk had not ended, and nothing is counted twice', async () => {
    expect((await place.process('--include', '1*.jpg')).code).toBe(0);
    putOld(place.at('photos/hidden/.secret.jpg'), await picture());
    const id = await killed([...BATCH, 'photos']);
    forgetWalk(id, 3);
    const before = (await place.status(id)).batch;
    expect(before.counts.unchanged).toBe(11);
    expect(before.total).toBeLessThan(COUNT);
    const outcome = await resume(id);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 13, unchanged: 11 }]);
    expect((await place.status(id)).batch).toMatchObject({ total: COUNT, passedOver: 1 });
    const again = finishedOf(await place.process());
    expect([finishedOf(outcome).bytesIn, finishedOf(outcome).bytesOut]).toEqual([
      again.bytesIn,
      again.bytesOut,
    ]);
    await assertInvariants(place, { sources, outcome });
  });

  it('is processed by one of two that resume it at the same time', async () => {
    const id = await killed([...BATCH, 'photos']);
    const both = await Promise.all([resume(id), resume(id)]);
    expect(both.map(({ code }) => code).sort(), both.map(({ stderr }) => stderr).join()).toEqual([0, 2]);
    const [done, refused] = both.toSorted((a, b) => (a.code ?? 0) - (b.code ?? 0)) as [Outcome, Outcome];
    expect(errorOf(refused).code).toBe('batch_running');
    expect(refused.stderr).toMatch(
      new RegExp(`^error: .*${id}.* being worked on\nfix: imgtool status ${id} --watch`),
    );
    expect(countsOf(done)).toEqual({ completed: COUNT });
    await assertInvariants(place, { sources, outcome: done });
  });

  it('fails removed sources and completes the rest', async () => {
    const files = place.files('photos').map((file) => `photos/${file}`);
    const id = await killed([...BATCH, ...files]);
    const gone = files.at(-1)!;
    rmSync(place.at(gone));
    const outcome = await resume(id);
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: COUNT - 1, failed: 1 }]);
    expect(jobOf(outcome, gone).error?.code).toBe('source_missing');
  });

  it('stays as it is while all of its inputs are missing', async () => {
    const id = await killed([...BATCH, 'photos']);
    const before = await place.status(id);
    renameSync(place.at('photos'), place.at('unmounted'));
    const refused = await resume(id);
    expect([refused.code, errorOf(refused).code]).toEqual([2, 'no_input']);
    expect(refused.stderr).toMatch(/^error: photos: is not there\nfix: .*nothing was done\n$/);
    expect(await place.status(id)).toEqual(before);
    renameSync(place.at('unmounted'), place.at('photos'));
    const outcome = await resume(id);
    expect(countsOf(outcome)).toEqual({ completed: COUNT });
    await assertInvariants(place, { sources, outcome });
  });

  it('reads its list of files again if its walk had not ended', async () => {
    writeFileSync(
      place.at('list.txt'),
      place
        .files('photos')
        .map((file) => `photos/${file}\n`)
        .join(''),
    );
    const id = await killed([...BATCH, '--files-from', 'list.txt']);
    forgetWalk(id, 2);
    const outcome = await resume(id);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: COUNT }]);
    await assertInvariants(place, { sources, outcome });
  });

  it('processes the sources that it already read from a list that is now unreadable, and says so', async () => {
    const list = place.files('photos').map((file) => `photos/${file}\n`);
    // Five of them are unchanged. They were read, so they also count at the end.
    const done = list.filter((_, at) => at < 5).join('');
    expect((await place.run([...BATCH, '--files-from', '-'], { stdin: done })).code).toBe(0);
    const id = await killed([...BATCH, '--files-from', '-'], list.join(''));
    forgetWalk(id, 2);
    const { batch } = await place.status(id);
    expect(batch.counts.unchanged).toBe(5);
    const outcome = await resume(id);
    expect(outcome.stderr).toMatch(/standard input: the list of files cannot be read again/);
    expect(finishedOf(outcome).counts).toMatchObject({ unchanged: 5, pending: 0, failed: 0 });
    expect((await place.status(id)).batch.total).toBe(batch.total);
    expect((await place.status(id)).batch.state, 'the rest of the list is still to come').not.toBe(
      'finished',
    );
    await assertInvariants(place, { sources });
  });

  it('reports on a screen and in a log how much is left', async () => {
    const id = await killed([...BATCH, 'photos']);
    const { batch } = await place.status(id);
    const { stdout, stderr, code } = await place.run(['resume', id]);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(
      `imgtool: batch ${id}: ${COUNT - batch.counts.completed} images left, out=out, `,
    );
    expect(stderr).toContain(`imgtool: finished ${COUNT} in `);
  });
});

it('resume ends a batch that was killed after its last picture', async () => {
  for (let i = 0; i < 3; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
  sources = sourcesOf(place, 'photos');
  const { batch: id } = finishedOf(await place.process());
  const db = keep(new Sqlite(place.index));
  keep(db.prepare("UPDATE batches SET state = 'running', finished_at = NULL")).run();
  keep(db.prepare("INSERT INTO runs (id, batch) VALUES ('00dead', ?)")).run(id);
  db.close();
  expect((await place.status(id)).batch.state).toBe('interrupted');
  const outcome = await resume(id);
  expect([outcome.code, finishedOf(outcome).state], outcome.stderr).toEqual([0, 'finished']);
  expect(jobsOf(outcome)).toEqual([]);
  expect((await place.status(id)).batch).toMatchObject({ state: 'finished', counts: { completed: 3 } });
  await assertInvariants(place, { sources, outcome });
});

describe('a batch of skipped copies', () => {
  it('has the counts and bytes of an uninterrupted batch', async () => {
    await putMany(6);
    for (let i = 0; i < 6; i++)
      putOld(place.at(`photos/copy-${i}.jpg`), commented(await noise(120, 90), `picture ${i}`));
    const id = await killed([...BATCH, '--duplicates', 'skip', 'photos']);
    forgetWalk(id, 3);
    const outcome = await resume(id);
    const { counts, bytesIn, bytesOut } = finishedOf(outcome);
    expect(counts).toMatchObject({ completed: 6, duplicate: 6 });
    const undisturbed = openPlace();
    mkdirSync(undisturbed.at('photos'));
    for (const file of place.files('photos'))
      renameSync(place.at('photos', file), undisturbed.at('photos', file));
    const reference = finishedOf(await undisturbed.process('--duplicates', 'skip'));
    expect([bytesIn, bytesOut]).toEqual([reference.bytesIn, reference.bytesOut]);
  });
});

describe('a batch that cannot be resumed', () => {
  beforeEach(async () => {
    for (let i = 0; i < 3; i++) putOld(place.at(`photos/${i}.jpg`), await picture({ seed: i }));
  });

  it('is reported without an error if it has finished', async () => {
    const { batch: id } = finishedOf(await place.process());
    const { stdout, stderr, code } = await place.run(['resume', id]);
    expect([code, stdout, stderr]).toEqual([0, `Batch ${id} is finished: nothing is left to be done.\n`, '']);
    const document = await resume(id);
    expect([document.code, document.stderr]).toEqual([0, '']);
    expect(JSON.parse(document.stdout)).toMatchObject({ v: 1, batch: { id, state: 'finished' }, jobs: [] });
  });

  it('is refused if it is running or unknown', async () => {
    const session = startWatch(place);
    const { batch: id } = (await session.event('batch.started')) as BatchStarted;
    for (const how of ['resume', 'retry']) {
      const { stdout, stderr, code } = await place.run([how, id]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toBe(
        `error: batch ${id} is being worked on\nfix: imgtool status ${id} --watch shows it, imgtool cancel ${id} stops it\n`,
      );
    }
    const unknown = await place.run(['resume', `${id.slice(0, 7)}x`]);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      `error: ${id.slice(0, 7)}x: no batch has this id\nfix: did you mean ${id}? All: imgtool list\n`,
    ]);
  });
});

it('resume completes the rest of a killed watch, and does not watch', async () => {
  await putMany();
  const id = await killed(argsOf([]));
  const { batch } = await place.status(id);
  expect(batch.state).toBe('interrupted');
  const outcome = await resume(id);
  expect([outcome.code, finishedOf(outcome).state], outcome.stderr).toEqual([0, 'finished']);
  expect(countsOf(outcome)).toEqual({ completed: batch.total });
  expect(jobsOf(outcome)).toHaveLength(batch.total - batch.counts.completed);
  await assertInvariants(place, { sources });
});
