import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Gate, makeGate } from './gate.ts';
import {
  type BatchDocument,
  countsOf,
  errorOf,
  finishedOf,
  openPlace,
  type Place,
  type Session,
  SMALL,
  type StatusDocument,
} from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { commented, noise, picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});
const BATCH = ['process', '--json', '--jobs', '2', '--out', 'out', 'photos'];

async function putMany(count: number): Promise<void> {
  const one = await noise(120, 90);
  for (let i = 0; i < count; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
}

async function started(free: number): Promise<{ session: Session; id: string; gate: Gate }> {
  const gate = makeGate(place, { free });
  const session = place.start(BATCH, gate);
  const [event] = await session.events('batch.started', 1);
  return { session, id: event!.batch, gate };
}

describe('`status` of a running batch', () => {
  it('adds up at every call, and every completed picture has its files', async () => {
    const COUNT = 20;
    await putMany(COUNT);
    const { session, id, gate } = await started(0);
    const samples: StatusDocument[] = [];
    do {
      // Called while the next four are in progress.
      gate.pass(4);
      const done = session.jobs(Math.min(COUNT, 4 * (samples.length + 1)));
      const [sample] = await Promise.all([place.status(id, '--all'), done]);
      samples.push(sample);
      const { counts, total } = sample.batch;
      expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(total);
      expect(total).toBe(COUNT);
      // In work, waiting for a slot, or with outputs that are about to become visible.
      expect(counts.processing).toBeLessThanOrEqual(4 * 2);
      const completed = sample.jobs.filter(({ state }) => state === 'completed');
      for (const { outputs = [] } of completed) {
        expect(outputs).toHaveLength(3);
        for (const { path } of outputs) expect(existsSync(path), path).toBe(true);
      }
    } while (samples.at(-1)?.batch.state === 'running');
    const outcome = await session.ended;
    expect(outcome.code).toBe(0);
    const values = samples.map(({ batch }) => batch.counts.completed + batch.counts.duplicate);
    expect(new Set(values).size).toBeGreaterThanOrEqual(3);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(samples.at(-1)?.batch.counts).toEqual(finishedOf(outcome).counts);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('follows the batch to its end with --watch', async () => {
    await putMany(4);
    const { session, id, gate } = await started(1);
    const watching = place.start(['status', id, '--watch']);
    await watching.line(/running/);
    gate.open();
    const watched = await watching.ended;
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('finished');
    await session.ended;
  });
});

describe('`status` of a batch that ended', () => {
  it('finds the batch by any unique beginning of its id', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const { batch } = finishedOf(await place.process());
    for (const prefix of [batch, batch.slice(0, 5), batch.slice(0, 1)]) {
      expect((await place.status(prefix)).batch.id).toBe(batch);
    }
    const { stdout, stderr, code } = await place.run(['status', batch.slice(0, 4)]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(batch);
  });

  it('finds the batch from any folder, with absolute paths', async () => {
    place.put('photos/bad.jpg', 'text');
    const { batch } = finishedOf(await place.process());
    const { stdout } = await place.run(['status', batch, '--json'], { cwd: '/' });
    const document = JSON.parse(stdout) as StatusDocument;
    expect(document.jobs[0]?.source).toBe(place.at('photos/bad.jpg'));
    expect(document.batch).toMatchObject({ out: place.at('out'), inputs: [place.at('photos')] });
  });

  it('rejects an unknown or malformed id with exit code 2', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    await place.process();
    for (const id of ['fffffffff', 'zz', '', "' OR 1=1 --", '%']) {
      const outcome = await place.run(['status', '--json', id]);
      expect([outcome.code, errorOf(outcome).code]).toEqual([2, id === '' ? 'usage' : 'unknown_batch']);
    }
  });
});

describe('a batch whose whole process group was killed', () => {
  it('is shown as interrupted at once, and the same command completes it', async () => {
    await putMany(12);
    const { session, id, gate } = await started(1);
    await session.event('job');
    await gate.held(session);
    session.signal('SIGKILL', 'group');
    await session.ended;
    const dead = await place.status(id);
    expect(dead.batch.state).toBe('interrupted');
    const again = await place.run(BATCH);
    expect(again.code).toBe(0);
    const { completed = 0, unchanged = 0, duplicate = 0 } = countsOf(again);
    expect(completed + unchanged + duplicate).toBe(12);
    expect(unchanged).toBeGreaterThan(0);
    const { batch } = await place.status(id);
    expect([batch.state, batch.counts.processing]).toEqual(['interrupted', 0]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: again });
  });
});

describe('`list`', () => {
  it('shows the newest batches first, as many as requested', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift(finishedOf(await place.process()).batch);
    const listed = async (...args: string[]) => {
      const { stdout, stderr, code } = await place.run(['list', '--json', ...args]);
      expect([stderr, code]).toEqual(['', 0]);
      return JSON.parse(stdout) as { v: number; batches: BatchDocument[] };
    };
    const all = await listed();
    expect([all.v, all.batches.map(({ id }) => id)]).toEqual([1, ids]);
    for (const { startedAt, finishedAt, counts, state } of all.batches) {
      expect([startedAt, finishedAt]).toEqual(
        Array(2).fill(expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/)),
      );
      expect([state, Object.keys(counts)]).toEqual([
        'finished',
        expect.arrayContaining(['pending', 'cancelled']),
      ]);
    }
    expect((await listed('--limit', '2')).batches.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const { stdout } = await place.run(['list', '--limit', '1']);
    expect(stdout).toContain(ids[0]);
    expect(stdout).not.toContain(ids[1]);
  });

  it('shows no batches if there are none', async () => {
    const { code, stdout, stderr } = await place.run(['list']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([expect.stringMatching(/^batch\t/), '']);
    expect((await place.run(['list', '--json'])).stdout).toBe('{"v":1,"batches":[]}\n');
  });
});

describe('two processes at once on the same files and one index', () => {
  it('together render each picture once, and both succeed', async () => {
    const one = await noise(120, 90);
    for (let i = 0; i < 24; i++) putOld(place.at(`photos/${i}.jpg`), commented(one, `picture ${i}`));
    const args = ['process', '--json', '--jobs', '2', ...SMALL, '--out', 'out', 'photos'];
    const outcomes = await Promise.all([place.run(args), place.run(args)]);
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const rendered = outcomes.flatMap(
      ({ stdout }) => stdout.match(/"state":"completed"(?!.*"reused":true)/g) ?? [],
    );
    expect(rendered).toHaveLength(24);
    for (const outcome of outcomes) {
      const { completed = 0, unchanged = 0 } = countsOf(outcome);
      expect(completed + unchanged).toBe(24);
    }
    expect(place.files('out')).toHaveLength(48);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });
});
