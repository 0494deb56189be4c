import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, jobOf, jobsOf, openPlace, type Place, type Session } from './imgtool.ts';
import { hashOf, noise, picture, putOld } from './pictures.ts';
import { assertStopped, completed, keepWriting, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

describe('a writer that stalls for longer than the settle time', () => {
  const SOURCE = 'photos/slow.jpg';

  /** Writes the rest, each piece after the watch has failed to decode the pieces before. */
  async function writeOn(session: Session, pieces: readonly Buffer[]): Promise<void> {
    for (const [i, piece] of pieces.entries()) {
      const tried = await session.events('job.retrying', i + 1);
      expect(tried[i]).toMatchObject({ source: SOURCE, delay: expect.any(Number) });
      appendFileSync(place.at(SOURCE), piece);
    }
  }

  async function assertOneResult(session: Session): Promise<void> {
    const [job] = await session.jobs(1);
    expect(job).toMatchObject({ source: SOURCE, state: 'completed', digest: hashOf(place.at(SOURCE)) });
    await session.scans();
    const outcome = await stop(session);
    expect(jobsOf(outcome)).toHaveLength(1);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    const { jobs } = await place.status(finishedOf(outcome).batch, '--all');
    expect(jobs).toHaveLength(1);
    await assertStopped(place, outcome);
  }

  async function pieces(): Promise<Buffer[]> {
    const bytes = await noise(120, 90);
    const cuts = [0, 10, 700, Math.floor(bytes.length / 2), bytes.length - 2, bytes.length];
    return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
  }

  it('gives one result for the final bytes if it began before the watch', async () => {
    const [first, ...rest] = await pieces();
    place.put(SOURCE, first!);
    const session = startWatch(place);
    await writeOn(session, rest);
    await assertOneResult(session);
  });

  it('gives one result for the final bytes if it begins later', async () => {
    const [first, ...rest] = await pieces();
    const session = startWatch(place);
    await session.event('watching');
    place.put(SOURCE, first!);
    await writeOn(session, rest);
    await assertOneResult(session);
  });

  it('gives one result even without change events', async () => {
    const [first, ...rest] = await pieces();
    place.put(SOURCE, first!);
    const session = startWatch(place, '--poll');
    await writeOn(session, rest);
    await assertOneResult(session);
  });

  it('gives one result if it replaces the half file with the whole file', async () => {
    const bytes = await noise(120, 90);
    const session = startWatch(place);
    await session.event('watching');
    place.put(SOURCE, bytes.subarray(0, 900));
    await session.event('job.retrying');
    writeFileSync(place.at('whole.jpg'), bytes);
    renameSync(place.at('whole.jpg'), place.at(SOURCE));
    await assertOneResult(session);
  });
});

describe('a file that is still being written', () => {
  it('is not tried while it changes, and --verbose reports that', async () => {
    const session = startWatch(place, '--settle', '3000', '--scan-interval', '1', '--verbose');
    await session.event('watching');
    const bytes = await picture();
    const path = place.put('photos/growing.jpg', bytes);
    await keepWriting(path, session.event('still_written'));
    expect(jobsOf(await session.said())).toEqual([]);
    writeFileSync(path, bytes);
    const [job] = await session.jobs(1);
    expect(job).toMatchObject({ state: 'completed', digest: hashOf(path) });
    const outcome = await stop(session);
    expect(outcome.stdout).not.toContain('job.retrying');
    await assertStopped(place, outcome);
  }, 90_000);

  it('is forgotten if it is removed before its processing', async () => {
    const session = startWatch(place, '--settle', '1000', '--scan-interval', '1');
    await session.event('watching');
    const path = place.put('photos/brief.jpg', await picture());
    await session.scans(1);
    rmSync(path);
    place.put('photos/kept.jpg', await picture({ seed: 2 }));
    // On a slow machine the other file may be processed before its removal.
    await session.line(/"source":"photos\/kept\.jpg","state":"completed"/);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toContain('photos/kept.jpg completed');
    expect(outcome.stdout).not.toContain('job.retrying');
    expect(countsOf(outcome).failed).toBeUndefined();
    await assertStopped(place, outcome);
  });
});

describe('a picture that cannot be decoded', () => {
  it('waits for its next attempt and delays no other picture', async () => {
    putOld(place.at('photos/broken.jpg'), (await picture()).subarray(0, 500));
    const session = startWatch(place);
    const retrying = await session.event('job.retrying');
    expect(retrying).toMatchObject({
      source: 'photos/broken.jpg',
      attempts: 1,
      delay: 30_000,
      error: { code: 'corrupt' },
    });
    place.put('photos/good.jpg', await picture({ seed: 2 }));
    await session.jobs(1);
    await session.scans();
    const outcome = await stop(session);
    expect(jobOf(outcome, 'photos/good.jpg').state).toBe('completed');
    expect(countsOf(outcome)).toEqual({ completed: 1, cancelled: 1 });
    await assertStopped(place, outcome, { state: 'cancelled' });
  });

  it('is completed at once when it is repaired', async () => {
    const path = place.put('photos/broken.jpg', 'no picture');
    const session = startWatch(place);
    await session.event('job.retrying');
    writeFileSync(path, await picture());
    await session.jobs(1);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/broken.jpg']));
    await assertStopped(place, outcome);
  });
});
