import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { MIGRATIONS } from '../../src/adapters/sqlite-index/migrations.ts';
import { FORMER_FIELDS } from '../../src/core/job/settings-digest.ts';
import type { BatchOptions } from '../../src/model.ts';
import { FIELD_KEYS } from '../../src/variants/fields.ts';
import { FORMATS } from '../../src/variants/formats.ts';
import { batchOptions } from '../records.ts';
import { countsOf, eventsOf, openPlace, type Place } from './imgtool.ts';
import { makeOlder } from './older.ts';
import { picture, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';
import { rot, verify } from './verifying.ts';

/** An index that the first version wrote, with a finished and an interrupted batch. */
function putOlderIndex(place: Place): void {
  mkdirSync(dirname(place.index), { recursive: true });
  const db = keep(new Sqlite(place.index));
  db.exec(MIGRATIONS[0] ?? '');
  db.exec('PRAGMA user_version = 1');
  const { walk: _walk, list: _list, memory: _memory, ...options } = batchOptions({ out: place.at('out') });
  const batch = keep(
    db.prepare(`INSERT INTO batches (id, command, state, inputs, cwd, options, started_at, finished_at, walk_ended)
      VALUES (?, 'process', ?, '["photos"]', ?, ?, ?, ?, 1)`),
  );
  const now = Date.now();
  batch.run('aaaa1111', 'finished', place.cwd, JSON.stringify(options), now - 2_000, now - 1_000);
  batch.run('bbbb2222', 'interrupted', place.cwd, JSON.stringify(options), now - 900, now - 800);
  const job = keep(
    db.prepare(`INSERT INTO jobs (batch, source, given, relative, naming, state, finished_at)
      VALUES (?, ?, ?, ?, 0, ?, ?)`),
  );
  job.run('aaaa1111', place.at('photos/a.jpg'), 'photos/a.jpg', 'a.jpg', 'completed', now);
  job.run('bbbb2222', place.at('photos/b.jpg'), 'photos/b.jpg', 'b.jpg', 'pending', null);
  db.close();
}

it('an index of the previous version is migrated, and its batches can be read', async () => {
  const place = openPlace();
  putOlderIndex(place);
  const listed = await place.run(['list', '--json']);
  expect([listed.code, listed.stderr]).toEqual([0, '']);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    batches: [
      { id: 'bbbb2222', state: 'interrupted', total: 1 },
      { id: 'aaaa1111', state: 'finished', total: 1 },
    ],
  });
  const { batch, jobs } = await place.status('aaaa', '--all');
  expect([batch.counts.completed, jobs.length]).toEqual([1, 1]);
  expect(jobs[0]).not.toHaveProperty('degraded');
  expect((await place.run(['status', 'bbbb'])).code).toBe(0);
  expect(place.files('.')).toEqual([]);
  expect(readIndex(place.index).problems).toEqual([]);
  const db = keep(new Sqlite(place.index, { readonly: true }));
  expect(keep(db.prepare('PRAGMA user_version').pluck()).get()).toBe(MIGRATIONS.length);
  db.close();
});

it('a batch of the previous version can be cancelled but not resumed, and the error says so', async () => {
  const place = openPlace();
  putOlderIndex(place);
  for (const how of ['resume', 'retry']) {
    const { stdout, stderr, code } = await place.run([how, 'bbbb2222']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'error: batch bbbb2222 was made by an imgtool that could not resume\n' +
        'fix: run the same command again: what is done is not done again\n',
    );
  }
  const { stdout, code } = await place.run(['cancel', 'bbbb2222']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Batch bbbb2222 cancelled after 0 of 1\.\n/);
  expect((await place.status('bbbb2222')).batch.counts).toMatchObject({ pending: 0, cancelled: 1 });
});

it('the sources in an index of the previous version are unchanged without being read, and get ctimes', async () => {
  const place = openPlace();
  for (const seed of [1, 2, 3]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
  expect(countsOf(await place.process())).toEqual({ completed: 3 });
  const ctimes = () => readRows(place, 'SELECT ctime FROM sources ORDER BY path');
  const before = ctimes();
  expect(before).toEqual([1, 2, 3].map(() => ({ ctime: expect.stringMatching(/^\d{19}$/) })));
  makeOlder(place.index, 2);
  const again = await place.process('--profile');
  expect([again.code, countsOf(again)]).toEqual([0, { unchanged: 3 }]);
  const profile = eventsOf(again).find((event) => event.type === 'profile');
  expect(profile?.children.started).toBe(0);
  expect(ctimes()).toEqual(before);
  expect(readIndex(place.index).problems).toEqual([]);
});

it('a batch that an earlier version recorded without newer fields is rendered with these fields off', async () => {
  const place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
  const formats = FORMATS.map((format) => ['--variant', `${format}:w=40,format=${format}`]);
  await place.process(...formats.flat());
  const made = outputsOf(place);
  expect(made).toHaveLength(FORMATS.length);
  const newer = FIELD_KEYS.filter((key) => !FORMER_FIELDS.includes(key));
  expect(newer).toContain('scale');
  const db = keep(new Sqlite(place.index));
  const text = keep(db.prepare<[], string>('SELECT options FROM batches').pluck()).get() ?? '';
  const { keepEdited, ...options } = JSON.parse(text) as BatchOptions;
  expect(keepEdited).toBe(false);
  const variants = options.preset.variants.map((variant) =>
    Object.fromEntries(Object.entries(variant).filter(([key]) => !newer.some((one) => one === key))),
  );
  keep(db.prepare('UPDATE batches SET options = ?')).run(
    JSON.stringify({ ...options, preset: { ...options.preset, variants } }),
  );
  db.close();
  for (const [name] of made) rot(place.at(`out/${name}`));
  const { code, document } = await verify(place, '--fix');
  expect([code, document.wrong, document.fixed]).toEqual([0, made.length, made.length]);
  expect(outputsOf(place)).toEqual(made);
});

/** The names and bytes of all outputs. */
const outputsOf = (place: Place) =>
  place.files('out').map((name) => [name, readFileSync(place.at(`out/${name}`), 'base64')] as const);

function readRows(place: Place, sql: string): unknown[] {
  const db = keep(new Sqlite(place.index, { readonly: true }));
  const rows = keep(db.prepare(sql)).all();
  db.close();
  return rows;
}
