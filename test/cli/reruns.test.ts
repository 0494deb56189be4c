import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, has, jobOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { difference, hashOf, inodeOf, makeOld, picture, printOf, putOld } from './pictures.ts';

describe('processing again', () => {
  let place: Place;
  beforeEach(async () => {
    place = openPlace();
    for (const [seed, name] of ['a', 'b', 'c'].entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed }));
    }
  });
  const prints = (folder = 'out') =>
    Object.fromEntries(place.files(folder).map((name) => [name, printOf(place.at(folder, name))]));
  const hashes = (folder = 'out') =>
    Object.fromEntries(place.files(folder).map((name) => [name, hashOf(place.at(folder, name))]));
  /** Outputs that are different files, or have different bytes, than before. */
  const touched = (before: Record<string, string>, folder = 'out') =>
    Object.entries(prints(folder)).flatMap(([name, print]) => (before[name] === print ? [] : [name]));

  it('finds everything unchanged by stat alone and writes nothing', async () => {
    const first = await place.process();
    expect(countsOf(first)).toEqual({ completed: 3 });
    const before = prints();
    const second = await place.process();
    expect([countsOf(second), second.code]).toEqual([{ unchanged: 3 }, 0]);
    for (const job of jobsOf(second)) {
      expect(job.ms).toMatchObject({ digest: 0, decode: 0, encode: 0 });
      const made = jobOf(first, job.source).outputs;
      expect(job.outputs).toEqual(made?.map((output) => ({ ...output, action: 'kept' })));
    }
    expect(touched(before)).toEqual([]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('makes an edited output again, and says so', async () => {
    await place.process();
    const before = hashes();
    place.put('out/a_a.webp', 'edited');
    const again = await place.process();
    expect([countsOf(again), again.code, hashes()]).toEqual([{ completed: 1, unchanged: 2 }, 0, before]);
    expect(eventsOf(again).filter(({ type }) => type === 'warning')).toMatchObject([
      {
        message: 'out/a_a.webp: was changed since imgtool made it, so it was made again',
        fix: expect.stringContaining('in another folder'),
      },
    ]);
    const quiet = await place.process('--force');
    expect(eventsOf(quiet).filter(({ type }) => type === 'warning')).toEqual([]);
    // The size differs from the recorded one, and other settings ask for the output anew.
    place.put('out/a_a.webp', 'edited');
    const message = 'out/a_a.webp: was changed since imgtool made it, so it was made again';
    const other = await place.process('--lenient');
    expect(eventsOf(other).filter(({ type }) => type === 'warning')).toMatchObject([{ message }]);
    place.put('out/a_a.webp', 'edited');
    const forced = await place.process('--lenient', '--force');
    expect(eventsOf(forced).filter(({ type }) => type === 'warning')).toMatchObject([{ message }]);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: forced });
  });

  it.skipIf(!has('strace'))(
    'starts no process and opens no source if all is unchanged (strace)',
    async () => {
      await place.process();
      const trace = place.at('trace');
      const args = ['process', '--json', ...SMALL, '--out', 'out', 'photos'];
      const before = ['strace', '-f', '-qq', '-e', 'trace=execve,openat', '-o', trace];
      const second = await place.run(args, { before });
      expect(countsOf(second)).toEqual({ unchanged: 3 });
      const calls = readFileSync(trace, 'utf8').split('\n');
      expect(calls.filter((call) => call.includes('execve('))).toHaveLength(1);
      expect(calls.filter((call) => call.includes('photos/'))).toEqual([]);
      expect(calls.filter((call) => call.includes('index.db')).length).toBeGreaterThan(0);
    },
  );

  it('reads a source again that changed just before its stat', async () => {
    const now = new Date(Date.now() + 1_000);
    utimesSync(place.at('photos/a.jpg'), now, now);
    await place.process();
    const second = await place.process();
    expect(countsOf(second)).toEqual({ unchanged: 3 });
    expect(
      jobsOf(second)
        .filter(({ attempts }) => attempts === 1)
        .map(({ source }) => source),
    ).toEqual(['photos/a.jpg']);
  });

  it('gives copies under other names their own outputs as links', async () => {
    await place.process();
    copyFileSync(place.at('photos/a.jpg'), place.at('photos/copy.jpg'));
    const before = prints();
    const second = await place.process();
    expect(countsOf(second)).toEqual({ duplicate: 1, unchanged: 3 });
    const job = jobOf(second, 'photos/copy.jpg');
    expect(job).toMatchObject({ duplicateOf: 'photos/a.jpg', ms: { decode: 0, encode: 0 } });
    expect(job.outputs?.map(({ path }) => path)).toEqual(['out/copy_a.webp', 'out/copy_b.webp']);
    for (const variant of ['a', 'b']) {
      expect(inodeOf(place.at(`out/copy_${variant}.webp`))).toBe(inodeOf(place.at(`out/a_${variant}.webp`)));
    }
    expect(touched(before)).toEqual(['copy_a.webp', 'copy_b.webp']);
    expect(countsOf(await place.process())).toEqual({ unchanged: 4 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('renders a picture once that occurs twice in a batch', async () => {
    for (const name of ['x1', 'x2', 'x3']) putOld(place.at(`photos/${name}.jpg`), await picture({ seed: 9 }));
    const first = await place.process('--jobs', '4');
    expect(countsOf(first)).toEqual({ completed: 4, duplicate: 2 });
    const inodes = ['x1', 'x2', 'x3'].map((name) => inodeOf(place.at(`out/${name}_a.webp`)));
    expect(new Set(inodes).size).toBe(1);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: first });
  });

  it('copies the outputs of duplicates, or writes none, as --duplicates says', async () => {
    await place.process();
    putOld(place.at('photos/copy.jpg'), await picture({ seed: 0 }));
    const copied = await place.process('--duplicates', 'copy');
    expect(jobOf(copied, 'photos/copy.jpg')).toMatchObject({ state: 'duplicate' });
    expect(hashOf(place.at('out/copy_a.webp'))).toBe(hashOf(place.at('out/a_a.webp')));
    expect(inodeOf(place.at('out/copy_a.webp'))).not.toBe(inodeOf(place.at('out/a_a.webp')));
    putOld(place.at('photos/other.jpg'), await picture({ seed: 0 }));
    const before = prints();
    const skipped = await place.process('--duplicates', 'skip');
    expect(countsOf(skipped)).toEqual({ duplicate: 1, unchanged: 4 });
    const outputs = jobOf(skipped, 'photos/other.jpg').outputs?.map(({ path }) => path);
    expect(outputs).toEqual(['out/a_a.webp', 'out/a_b.webp']);
    expect(prints()).toEqual(before);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: skipped });
  });

  it('decodes nothing for a source that was renamed', async () => {
    await place.process();
    const before = hashes();
    renameSync(place.at('photos/a.jpg'), place.at('photos/renamed.jpg'));
    const second = await place.process();
    expect(countsOf(second)).toEqual({ completed: 1, unchanged: 2 });
    expect(jobOf(second, 'photos/renamed.jpg')).toMatchObject({ reused: true, ms: { decode: 0, encode: 0 } });
    expect(hashes()).toMatchObject({ ...before, 'renamed_a.webp': before['a_a.webp'] });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('decodes nothing for a tree that was moved, and keeps its names', async () => {
    await place.process();
    const before = prints();
    renameSync(place.at('photos'), place.at('moved'));
    const second = await place.run(['process', '--json', ...SMALL, '--out', 'out', 'moved']);
    expect(countsOf(second)).toEqual({ completed: 3 });
    for (const job of jobsOf(second)) expect(job).toMatchObject({ reused: true, ms: { decode: 0 } });
    expect(prints()).toEqual(before);
    const third = await place.run(['process', '--json', ...SMALL, '--out', 'out', 'moved']);
    expect(countsOf(third)).toEqual({ unchanged: 3 });
    await assertInvariants(place, { sources: sourcesOf(place, 'moved'), outcome: third });
  });

  it('decodes nothing for another output folder', async () => {
    await place.process();
    const second = await place.process('--out', 'elsewhere');
    expect(countsOf(second)).toEqual({ completed: 3 });
    for (const job of jobsOf(second)) expect(job).toMatchObject({ reused: true, ms: { decode: 0 } });
    expect(hashes('elsewhere')).toEqual(hashes());
    await assertInvariants(place, {
      sources: sourcesOf(place, 'photos'),
      outcome: second,
      outs: ['out', 'elsewhere'],
    });
  });

  it('renders only one variant per picture for `archive` after `web`', async () => {
    await place.process('--preset', 'web');
    const before = prints();
    const second = await place.process('--preset', 'archive');
    expect(countsOf(second)).toEqual({ completed: 3 });
    expect(touched(before)).toEqual(['a_original.webp', 'b_original.webp', 'c_original.webp']);
    expect(countsOf(await place.process('--preset', 'web'))).toEqual({ unchanged: 3 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('renders exactly the missing and truncated outputs again, with identical bytes', async () => {
    putOld(place.at('photos/large.jpg'), await picture({ width: 1500, height: 1000, seed: 11 }));
    const args = [...SMALL, '--variant', 'c:w=700', '--variant', 'd:w=1200'];
    await place.process(...args);
    const before = prints();
    const content = hashes();
    rmSync(place.at('out/a_a.webp'));
    truncateSync(place.at('out/large_a.webp'), 10);
    rmSync(place.at('out/large_d.webp'));
    truncateSync(place.at('out/b_b.webp'), 0);
    const second = await place.process(...args);
    expect(countsOf(second)).toEqual({ completed: 3, unchanged: 1 });
    expect(touched(before)).toEqual(['a_a.webp', 'b_b.webp', 'large_a.webp', 'large_d.webp']);
    expect(hashes()).toEqual(content);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('renders an output again that has different bytes of the same length', async () => {
    await place.process();
    const content = hashes();
    const edited = readFileSync(place.at('out/a_a.webp'));
    edited[edited.length - 1]! ^= 1;
    place.put('out/a_a.webp', edited);
    const second = await place.process();
    expect(jobOf(second, 'photos/a.jpg').state).toBe('completed');
    expect(hashes()).toEqual(content);
  });

  it('does not render an output again that was only touched', async () => {
    await place.process();
    makeOld(place.at('out/a_a.webp'));
    const before = prints();
    const second = await place.process();
    expect(countsOf(second)).toEqual({ unchanged: 3 });
    expect(prints()).toEqual(before);
    const third = await place.process();
    expect(jobsOf(third).map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
  });

  it('treats a source as unchanged that was touched or overwritten with the same bytes', async () => {
    await place.process();
    const before = prints();
    copyFileSync(place.at('photos/a.jpg'), place.at('a-again.jpg'));
    renameSync(place.at('a-again.jpg'), place.at('photos/a.jpg'));
    const second = await place.process();
    expect([countsOf(second), prints()]).toEqual([{ unchanged: 3 }, before]);
  });

  it('replaces a source’s own outputs if its bytes have changed', async () => {
    await place.process();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 20 }));
    const before = prints();
    const second = await place.process();
    expect(countsOf(second)).toEqual({ completed: 1, unchanged: 2 });
    expect(touched(before)).toEqual(['a_a.webp', 'a_b.webp']);
    expect(await difference(place.at('out/a_a.webp'), place.at('photos/a.jpg'))).toBeLessThan(20);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('replaces a source’s own outputs if the settings have changed', async () => {
    await place.process();
    const before = prints();
    const second = await place.process('--variant', 'a:w=40,q=30', '--variant', 'b:w=20');
    expect(countsOf(second)).toEqual({ completed: 3 });
    expect(touched(before)).toEqual(['a_a.webp', 'b_a.webp', 'c_a.webp']);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('renders only the variants again whose effort has changed', async () => {
    const variants = ['--variant', 'a:w=40', '--variant', 'b:w=20,effort=4'];
    await place.process(...variants);
    const [before, content] = [prints(), hashes()];
    const second = await place.process(...variants, '--effort', '0');
    expect(countsOf(second)).toEqual({ completed: 3 });
    expect(touched(before)).toEqual(['a_a.webp', 'b_a.webp', 'c_a.webp']);
    expect(hashes()['a_a.webp']).not.toBe(content['a_a.webp']);
    const named = ['--variant', 'a:w=40,effort=0', '--variant', 'b:w=20'];
    expect(countsOf(await place.process(...named))).toEqual({ unchanged: 3 });
    await place.process(...variants);
    expect(hashes()).toEqual(content);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('renders everything again with --force', async () => {
    await place.process();
    const [before, content] = [prints(), hashes()];
    const second = await place.process('--force');
    expect(countsOf(second)).toEqual({ completed: 3 });
    expect(touched(before)).toHaveLength(6);
    expect(hashes()).toEqual(content);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome: second });
  });

  it('handles a source that is a hard link of another', async () => {
    mkdirSync(place.at('photos/sub'));
    linkSync(place.at('photos/a.jpg'), place.at('photos/sub/linked.jpg'));
    const first = await place.process();
    expect(countsOf(first)).toEqual({ completed: 3, duplicate: 1 });
    expect(countsOf(await place.process())).toEqual({ unchanged: 4 });
  });
});
