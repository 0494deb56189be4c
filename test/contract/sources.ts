import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenSources } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { changingSourcesConformance } from './sources-change.ts';
import { namedSourcesConformance } from './sources-named.ts';
import { RULES } from './sources-place.ts';
import { put, walk } from './sources-steps.ts';

/** The contract of sources in files and folders. */
export function sourcesConformance(name: string, open: OpenSources): void {
  namedSourcesConformance(name, open);
  changingSourcesConformance(name, open);

  describe(`${name} as sources`, () => {
    let cwd: string;
    beforeEach(() => {
      cwd = makePlace();
    });

    it('finds pictures by their extension in any case, in bytewise order of their paths', async () => {
      put(cwd, 'p/b.JPG', 'p/a/z.png', 'p/a.webp', 'p/a-1/x.Tiff', 'p/notes.txt', 'p/B.svg', 'p/é.jpe');
      const { found } = await walk(open, cwd, ['p']);
      expect(found).toEqual(['p/B.svg', 'p/a-1/x.Tiff', 'p/a.webp', 'p/a/z.png', 'p/b.JPG', 'p/é.jpe']);
    });

    it('keeps that order for names that sort differently in UTF-16', async () => {
      put(cwd, 'p/\u{1f600}.png', 'p/\uff41.png', 'p/z.png');
      expect((await walk(open, cwd, ['p'])).found).toEqual(['p/z.png', 'p/\uff41.png', 'p/\u{1f600}.png']);
    });

    it('returns each picture’s path, its path below the root, and its facts', async () => {
      put(cwd, 'p/sub/a.jpg');
      const { entries } = await walk(open, cwd, ['./p/']);
      expect(entries).toEqual([
        {
          type: 'found',
          source: join(cwd, 'p/sub/a.jpg'),
          given: 'p/sub/a.jpg',
          relative: 'sub/a.jpg',
          facts: {
            size: 11,
            mtime: expect.stringMatching(/^\d{19}$/),
            ino: expect.stringMatching(/^\d+$/),
            ctime: expect.stringMatching(/^\d{19}$/),
          },
        },
      ]);
    });

    it('returns no ctime if ctimes are not compared', async () => {
      put(cwd, 'p/a.jpg');
      const path = join(cwd, 'p/a.jpg');
      for (const paths of [['p'], ['p/a.jpg']]) {
        const { entries } = await walk(open, cwd, paths, { ignoreCtime: true });
        expect(entries.map((one) => one.type === 'found' && one.facts?.ctime)).toEqual([null]);
      }
      const sources = await open({ paths: ['p'], list: null, cwd }, { ...RULES, ignoreCtime: true });
      const facts = [await sources.stat(path), ...(await sources.statAll([path]))];
      expect(facts.map((one) => one?.ctime)).toEqual([null, null]);
    });

    it('skips hidden files, partial downloads, staged files and the index, with a reason', async () => {
      put(cwd, 'p/.hidden.jpg', 'p/.git/x.jpg', 'p/a.jpg.part', 'p/b.jpg.crdownload', 'p/c.jpg~', 'p/d.jpg');
      put(cwd, 'p/.imgtool-00ff-12.tmp', 'p/i.db', 'p/i.db-wal', 'p/i.db.runs/a.lock');
      const { found, skipped } = await walk(open, cwd, ['p'], { index: join(cwd, 'p/i.db'), allFiles: true });
      expect(found).toEqual(['p/d.jpg']);
      expect(skipped).toEqual({
        'p/.hidden.jpg': 'hidden',
        'p/.git': 'hidden',
        'p/a.jpg.part': 'partial_download',
        'p/b.jpg.crdownload': 'partial_download',
        'p/c.jpg~': 'partial_download',
        'p/.imgtool-00ff-12.tmp': 'staged',
        'p/i.db': 'index',
        'p/i.db-wal': 'index',
        'p/i.db.runs': 'index',
      });
    });

    it('lets magic bytes decide for every file only with `allFiles`', async () => {
      put(cwd, 'p/picture', 'p/notes.txt');
      expect((await walk(open, cwd, ['p'])).found).toEqual([]);
      expect((await walk(open, cwd, ['p'], { allFiles: true })).found).toEqual(['p/notes.txt', 'p/picture']);
    });

    it('skips links unless it follows links', async () => {
      put(cwd, 'p/.store/1', 'p/.store/sub/b.jpg');
      symlinkSync('.store/1', join(cwd, 'p/a.jpg'));
      symlinkSync('.store/sub', join(cwd, 'p/sub'));
      expect(await walk(open, cwd, ['p'])).toMatchObject({
        found: [],
        skipped: { 'p/.store': 'hidden', 'p/a.jpg': 'symlink', 'p/sub': 'symlink' },
      });
      expect((await walk(open, cwd, ['p'], { followSymlinks: true })).found).toEqual([
        'p/a.jpg',
        'p/sub/b.jpg',
      ]);
    });

    it('follows no link out of the root, to nothing, or in a cycle', async () => {
      put(cwd, 'p/real/a.jpg', 'elsewhere/b.jpg');
      symlinkSync('../elsewhere', join(cwd, 'p/out'));
      symlinkSync('../elsewhere/b.jpg', join(cwd, 'p/b.jpg'));
      symlinkSync('nothing', join(cwd, 'p/dangling.jpg'));
      symlinkSync('..', join(cwd, 'p/real/up'));
      symlinkSync('.', join(cwd, 'p/real/round'));
      symlinkSync('self', join(cwd, 'p/self'));
      const { found, skipped } = await walk(open, cwd, ['p'], { followSymlinks: true });
      expect(found).toEqual(['p/real/a.jpg']);
      expect(Object.values(skipped)).toEqual(Array(6).fill('symlink'));
    });

    // Root can read everything.
    it.skipIf(process.getuid?.() === 0)('returns an unreadable folder, and continues', async () => {
      put(cwd, 'p/a/x.jpg', 'p/z.jpg');
      chmodSync(join(cwd, 'p/a'), 0);
      const { found, entries } = await walk(open, cwd, ['p']);
      chmodSync(join(cwd, 'p/a'), 0o755);
      expect(found).toEqual(['p/z.jpg']);
      const source = join(cwd, 'p/a');
      const error = expect.objectContaining({ code: 'source_unreadable' });
      expect(entries).toContainEqual({ type: 'unreadable', source, given: 'p/a', relative: 'a', error });
    });

    it('skips folders that systems keep for themselves, unless one is named', async () => {
      put(cwd, 'p/@eaDir/a.jpg', 'p/sub/Lost+Found/b.jpg', 'p/z.jpg', 'p/lost+found.jpg');
      const { found, skipped } = await walk(open, cwd, ['p']);
      expect(found).toEqual(['p/lost+found.jpg', 'p/z.jpg']);
      expect(skipped).toEqual({ 'p/@eaDir': 'system_folder', 'p/sub/Lost+Found': 'system_folder' });
      expect((await walk(open, cwd, ['p/@eaDir'])).found).toEqual(['p/@eaDir/a.jpg']);
    });

    it('never returns or waits for a pipe, and never returns a folder named like a picture', async () => {
      put(cwd, 'p/x.jpg/y.png');
      execFileSync('mkfifo', [join(cwd, 'p/pipe.jpg')]);
      const { found, skipped } = await walk(open, cwd, ['p']);
      expect(found).toEqual(['p/x.jpg/y.png']);
      expect(skipped).toEqual({ 'p/pipe.jpg': 'not_regular' });
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      await expect(sources.stat(join(cwd, 'p/pipe.jpg'))).rejects.toMatchObject({
        code: 'source_unreadable',
      });
      await expect(sources.stat(join(cwd, 'p/x.jpg'))).rejects.toMatchObject({ code: 'source_unreadable' });
      await expect(sources.stat(join(cwd, 'p/none'))).rejects.toMatchObject({ code: 'source_missing' });
    });

    it('skips a name that is not UTF-8', async () => {
      put(cwd, 'p/a.jpg');
      const raw = Buffer.concat([Buffer.from(join(cwd, 'p/b')), Buffer.from([0xff]), Buffer.from('.jpg')]);
      renameSync(join(cwd, 'p/a.jpg'), raw);
      put(cwd, 'p/c\ufffd.jpg');
      const { found, skipped } = await walk(open, cwd, ['p']);
      expect(found).toEqual(['p/c\ufffd.jpg']);
      expect(Object.values(skipped)).toEqual(['name_not_utf8']);
    });

    it('skips the output folder inside a root, even if it is reached by a link or named', async () => {
      put(cwd, 'p/a.jpg', 'p/out/a_small.webp', 'p/out/deep/b.webp');
      symlinkSync('out', join(cwd, 'p/linked'));
      const rules = { out: join(cwd, 'p/linked'), followSymlinks: true };
      expect((await walk(open, cwd, ['p'], rules)).found).toEqual(['p/a.jpg']);
      expect((await walk(open, cwd, ['p/a.jpg', 'p/out/a_small.webp'], rules)).found).toEqual(['p/a.jpg']);
    });

    it('returns files in the output folder if it is or contains a named folder', async () => {
      put(cwd, 'p/a.jpg', 'p/sub/b.jpg');
      expect((await walk(open, cwd, ['p'], { out: join(cwd, 'p') })).found).toEqual([
        'p/a.jpg',
        'p/sub/b.jpg',
      ]);
      expect((await walk(open, cwd, ['p/sub'], { out: join(cwd, 'p') })).found).toEqual(['p/sub/b.jpg']);
      expect((await walk(open, cwd, ['p/a.jpg'], { out: join(cwd, 'p') })).found).toEqual(['p/a.jpg']);
      put(cwd, 'q/c.jpg');
      expect((await walk(open, cwd, ['p', 'q'], { out: join(cwd, 'p') })).found).toEqual([
        'p/a.jpg',
        'p/sub/b.jpg',
        'q/c.jpg',
      ]);
    });

    it('skips files that it never takes, and says what pictures and videos are', async () => {
      put(cwd, 'p/a.jpg', 'p/I.CR2', 'p/sub/b.pdf', 'p/c.Hif', 'p/notes.txt', 'p/psd', 'p/.d.psd', 'p/z.MOV');
      const { found, entries } = await walk(open, cwd, ['p']);
      expect(found).toEqual(['p/a.jpg']);
      const kinds = entries.map((entry) => (entry.type === 'skipped' ? (entry.kind ?? entry.reason) : null));
      expect(kinds.filter((kind) => kind !== null)).toEqual([
        ...['hidden', 'camera raw', 'HEIF', 'no_picture_name', 'no_picture_name', 'PDF', 'video'],
      ]);
      expect((await walk(open, cwd, ['p/I.CR2'])).found).toEqual(['p/I.CR2']);
      expect((await walk(open, cwd, ['p'], { allFiles: true })).found).toContain('p/I.CR2');
      expect((await walk(open, cwd, ['p'], { exclude: ['*.cr2'] })).skipped).toMatchObject({
        'p/I.CR2': 'excluded',
      });
      // The pattern does match something, and the summary says what.
      expect((await walk(open, cwd, ['p/*.CR2'])).skipped).toMatchObject({ 'p/I.CR2': 'unsupported_format' });
    });
  });
}
