import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, errorOf, finishedOf, openPlace, type Place, type Session } from './imgtool.ts';
import { assertInvariants } from './invariants.ts';
import { picture, putOld } from './pictures.ts';
import { assertStopped, completed, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (let seed = 0; seed < 3; seed++) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
});

describe('outputs in the watched folder are never processed as pictures', () => {
  const SIX = [
    ...['0.jpg', '1.jpg', '2.jpg'].map((name) => `photos/${name}`),
    ...['0.jpg', '1.jpg', '2.jpg'].map((name) => `photos/later/${name}`),
  ];

  /** Three pictures exist and three are added: six jobs, then none. */
  async function assertSix(session: Session, out: string): Promise<void> {
    await session.jobs(3);
    await putMany(place, 'photos/later', 3, 20);
    await session.jobs(6);
    await session.scans(3);
    const outcome = await stop(session);
    expect(countsOf(outcome)).toEqual({ completed: 6 });
    expect(statesOf(outcome)).toEqual(completed(SIX));
    expect(place.files(out).filter((name) => name.endsWith('.webp'))).toHaveLength(12);
    await assertStopped(place, outcome, { outs: [out] });
  }

  it('if --out is in the folder', async () => {
    await assertSix(startWatch(place, '--out', 'photos/out'), 'photos/out');
  });

  it('if --out is the folder itself', async () => {
    await assertSix(startWatch(place, '--out', 'photos'), 'photos');
  });

  it('if --out is a link into the folder', async () => {
    mkdirSync(place.at('photos/made'));
    symlinkSync('photos/made', place.at('link'));
    await assertSix(startWatch(place, '--out', 'link'), 'photos/made');
  });

  it('if the watched folder is a link and --out is in its target', async () => {
    renameSync(place.at('photos'), place.at('real'));
    symlinkSync('real', place.at('photos'));
    await assertSix(startWatch(place, '--out', 'real/out'), 'real/out');
  });

  it('if a link in the folder leads to --out, followed or not', async () => {
    mkdirSync(place.at('photos/made'));
    symlinkSync('made', place.at('photos/link'));
    await assertSix(startWatch(place, '--out', 'photos/made', '--follow-symlinks'), 'photos/made');
  });

  it('if --out is removed and created again during the watch', async () => {
    const session = startWatch(place, '--out', 'photos/out');
    await session.jobs(3);
    rmSync(place.at('photos/out'), { recursive: true });
    await session.scans();
    await putMany(place, 'photos/later', 3, 20);
    await session.jobs(6);
    await session.scans(3);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(SIX));
    const gone = [0, 1, 2].flatMap((n) => ['a', 'b'].map((name) => `photos/out/${n}_${name}.webp`));
    await assertStopped(place, outcome, { outs: ['photos/out'], gone });
  });

  it('if --out becomes a link into the folder during the watch', async () => {
    const session = startWatch(place, '--out', 'out');
    await session.jobs(3);
    // The link exists before its target. Without the link the outputs would be new pictures.
    renameSync(place.at('out'), place.at('away'));
    symlinkSync('photos/moved', place.at('out'));
    renameSync(place.at('away'), place.at('photos/moved'));
    await session.scans(3);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(SIX.slice(0, 3)));
    await assertStopped(place, outcome);
  });

  it('by the next watch, even without the --out of the first watch', async () => {
    const first = startWatch(place, '--out', 'photos/out');
    await first.jobs(3);
    await stop(first);
    const again = startWatch(place, '--out', 'photos/out');
    await again.jobs(3);
    await again.scans();
    expect(countsOf(await stop(again))).toEqual({ unchanged: 3 });
    const other = startWatch(place, '--out', 'elsewhere');
    await other.jobs(3);
    await other.scans();
    const outcome = await stop(other);
    expect(countsOf(outcome)).toEqual({ completed: 3 });
    await assertStopped(place, outcome, { outs: ['photos/out', 'elsewhere'] });
  });
});

it.each([
  ['--out leads to the watched folder by a link', 'photos', 'link'],
  ['the watched folder is a link to --out', 'link', 'photos'],
])('a watch is refused if %s, because outputs would be sources', async (_title, folder, out) => {
  symlinkSync('photos', place.at('link'));
  const outcome = await place.run(['watch', '--json', '--out', out, folder]);
  expect([outcome.code, errorOf(outcome).code]).toEqual([2, 'usage']);
  expect(outcome.stderr).toMatch(
    /^error: the output folder .* under another path\nfix: name both by the same path/,
  );
  expect(place.files('photos')).toEqual(['0.jpg', '1.jpg', '2.jpg']);
});

it('the index in the watched folder stays untouched', async () => {
  const index = place.at('photos/index.db');
  const session = startWatch(place, '--all-files', '--index', index);
  await session.jobs(3);
  await session.scans(3);
  const outcome = await stop(session);
  expect(statesOf(outcome)).toEqual(completed(['photos/0.jpg', 'photos/1.jpg', 'photos/2.jpg']));
  expect(finishedOf(outcome).state).toBe('finished');
  await assertInvariants({ ...place, index }, { sources: new Map() });
});
