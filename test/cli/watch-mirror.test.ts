import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, openPlace, type Place, type Session } from './imgtool.ts';
import { difference, hashOf, picture, putOld } from './pictures.ts';
import { ALONE, assertStopped, putMany, startWatch, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

const put = async (name: string, seed: number) => place.put(`photos/${name}`, await picture({ seed }));

describe('a source that changes', () => {
  it('has its outputs replaced, and stays one job of the batch', async () => {
    const session = startWatch(place, ...ALONE);
    for (let n = 1; n <= 4; n++) {
      const path = await put('a.jpg', n);
      const job = (await session.jobs(n))[n - 1];
      expect(job).toMatchObject({ source: 'photos/a.jpg', state: 'completed', digest: hashOf(path) });
      expect(job?.reused).toBeUndefined();
      // Read the bytes: sharp caches the previous content of a path.
      const output = readFileSync(place.at('out/a_a.webp'));
      expect(await difference(output, readFileSync(path))).toBeLessThan(20);
    }
    const outcome = await stop(session);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    const { jobs } = await place.status(finishedOf(outcome).batch, '--all');
    expect(jobs.map(({ state, digest }) => [state, digest])).toEqual([
      ['completed', hashOf(place.at('photos/a.jpg'))],
    ]);
    expect(place.files('out')).toEqual(['a_a.webp', 'a_b.webp']);
    await assertStopped(place, outcome);
  });

  it('counts once if it was unchanged at the start', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const first = startWatch(place);
    await first.jobs(1);
    await stop(first);
    const session = startWatch(place, ...ALONE);
    expect((await session.jobs(1))[0]).toMatchObject({ source: 'photos/a.jpg', state: 'unchanged' });
    await put('a.jpg', 2);
    await session.jobs(2);
    const outcome = await stop(session);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    await assertStopped(place, outcome);
  });

  it('back to its previous bytes is reported again, and nothing is rendered', async () => {
    const session = startWatch(place, ...ALONE);
    await put('a.jpg', 1);
    await session.jobs(1);
    await put('a.jpg', 1);
    const [, again] = await session.jobs(2);
    expect(again).toMatchObject({ source: 'photos/a.jpg', ms: { decode: 0 } });
    await assertStopped(place, await stop(session));
  });
});

describe('a source that is renamed or removed', () => {
  it('gets its outputs under its new name without being decoded', async () => {
    const session = startWatch(place, ...ALONE);
    await put('a.jpg', 1);
    await session.jobs(1);
    renameSync(place.at('photos/a.jpg'), place.at('photos/b.jpg'));
    const [, renamed] = await session.jobs(2);
    expect(renamed).toMatchObject({
      source: 'photos/b.jpg',
      state: 'completed',
      reused: true,
      ms: { decode: 0, encode: 0 },
    });
    const outcome = await stop(session);
    expect(place.files('out')).toEqual(['a_a.webp', 'a_b.webp', 'b_a.webp', 'b_b.webp']);
    await assertStopped(place, outcome);
  });

  it('keeps its outputs', async () => {
    const session = startWatch(place);
    await putMany(place, 'photos', 2);
    await session.jobs(2);
    rmSync(place.at('photos/0.jpg'));
    await session.scans(3);
    const outcome = await stop(session);
    expect(outcome.stdout).not.toContain('"removed"');
    expect(place.files('out')).toHaveLength(4);
    await assertStopped(place, outcome);
  });
});

describe('with --mirror', () => {
  /** Three scans, after which all removals are done. */
  const rest = (session: Session) => session.scans(3);

  it('a removed source takes its outputs with it, and only them', async () => {
    const session = startWatch(place, ...ALONE, '--mirror');
    await putMany(place, 'photos/sub', 3);
    await session.jobs(3);
    rmSync(place.at('photos/sub/1.jpg'));
    expect(await session.event('removed')).toMatchObject({
      source: 'photos/sub/1.jpg',
      paths: ['out/sub/1_a.webp', 'out/sub/1_b.webp'],
    });
    const outcome = await stop(session);
    const left = ['sub/0_a.webp', 'sub/0_b.webp', 'sub/2_a.webp', 'sub/2_b.webp'];
    expect(place.files('out')).toEqual(left);
    await assertStopped(place, outcome, { gone: ['out/sub/1_a.webp', 'out/sub/1_b.webp'] });
  });

  it('the log names each output that is removed with its source', async () => {
    const session = startWatch(place, ...ALONE, '--mirror', '--no-json', '--progress', 'plain');
    await putMany(place, 'photos', 2);
    for (const i of [0, 1]) await session.line(new RegExp(` completed photos/${i}\\.jpg `), 'stderr');
    rmSync(place.at('photos/1.jpg'));
    await session.line(/ removed out\/1_a\.webp source=photos\/1\.jpg$/, 'stderr');
    await session.line(/ removed out\/1_b\.webp source=photos\/1\.jpg$/, 'stderr');
    await stop(session);
  });

  it('a removed source loses its outputs before a file that keeps growing has settled', async () => {
    const path = await put('a.jpg', 1);
    const session = startWatch(place, '--mirror', '--verbose');
    await session.jobs(1);
    const growing = setInterval(() => appendFileSync(place.at('photos/growing.jpg'), 'more'), 20);
    try {
      rmSync(path);
      const first = await Promise.race([session.event('removed'), session.event('still_written')]);
      expect(first).toMatchObject({ type: 'removed', source: 'photos/a.jpg' });
      expect(place.files('out')).toEqual([]);
    } finally {
      clearInterval(growing);
      await stop(session);
    }
  });

  it('a renamed source has outputs under its new name, and the outputs under its old name are removed', async () => {
    const session = startWatch(place, ...ALONE, '--mirror');
    await put('a.jpg', 1);
    await session.jobs(1);
    renameSync(place.at('photos/a.jpg'), place.at('photos/b.jpg'));
    expect(await session.event('removed')).toMatchObject({ source: 'photos/a.jpg' });
    const outcome = await stop(session);
    expect((await session.jobs(2))[1]).toMatchObject({ state: 'completed', reused: true, ms: { decode: 0 } });
    expect(place.files('out')).toEqual(['b_a.webp', 'b_b.webp']);
    await assertStopped(place, outcome, { gone: ['out/a_a.webp', 'out/a_b.webp'] });
  });

  it.each(['link', 'copy', 'skip'])('a copy keeps or gets outputs with --duplicates %s', async (way) => {
    const session = startWatch(place, ...ALONE, '--mirror', '--duplicates', way);
    await put('a.jpg', 1);
    await session.jobs(1);
    await put('copy.jpg', 1);
    expect((await session.jobs(2))[1]).toMatchObject({ state: 'duplicate', duplicateOf: 'photos/a.jpg' });
    expect(existsSync(place.at('out/copy_a.webp'))).toBe(way !== 'skip');
    rmSync(place.at('photos/a.jpg'));
    await session.event('removed');
    const outcome = await stop(session);
    expect(place.files('out')).toEqual(['copy_a.webp', 'copy_b.webp']);
    expect(await difference(place.at('out/copy_a.webp'), place.at('photos/copy.jpg'))).toBeLessThan(20);
    await assertStopped(place, outcome, { gone: ['out/a_a.webp', 'out/a_b.webp'] });
  });

  it('an altered output stays', async () => {
    const session = startWatch(place, '--mirror');
    await put('a.jpg', 1);
    await put('b.jpg', 2);
    await session.jobs(2);
    writeFileSync(place.at('out/a_a.webp'), 'mine now');
    rmSync(place.at('photos/a.jpg'));
    expect(await session.event('removed')).toMatchObject({ paths: ['out/a_b.webp'] });
    await rest(session);
    const outcome = await stop(session);
    expect(readFileSync(place.at('out/a_a.webp'), 'utf8')).toBe('mine now');
    expect(place.files('out')).toEqual(['a_a.webp', 'b_a.webp', 'b_b.webp']);
    // The output has no owner any more.
    await assertStopped(place, outcome, {
      gone: ['out/a_a.webp', 'out/a_b.webp'],
      foreign: ['out/a_a.webp'],
    });
  });

  it('a source removed between two watches loses its outputs at the start, but not its hard link elsewhere', async () => {
    await putMany(place, 'photos', 3);
    const first = startWatch(place);
    await first.jobs(3);
    await stop(first);
    mkdirSync(place.at('kept'));
    linkSync(place.at('out/0_a.webp'), place.at('kept/0_a.webp'));
    rmSync(place.at('photos/0.jpg'));
    const session = startWatch(place, '--mirror');
    expect(await session.event('removed')).toMatchObject({ source: 'photos/0.jpg' });
    await session.jobs(2);
    await rest(session);
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(['photos/1.jpg unchanged', 'photos/2.jpg unchanged']);
    expect(place.files('out')).toHaveLength(4);
    expect(existsSync(place.at('kept/0_a.webp'))).toBe(true);
    await assertStopped(place, outcome, { gone: ['out/0_a.webp', 'out/0_b.webp'] });
  });

  it('a removed folder takes its outputs with it', async () => {
    const session = startWatch(place, ...ALONE, '--mirror');
    await putMany(place, 'photos/sub', 3);
    await put('kept.jpg', 50);
    await session.jobs(4);
    rmSync(place.at('photos/sub'), { recursive: true });
    await session.events('removed', 3);
    const outcome = await stop(session);
    expect(place.files('out')).toEqual(['kept_a.webp', 'kept_b.webp']);
    const gone = [0, 1, 2].flatMap((n) => [`out/sub/${n}_a.webp`, `out/sub/${n}_b.webp`]);
    await assertStopped(place, outcome, { gone });
  });
});

describe('with --mirror no output is removed, because a disk can be missing,', () => {
  beforeEach(async () => {
    await putMany(place, 'photos', 3);
  });

  async function assertAllThere(session: Session): Promise<void> {
    await session.scans(3);
    const outcome = await stop(session);
    expect(outcome.stdout).not.toContain('"removed"');
    expect(place.files('out')).toHaveLength(6);
    await assertStopped(place, outcome);
  }

  it('if the folder is empty at the start, and a warning says so', async () => {
    const first = startWatch(place);
    await first.jobs(3);
    await stop(first);
    renameSync(place.at('photos'), place.at('away'));
    mkdirSync(place.at('photos'));
    const session = startWatch(place, '--mirror');
    const warning = await session.event('warning');
    expect(warning).toMatchObject({
      message: expect.stringMatching(/^photos: 3 of the 3 pictures known from before are not there/),
    });
    await assertAllThere(session);
  });

  it('if most pictures are missing at the start, even after a new picture is processed', async () => {
    const first = startWatch(place);
    await first.jobs(3);
    await stop(first);
    renameSync(place.at('photos'), place.at('away'));
    place.put('photos/new.jpg', await picture({ seed: 77 }));
    for (const args of [[], ['--mirror'], ['--mirror']]) {
      const session = startWatch(place, ...args);
      // The first watch renders the new picture, and the others find it unchanged.
      await session.line(/"source":"photos\/new\.jpg","state":"(completed|unchanged)"/);
      await session.scans(2);
      expect(place.files('out')).toHaveLength(8);
      const outcome = await stop(session);
      expect(outcome.stdout.includes('3 of the 4 pictures known from before')).toBe(args.length > 0);
    }
  });

  it('if most pictures are missing, also at a later start when the new ones outnumber them', async () => {
    const first = startWatch(place);
    await first.jobs(3);
    await stop(first);
    renameSync(place.at('photos'), place.at('away'));
    for (let i = 0; i < 5; i++) putOld(place.at(`photos/new${i}.jpg`), await picture({ seed: 77 + i }));
    for (let night = 1; night <= 3; night++) {
      const session = startWatch(place, '--mirror');
      expect(await session.event('warning')).toMatchObject({
        message: expect.stringMatching(/^photos: 3 of the 3 pictures known from before are not there/),
      });
      await session.jobs(5);
      await session.scans(3);
      const outcome = await stop(session);
      expect(outcome.stdout).not.toContain('"removed"');
      expect(place.files('out')).toHaveLength(16);
    }
  });

  it('if one of its folders is empty at the start, and a warning names the missing pictures', async () => {
    await putMany(place, 'photos/card', 2);
    const first = startWatch(place);
    await first.jobs(5);
    await stop(first);
    renameSync(place.at('photos/card'), place.at('away'));
    mkdirSync(place.at('photos/card'));
    const session = startWatch(place, '--mirror');
    const missing = 'photos/card/0.jpg, photos/card/1.jpg';
    expect(await session.event('warning')).toMatchObject({
      message: `photos: keeps the outputs of missing pictures whose folders are empty: ${missing}`,
    });
    await session.jobs(3);
    await session.scans(3);
    const outcome = await stop(session);
    expect(outcome.stdout).not.toContain('"removed"');
    expect(place.files('out')).toHaveLength(10);
    await assertStopped(place, outcome);
  });

  it('if the watched folder disappears and comes back', async () => {
    const session = startWatch(place, '--mirror');
    await session.jobs(3);
    renameSync(place.at('photos'), place.at('away'));
    await session.event('warning');
    await session.scans(2);
    renameSync(place.at('away'), place.at('photos'));
    await session.events('warning', 2);
    await assertAllThere(session);
  });

  it('if an empty folder replaces the watched folder', async () => {
    const session = startWatch(place, '--mirror');
    await session.jobs(3);
    renameSync(place.at('photos'), place.at('away'));
    mkdirSync(place.at('photos'));
    await session.event('warning');
    await assertAllThere(session);
  });
});
