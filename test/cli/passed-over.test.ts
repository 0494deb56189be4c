import { renameSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, finishedOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { startWatch, stop } from './watching.ts';

/** Files that a walk passes over for their names: pictures and videos are counted by kind, and all others together. */

const BATCH = ['process', ...SMALL, '--out', 'out'];
const ASIDE =
  /^imgtool: 8 files passed over: 2 camera raw, 1 HEIF, 1 PDF, 1 video, 1 hidden, 2 other files$/m;
const KINDS = { 'camera raw': 2, HEIF: 1, PDF: 1, video: 1 };

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
  for (const name of ['IMG_1.CR2', 'sub/b.nef', 'c.HIF', 'd.pdf', '.e.psd', 'notes.txt', 'pdf', 'v.MOV']) {
    place.put(`photos/${name}`, 'no picture');
  }
});

describe('pictures of formats that no walk takes', () => {
  it('are counted by kind in the summary, and listed only with --verbose', async () => {
    const outcome = await place.run([...BATCH, 'photos']);
    expect([outcome.code, outcome.stdout], outcome.stderr).toEqual([0, '']);
    expect(outcome.stderr).toMatch(ASIDE);
    expect(outcome.stderr).not.toContain('IMG_1.CR2');
    const verbose = await place.run([...BATCH, '--verbose', 'photos']);
    expect(verbose.stderr).toContain('imgtool: passed over photos/IMG_1.CR2: camera raw\n');
    expect(verbose.stderr).toContain('imgtool: passed over photos/notes.txt: no_picture_name\n');
  });

  it('are counted where nothing else is found, and in a glob', async () => {
    for (const [input, counts] of [
      ['photos/sub', '1 file passed over: 1 camera raw'],
      ['photos/*.CR2', '2 files passed over: 1 camera raw, 1 hidden'],
    ] as const) {
      const { code, stderr } = await place.run([...BATCH, input]);
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining(`imgtool: no images found\nimgtool: ${counts}\n`),
      ]);
      expect(stderr).toContain(
        'warning: there is no image, only files of kinds that are not read: 1 camera raw\n',
      );
    }
  });

  it('are named where globs leave nothing else, also with --quiet', async () => {
    const { code, stdout, stderr } = await place.run([...BATCH, '-q', '--include', '*.nef', 'photos']);
    expect([code, stdout, stderr]).toEqual([
      0,
      '',
      'imgtool: warning: no image is left: the globs leave only files of kinds that are not read: 1 camera raw\n' +
        'imgtool: fix: convert pictures to TIFF or JPEG first; imgtool help formats says what is read\n',
    ]);
  });

  it('are counted by a dry run, and with --quiet there is no word', async () => {
    const dry = await place.run([...BATCH, '--dry-run', 'photos']);
    expect([dry.code, dry.stderr]).toEqual([0, expect.stringMatching(ASIDE)]);
    expect(await place.run([...BATCH, '--quiet', 'photos'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('are counted by kind in JSON, and named there with --verbose', async () => {
    for (const more of [[], ['--dry-run']]) {
      const outcome = await place.process('--verbose', ...more);
      expect(finishedOf(outcome)).toMatchObject({
        passedOver: 8,
        passedOverBy: { unsupported_format: 5, hidden: 1, no_picture_name: 2 },
        passedOverKinds: KINDS,
      });
      const named = eventsOf(outcome).filter((event) => event.type === 'passed_over');
      expect(named).toContainEqual(
        expect.objectContaining({ path: 'photos/d.pdf', reason: 'unsupported_format', kind: 'PDF' }),
      );
    }
    expect(eventsOf(await place.process()).map(({ type }) => type)).not.toContain('passed_over');
  });

  it('are counted by `status` afterwards, also of a watch', async () => {
    for (const command of [['process'], ['watch', '--once']]) {
      expect((await place.run([...command, ...BATCH.slice(1), 'photos'])).code).toBe(0);
      const { stdout } = await place.run(['status', 'last']);
      expect(stdout.replace(/\n {11}/g, ' ')).toContain(
        '  aside    8 files passed over: 2 camera raw, 1 HEIF, 1 PDF, 1 video, 1 hidden, 2 other files\n',
      );
      const { batch } = await place.status('last');
      expect(batch).toMatchObject({ passedOver: 8, passedOverBy: { hidden: 1 }, passedOverKinds: KINDS });
    }
  });

  it('become failed jobs when they are named, or with --all-files', async () => {
    const named = await place.run([...BATCH, '--json', 'photos/d.pdf']);
    expect([named.code, countsOf(named)]).toEqual([1, { failed: 1 }]);
    const all = await place.process('--all-files');
    expect([all.code, countsOf(all)]).toEqual([1, { completed: 1, failed: 7 }]);
    expect(finishedOf(all).passedOverKinds).toEqual({});
  });

  it('are counted by a watch that looks once', async () => {
    const watch = ['watch', ...SMALL, '--out', 'out', '--once'];
    const { code, stderr } = await place.run([...watch, 'photos']);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('passed_over="2 camera raw, 1 HEIF, 1 PDF, 1 video"'),
    ]);
    expect(finishedOf(await place.run([...watch, '--json', 'photos'])).passedOverKinds).toEqual(KINDS);
  });

  it('are counted by a watch as it begins, and reported once as they arrive', async () => {
    const session = startWatch(place, '--no-json', '--progress', 'plain');
    expect(await session.line(/ watching /, 'stderr')).toMatch(
      /passed_over="2 camera raw, 1 HEIF, 1 PDF, 1 video"$/,
    );
    place.put('photos/IMG_2.part', 'no picture');
    renameSync(place.at('photos/IMG_2.part'), place.at('photos/IMG_2.dng'));
    await session.line(/ skipped photos\/IMG_2\.dng reason=unsupported_format kind="camera raw"$/, 'stderr');
    place.put('photos/b.jpg', await picture({ seed: 2 }));
    await session.line(/ completed photos\/b\.jpg /, 'stderr');
    const { stderr } = await stop(session);
    expect(stderr.match(/skipped /g)).toHaveLength(1);
    expect(stderr).toMatch(/ stopped .*passed_over="3 camera raw, 1 HEIF, 1 PDF, 1 video"\n$/);
  });
});
