import { mkdirSync, rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { type BatchDocument, finishedOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';
import { argsOf, assertStopped, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

describe('two watches on one folder and one index', () => {
  const COUNT = 30;

  it.each(['there before', 'new'])('render each picture once, %s', async (when) => {
    if (when === 'there before') await putMany(place, 'photos', COUNT);
    const sessions = [startWatch(place), startWatch(place)];
    await Promise.all(sessions.map((session) => session.event('watching')));
    if (when === 'new') await putMany(place, 'photos/new', COUNT);
    await Promise.all(sessions.map((session) => session.jobs(COUNT)));
    await Promise.all(sessions.map((session) => session.scans()));
    const outcomes = await Promise.all(sessions.map((session) => stop(session)));
    for (const outcome of outcomes) {
      expect(statesOf(outcome)).toHaveLength(COUNT);
      expect(new Set(jobsOf(outcome).map(({ source }) => source)).size).toBe(COUNT);
      expect(outcome.stderr).toBe('');
    }
    const rendered = outcomes
      .flatMap(jobsOf)
      .filter(({ state, reused }) => state === 'completed' && reused === undefined);
    expect(rendered).toHaveLength(COUNT);
    expect(new Set(rendered.map(({ digest }) => digest)).size).toBe(COUNT);
    expect(place.files('out')).toHaveLength(2 * COUNT);
    for (const outcome of outcomes) await assertStopped(place, outcome);
  });

  it('both with --mirror remove the outputs of a removed picture without an error', async () => {
    await putMany(place, 'photos', 4);
    const sessions = [startWatch(place, '--mirror'), startWatch(place, '--mirror')];
    await Promise.all(sessions.map((session) => session.jobs(4)));
    rmSync(place.at('photos/0.jpg'));
    await Promise.race(sessions.map((session) => session.event('removed')));
    await Promise.all(sessions.map((session) => session.scans(3)));
    const outcomes = await Promise.all(sessions.map((session) => stop(session)));
    expect(place.files('out')).toHaveLength(6);
    for (const outcome of outcomes)
      await assertStopped(place, outcome, { gone: ['out/0_a.webp', 'out/0_b.webp'] });
  });
});

describe('a running watch', () => {
  async function listed(id: string): Promise<BatchDocument | undefined> {
    const { stdout } = await place.run(['list', '--json']);
    const { batches } = JSON.parse(stdout) as { batches: BatchDocument[] };
    return batches.find((batch) => batch.id === id);
  }

  it('is shown with its current counts by `status` and `list`', async () => {
    const session = startWatch(place);
    const begun = (await session.events('batch.started', 1))[0]!;
    for (let n = 1; n <= 3; n++) {
      place.put(`photos/${n}.jpg`, await picture({ seed: n }));
      await session.jobs(n);
      for (const batch of [(await place.status(begun.batch)).batch, await listed(begun.batch)]) {
        expect(batch).toMatchObject({ state: 'running', total: n, finishedAt: null });
        expect(batch?.counts).toMatchObject({ completed: n, pending: 0, failed: 0 });
      }
    }
    place.put('photos/broken.jpg', 'no picture');
    await session.event('job.retrying');
    const { batch } = await place.status(begun.batch);
    expect(batch.counts).toMatchObject({ completed: 3, retrying: 1 });
    const outcome = await stop(session);
    expect(await listed(begun.batch)).toMatchObject({ state: 'cancelled', total: 4 });
    expect(finishedOf(outcome).batch).toBe(begun.batch);
    await assertStopped(place, outcome, { state: 'cancelled' });
  });
});

describe('plain output in a pipe', () => {
  it('has a line with a time for each picture, and no control codes', async () => {
    const session = startWatch(place, '--no-json');
    await session.line(/ watching folders=1 by=events$/, 'stderr');
    await putMany(place, 'photos/new folder', 3);
    place.put('photos/copy.jpg', await picture({ seed: 1 }));
    place.put('photos/esc\u001b[31m.jpg', await picture({ seed: 50 }));
    for (const name of ['0', '1', '2']) await session.line(new RegExp(`${name}\\.jpg" `), 'stderr');
    await session.line(/copy\.jpg /, 'stderr');
    await session.line(/esc.*\.jpg/, 'stderr');
    session.signal('SIGTERM');
    const { stdout, stderr, signal } = await session.ended;
    expect([stdout, signal]).toEqual(['', 'SIGTERM']);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S/);
    expect(lines.filter((line) => / (completed|duplicate) "?photos\//.test(line))).toHaveLength(5);
    expect(lines.at(-1)).toMatch(/ stopped after=\S+ completed=4 duplicate=1 /);
  });

  it('is silent with --quiet', async () => {
    const session = startWatch(place, '--no-json', '--quiet', '--once');
    place.put('photos/a.jpg', await picture());
    expect(await session.ended).toMatchObject({ stdout: '', stderr: '', code: 0 });
  });
});

describe('a watch as a service', () => {
  it('prints no time to the journal, keeps its index in $STATE_DIRECTORY and stops on SIGTERM', async () => {
    await putMany(place, 'photos', 2);
    // The format of systemd: device and inode of the stream that leads to the journal.
    const journal = 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec "$@"';
    const session = place.start(argsOf(['--no-json']), {
      before: ['sh', '-c', journal, 'sh'],
      env: { STATE_DIRECTORY: place.at('state') },
    });
    for (const name of ['0', '1']) await session.line(new RegExp(`^completed photos/${name}.jpg `), 'stderr');
    session.signal('SIGTERM', 'group');
    const { stdout, stderr, signal } = await session.ended;
    expect([stdout, signal], stderr).toEqual(['', 'SIGTERM']);
    expect(stderr).not.toMatch(/^\d{4}-/m);
    const index = place.at('state/imgtool.db');
    await assertInvariants({ ...place, index }, { sources: sourcesOf(place, 'photos') });
  });

  it('exits with 141 when nobody reads its output, and nothing is lost', async () => {
    await putMany(place, 'photos', 3);
    const session = startWatch(place);
    await session.jobs(3);
    session.child.stdout?.destroy();
    place.put('photos/more.jpg', await picture({ seed: 20 }));
    expect(await session.ended).toMatchObject({ code: 141, stderr: '' });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
    const again = await place.run(argsOf(['--once']));
    expect(finishedOf(again).counts).toMatchObject({ cancelled: 0, failed: 0 });
    expect(place.files('out')).toHaveLength(8);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: again });
  });
});
