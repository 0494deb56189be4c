import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPlace, type Place, type Session } from './imgtool.ts';
import { picture } from './pictures.ts';
import { ALONE, assertStopped, completed, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

const ROUNDS = 4;
const GONE = 'photos: is not there any more; waiting for it to come back';
const BACK = 'photos: is there again';
const OTHER = 'photos: is another folder now';

/** Writes the n-th picture and waits until the n-th job is completed. */
async function landAndWait(session: Session, n: number, path: string): Promise<void> {
  place.put(path, await picture({ seed: n }));
  const jobs = await session.jobs(n);
  expect(jobs[n - 1]).toMatchObject({ source: path, state: 'completed' });
}

/** Without a pause. If the new folder gets the inode of the old folder, only the event shows the difference. */
function makeAnew(folder: string): void {
  for (const name of readdirSync(place.at(folder))) rmSync(place.at(folder, name), { recursive: true });
  rmdirSync(place.at(folder));
  mkdirSync(place.at(folder));
}

const warnings = async (session: Session, count: number) =>
  (await session.events('warning', count)).map(({ message }) => message);

describe('a folder below the watched one', () => {
  it('that is removed and created again at once is still watched, each time', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/sub/0.jpg');
    for (let n = 2; n < 2 * ROUNDS + 2; n += 2) {
      makeAnew('photos/sub');
      await landAndWait(session, n, `photos/sub/${n}.jpg`);
      await landAndWait(session, n + 1, `photos/sub/${n + 1}.jpg`);
    }
    const outcome = await stop(session);
    expect(outcome.stdout).not.toContain('"warning"');
    await assertStopped(place, outcome);
  });

  it('that is created again with all its subfolders is still watched, even if it stays empty at first', async () => {
    const session = startWatch(place);
    await landAndWait(session, 1, 'photos/sub/deep/0.jpg');
    for (let n = 2; n < 6; n++) {
      rmSync(place.at('photos/sub'), { recursive: true });
      mkdirSync(place.at('photos/sub/deep'), { recursive: true });
      await session.scans();
      await landAndWait(session, n, `photos/sub/deep/${n}.jpg`);
    }
    await assertStopped(place, await stop(session));
  });

  it('that is replaced by another folder is watched in its new form', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/sub/old.jpg');
    place.put('other/new.jpg', await picture({ seed: 2 }));
    renameSync(place.at('photos/sub'), place.at('away'));
    renameSync(place.at('other'), place.at('photos/sub'));
    expect((await session.jobs(2))[1]).toMatchObject({ source: 'photos/sub/new.jpg', state: 'completed' });
    await landAndWait(session, 3, 'photos/sub/newer.jpg');
    place.put('away/unseen.jpg', await picture({ seed: 9 }));
    await landAndWait(session, 4, 'photos/sub/newest.jpg');
    await assertStopped(place, await stop(session));
  });

  it('that is renamed is watched under its new name, and its pictures are not rendered again', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/one/0.jpg');
    renameSync(place.at('photos/one'), place.at('photos/two'));
    expect((await session.jobs(2))[1]).toMatchObject({ source: 'photos/two/0.jpg', reused: true });
    await landAndWait(session, 3, 'photos/two/1.jpg');
    await assertStopped(place, await stop(session));
  });
});

describe('the watched folder', () => {
  it('is reported and watched again when it is removed and created again, each time', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/0.jpg');
    for (let n = 2; n < 5; n++) {
      rmSync(place.at('photos'), { recursive: true });
      expect((await warnings(session, 2 * n - 3)).at(-1)).toBe(GONE);
      await landAndWait(session, n, `photos/sub/${n}.jpg`);
      expect((await warnings(session, 2 * n - 2)).at(-1)).toBe(BACK);
    }
    const outcome = await stop(session);
    expect(outcome.stderr).toMatch(/^\S+Z warning message="photos: is not there any more/);
    await assertStopped(place, outcome);
  });

  it('is still watched when it is removed and created again at once, each time', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/0.jpg');
    for (let n = 2; n < ROUNDS + 2; n++) {
      makeAnew('photos');
      await landAndWait(session, n, `photos/${n}.jpg`);
    }
    await assertStopped(place, await stop(session));
  });

  it('is reported and watched again when it is renamed away and back', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/0.jpg');
    for (let n = 2; n < 5; n++) {
      renameSync(place.at('photos'), place.at('away'));
      expect((await warnings(session, 2 * n - 3)).at(-1)).toBe(GONE);
      renameSync(place.at('away'), place.at('photos'));
      expect((await warnings(session, 2 * n - 2)).at(-1)).toBe(BACK);
      await landAndWait(session, n, `photos/${n}.jpg`);
    }
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['0', '2', '3', '4'].map((name) => `photos/${name}.jpg`)));
    await assertStopped(place, outcome);
  });

  it('is still watched when it is renamed away and back at once', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/0.jpg');
    for (let n = 2; n < ROUNDS + 2; n++) {
      renameSync(place.at('photos'), place.at('away'));
      renameSync(place.at('away'), place.at('photos'));
      await landAndWait(session, n, `photos/${n}.jpg`);
    }
    await assertStopped(place, await stop(session));
  });

  it('is reported when it is replaced, and the new folder is watched', async () => {
    const session = startWatch(place, ...ALONE);
    await landAndWait(session, 1, 'photos/0.jpg');
    place.put('other/new.jpg', await picture({ seed: 2 }));
    const before = statSync(place.at('photos')).ino;
    renameSync(place.at('photos'), place.at('away'));
    renameSync(place.at('other'), place.at('photos'));
    expect(statSync(place.at('photos')).ino).not.toBe(before);
    // The folder was missing between the two events.
    expect([OTHER, GONE]).toContain((await warnings(session, 1))[0]);
    expect((await session.jobs(2))[1]).toMatchObject({ source: 'photos/new.jpg', state: 'completed' });
    await landAndWait(session, 3, 'photos/newer.jpg');
    await assertStopped(place, await stop(session));
  });

  it('is watched again after it was missing at the end of a scan', async () => {
    const session = startWatch(place);
    await landAndWait(session, 1, 'photos/0.jpg');
    renameSync(place.at('photos'), place.at('away'));
    await warnings(session, 1);
    await session.scans();
    renameSync(place.at('away'), place.at('photos'));
    await landAndWait(session, 2, 'photos/1.jpg');
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(['photos/0.jpg', 'photos/1.jpg']));
    await assertStopped(place, outcome);
  });

  it('does not keep another folder from being watched while it is missing', async () => {
    mkdirSync(place.at('more'));
    const session = startWatch(place, ...ALONE, 'more');
    await landAndWait(session, 1, 'photos/0.jpg');
    renameSync(place.at('photos'), place.at('away'));
    await warnings(session, 1);
    await landAndWait(session, 2, 'more/1.jpg');
    renameSync(place.at('away'), place.at('photos'));
    await warnings(session, 2);
    await landAndWait(session, 3, 'photos/2.jpg');
    await assertStopped(place, await stop(session));
  });
});
