import { appendFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { countsOf, eventsOf, finishedOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { commented, noise, picture, printOf, putOld } from './pictures.ts';
import { ALONE, assertStopped, completed, lastOf, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

const put = async (name: string, seed: number) => place.put(name, await picture({ seed }));

describe('a watch that is stopped', () => {
  const COUNT = 20;

  it.each([1, COUNT])(
    'counts no half-written picture as failed after attempts at %i of 20',
    async (tried) => {
      const whole = await noise(120, 90);
      const half = whole.subarray(0, whole.length / 2);
      for (let i = 0; i < COUNT; i++) place.put(`photos/${i}.jpg`, commented(half, `picture ${i}`));
      const session = startWatch(place, '--jobs', '2');
      await session.events('job.retrying', tried);
      const outcome = await stop(session);
      expect(jobsOf(outcome).filter(({ state }) => state === 'failed')).toEqual([]);
      expect(countsOf(outcome)).toEqual({ cancelled: COUNT });
      expect(outcome.stderr).not.toContain('error');
      await assertStopped(place, outcome, { state: 'cancelled' });
    },
  );

  it('with --no-existing leaves an unsettled file to the next such watch, which processes it once', async () => {
    putOld(place.at('photos/old.jpg'), await picture({ seed: 1 }));
    const first = startWatch(place, '--no-existing', '--settle', '60s');
    await first.event('watching');
    await put('photos/added.jpg', 2);
    // Two scans see the file for certain.
    await first.scans();
    const stopped = await stop(first);
    expect(statesOf(stopped)).not.toContain('photos/added.jpg completed');
    await assertStopped(place, stopped, { state: 'cancelled' });
    const second = startWatch(place, '--no-existing');
    expect((await second.jobs(1))[0]).toMatchObject({ source: 'photos/added.jpg', state: 'completed' });
    await second.scans(3);
    const taken = await stop(second);
    expect([jobsOf(taken).length, countsOf(taken)]).toEqual([1, { completed: 1 }]);
    await assertStopped(place, taken);
    const third = startWatch(place, '--no-existing');
    await third.event('watching');
    await third.scans(3);
    const outcome = await stop(third);
    expect([jobsOf(outcome), countsOf(outcome)]).toEqual([[], {}]);
    expect(place.files('out')).toEqual(['added_a.webp', 'added_b.webp']);
    await assertStopped(place, outcome);
  });
});

describe('a watch whose --out is the watched folder, killed with outputs that are not recorded', () => {
  /** The index at that time: names are reserved, the job is in work, and its run is dead. */
  function unrecord(source: string): void {
    const db = keep(new Sqlite(place.index));
    const prepare = ((sql: string) => keep(db.prepare(sql))) as typeof db.prepare;
    db.exec('PRAGMA foreign_keys = ON');
    db.transaction(() => {
      const none = ['variant', 'settings', 'digest', 'format', 'width', 'height', 'size', 'mtime', 'ino'];
      const all = [...none, 'checksum', 'encoder'].map((column) => `${column} = NULL`).join(', ');
      expect(prepare(`UPDATE outputs SET ${all} WHERE source = ?`).run(source).changes).toBe(2);
      expect(prepare('DELETE FROM sources WHERE path = ?').run(source).changes).toBe(1);
      prepare("UPDATE batches SET state = 'running', finished_at = NULL").run();
      prepare("INSERT INTO runs (id, batch) SELECT 'dead', id FROM batches").run();
      const { changes } = prepare(
        `UPDATE jobs SET state = 'processing', run = 'dead', finished_at = NULL, outputs = '[]', ms = NULL,
             digest = NULL, width = NULL, height = NULL, dominant_color = NULL, attempts = 1 WHERE source = ?`,
      ).run(source);
      expect(changes).toBe(1);
      prepare("INSERT INTO claims (digest, run, job) SELECT 'x', 'dead', id FROM jobs WHERE source = ?").run(
        source,
      );
    })();
    db.close();
  }

  it.each([
    ['after their sources', '{dir}/{name}_{variant}.{ext}', ['x_a.webp', 'x_b.webp']],
    ['before their sources', '{dir}/0{name}_{variant}.{ext}', ['0x_a.webp', '0x_b.webp']],
  ])('processes none of them as pictures if it finds them %s', async (_title, name, made) => {
    const sources = await putMany(place, 'photos', 3);
    sources.push('photos/x.jpg');
    await put('photos/x.jpg', 50);
    const args = ['--out', 'photos', '--name', name];
    const first = startWatch(place, ...args);
    await first.jobs(4);
    await first.scans();
    expect(countsOf(await stop(first))).toEqual({ completed: 4 });
    const files = place.files('photos');
    expect(files).toHaveLength(4 + 8);
    const prints = made.map((output) => printOf(place.at('photos', output)));
    unrecord(place.at('photos/x.jpg'));
    const again = startWatch(place, ...args);
    await again.jobs(4);
    await again.scans(3);
    await put('photos/new.jpg', 60);
    await again.jobs(5);
    await again.scans(3);
    const outcome = await stop(again);
    expect(lastOf(outcome).get('photos/x.jpg')).toMatchObject({ state: 'completed' });
    expect(countsOf(outcome)).toEqual({ completed: 2, unchanged: 3 });
    expect([...lastOf(outcome).keys()].sort()).toEqual([...sources, 'photos/new.jpg'].sort());
    expect(made.map((output) => printOf(place.at('photos', output)))).toEqual(prints);
    expect(place.files('photos').filter((path) => !path.includes('new'))).toEqual(files);
    expect(place.files('photos')).toHaveLength(5 + 10);
    await assertStopped(place, outcome, { outs: ['photos'] });
  });
});

describe('change events', () => {
  it('that the system drops because there are too many are replaced by a scan', async () => {
    const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    await put('photos/0.jpg', 1);
    place.put('photos/sub/busy', '');
    const session = startWatch(place, ...ALONE);
    await session.jobs(1);
    await session.event('watching');
    session.signal('SIGSTOP', 'group');
    // Two events each, one for the old path and one for the new path.
    for (let i = 0; i < most / 4 + 200; i++) {
      renameSync(place.at('photos/sub/busy'), place.at('photos/sub/busy2'));
      renameSync(place.at('photos/sub/busy2'), place.at('photos/sub/busy'));
    }
    await put('photos/1.jpg', 2);
    await put('photos/sub/2.jpg', 3);
    await put('photos/new/deep/3.jpg', 4);
    session.signal('SIGCONT', 'group');
    await session.jobs(4);
    const outcome = await stop(session);
    const added = ['0.jpg', '1.jpg', 'sub/2.jpg', 'new/deep/3.jpg'].map((name) => `photos/${name}`);
    expect(statesOf(outcome)).toEqual(completed(added));
    expect(outcome.stdout).toContain('"scanned"');
    await assertStopped(place, outcome);
  });

  it('of a growing log in the folder cause no work', async () => {
    const LINES = 3_000;
    await put('photos/0.jpg', 1);
    const log = place.put('photos/upload.log', 'begun\n');
    const session = startWatch(place, ...ALONE, '--verbose');
    await session.jobs(1);
    await session.event('watching');
    // In turn, because the system merges repeated events of the same file.
    const other = place.put('photos/new.log', 'begun\n');
    for (let i = 0; i < LINES; i++) {
      for (const path of [log, other]) appendFileSync(path, `line ${i}\n`);
      if (i % 100 === 0) await breathe();
    }
    await put('photos/1.jpg', 2);
    await session.jobs(2);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/0.jpg', 'photos/1.jpg']));
    expect(eventsOf(outcome).filter(({ type }) => type === 'scanned')).toEqual([]);
    // The first walk passed it over.
    expect(outcome.stdout.match(/\.log/g)).toHaveLength(1);
    expect(finishedOf(outcome).counts.failed).toBe(0);
    await assertStopped(place, outcome);
  });
});

it('an undecodable picture is not tried again at each scan if no change event arrives', async () => {
  const whole = await noise(120, 90);
  putOld(place.at('photos/half.jpg'), whole.subarray(0, whole.length / 2));
  const session = startWatch(place, ...ALONE, '--poll');
  await session.event('job.retrying');
  // A separate scan finds each picture.
  for (let n = 1; n <= 2; n++) {
    await put(`photos/good${n}.jpg`, n);
    await session.jobs(n);
  }
  const outcome = await stop(session);
  expect(eventsOf(outcome).filter(({ type }) => type === 'job.retrying')).toHaveLength(1);
  expect(countsOf(outcome)).toEqual({ completed: 2, cancelled: 1 });
  await assertStopped(place, outcome, { state: 'cancelled' });
});

describe('a folder that cannot be watched', () => {
  it.each([
    ['is below a file', 'photos/file.jpg/x'],
    ['is missing', 'nowhere'],
    ['is missing below a folder', 'photos/nowhere/x'],
  ])('because it %s makes the watch exit with 2 and suggest a fix', async (_title, folder) => {
    await put('photos/file.jpg', 1);
    for (const args of [[folder], ['photos', folder], [folder, '--poll'], [folder, '--once']]) {
      const { code, stdout, stderr } = await place.run(['watch', '--out', 'out', ...args]);
      expect([code, stdout], stderr).toEqual([2, '']);
      expect(stderr).toMatch(/^error: .*\n(cause: .*\n)?fix: .*\n$/);
      expect(stderr.split('\n')[0]).toContain(`${folder}: `);
    }
    expect(place.files('.')).toEqual(['photos/file.jpg']);
  });
});
