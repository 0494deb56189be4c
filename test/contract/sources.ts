import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WalkRules } from '../../src/model.ts';
import type { Inputs, OpenSources, WalkEntry } from '../../src/ports.ts';
import { makePlace } from '../place.ts';

const RULES: WalkRules = {
  allFiles: false,
  followSymlinks: false,
  ignoreCtime: false,
  include: [],
  exclude: [],
  base: null,
  out: '/nowhere/out',
  index: '/nowhere/index.db',
  hasFolders: true,
};

/** The contract of sources in files and folders. */
export function sourcesConformance(name: string, open: OpenSources): void {
  describe(`${name} as sources`, () => {
    let cwd: string;
    beforeEach(() => {
      cwd = makePlace();
    });
    const put = (...paths: string[]) => {
      for (const path of paths) {
        mkdirSync(dirname(join(cwd, path)), { recursive: true });
        writeFileSync(join(cwd, path), path);
      }
    };
    const walk = async (paths: string[], rules: Partial<WalkRules> = {}, list: Inputs['list'] = null) => {
      const sources = await open({ paths, list, cwd }, { ...RULES, ...rules });
      const entries: WalkEntry[] = [];
      for await (const entry of sources.walk(new AbortController().signal)) entries.push(entry);
      return {
        found: entries.flatMap((entry) => (entry.type === 'found' ? [entry.given] : [])),
        skipped: Object.fromEntries(
          entries.flatMap((entry) => (entry.type === 'skipped' ? [[entry.given, entry.reason]] : [])),
        ),
        entries,
      };
    };

    it('finds pictures by their extension in any case, in bytewise order of their paths', async () => {
      put('p/b.JPG', 'p/a/z.png', 'p/a.webp', 'p/a-1/x.Tiff', 'p/notes.txt', 'p/B.svg', 'p/é.jpe');
      const { found } = await walk(['p']);
      expect(found).toEqual(['p/B.svg', 'p/a-1/x.Tiff', 'p/a.webp', 'p/a/z.png', 'p/b.JPG', 'p/é.jpe']);
    });

    it('keeps that order for names that sort differently in UTF-16', async () => {
      put('p/\u{1f600}.png', 'p/\uff41.png', 'p/z.png');
      expect((await walk(['p'])).found).toEqual(['p/z.png', 'p/\uff41.png', 'p/\u{1f600}.png']);
    });

    it('returns each picture’s path, its path below the root, and its facts', async () => {
      put('p/sub/a.jpg');
      const { entries } = await walk(['./p/']);
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
      put('p/a.jpg');
      const path = join(cwd, 'p/a.jpg');
      for (const paths of [['p'], ['p/a.jpg']]) {
        const { entries } = await walk(paths, { ignoreCtime: true });
        expect(entries.map((one) => one.type === 'found' && one.facts?.ctime)).toEqual([null]);
      }
      const sources = await open({ paths: ['p'], list: null, cwd }, { ...RULES, ignoreCtime: true });
      const facts = [await sources.stat(path), ...(await sources.statAll([path]))];
      expect(facts.map((one) => one?.ctime)).toEqual([null, null]);
    });

    it('skips hidden files, partial downloads, staged files and the index, with a reason', async () => {
      put('p/.hidden.jpg', 'p/.git/x.jpg', 'p/a.jpg.part', 'p/b.jpg.crdownload', 'p/c.jpg~', 'p/d.jpg');
      put('p/.imgtool-00ff-12.tmp', 'p/i.db', 'p/i.db-wal', 'p/i.db.runs/a.lock');
      const { found, skipped } = await walk(['p'], { index: join(cwd, 'p/i.db'), allFiles: true });
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
      put('p/picture', 'p/notes.txt');
      expect((await walk(['p'])).found).toEqual([]);
      expect((await walk(['p'], { allFiles: true })).found).toEqual(['p/notes.txt', 'p/picture']);
    });

    it('skips links unless it follows links', async () => {
      put('p/.store/1', 'p/.store/sub/b.jpg');
      symlinkSync('.store/1', join(cwd, 'p/a.jpg'));
      symlinkSync('.store/sub', join(cwd, 'p/sub'));
      expect(await walk(['p'])).toMatchObject({
        found: [],
        skipped: { 'p/.store': 'hidden', 'p/a.jpg': 'symlink', 'p/sub': 'symlink' },
      });
      expect((await walk(['p'], { followSymlinks: true })).found).toEqual(['p/a.jpg', 'p/sub/b.jpg']);
    });

    it('follows links inside the root, but returns a file once that is reachable twice', async () => {
      put('p/real/a.jpg', 'p/real/b.jpg');
      symlinkSync('real/a.jpg', join(cwd, 'p/file.jpg'));
      symlinkSync('real', join(cwd, 'p/zz'));
      const { found } = await walk(['p'], { followSymlinks: true });
      expect(found).toEqual(['p/file.jpg', 'p/real/b.jpg']);
      expect((await walk(['p'], { followSymlinks: true, include: ['file.*'] })).found).toEqual([
        'p/file.jpg',
      ]);
    });

    it('follows no link out of the root, to nothing, or in a cycle', async () => {
      put('p/real/a.jpg', 'elsewhere/b.jpg');
      symlinkSync('../elsewhere', join(cwd, 'p/out'));
      symlinkSync('../elsewhere/b.jpg', join(cwd, 'p/b.jpg'));
      symlinkSync('nothing', join(cwd, 'p/dangling.jpg'));
      symlinkSync('..', join(cwd, 'p/real/up'));
      symlinkSync('.', join(cwd, 'p/real/round'));
      symlinkSync('self', join(cwd, 'p/self'));
      const { found, skipped } = await walk(['p'], { followSymlinks: true });
      expect(found).toEqual(['p/real/a.jpg']);
      expect(Object.values(skipped)).toEqual(Array(6).fill('symlink'));
    });

    it('walks a folder once that is named by two paths', async () => {
      put('p/a.jpg');
      symlinkSync('p', join(cwd, 'q'));
      expect((await walk(['p', 'q'])).found).toEqual(['p/a.jpg']);
    });

    // Root can read everything.
    it.skipIf(process.getuid?.() === 0)('returns an unreadable folder, and continues', async () => {
      put('p/a/x.jpg', 'p/z.jpg');
      chmodSync(join(cwd, 'p/a'), 0);
      const { found, entries } = await walk(['p']);
      chmodSync(join(cwd, 'p/a'), 0o755);
      expect(found).toEqual(['p/z.jpg']);
      const source = join(cwd, 'p/a');
      const error = expect.objectContaining({ code: 'source_unreadable' });
      expect(entries).toContainEqual({ type: 'unreadable', source, given: 'p/a', relative: 'a', error });
    });

    it('tells a folder from a file', async () => {
      put('p/a/x.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      const paths = ['p/a', 'p/a/x.jpg', 'p/none'].map((path) => join(cwd, path));
      expect(await Promise.all(paths.map((path) => sources.isFolder(path)))).toEqual([true, false, false]);
    });

    it('skips folders that systems keep for themselves, unless one is named', async () => {
      put('p/@eaDir/a.jpg', 'p/sub/Lost+Found/b.jpg', 'p/z.jpg', 'p/lost+found.jpg');
      const { found, skipped } = await walk(['p']);
      expect(found).toEqual(['p/lost+found.jpg', 'p/z.jpg']);
      expect(skipped).toEqual({ 'p/@eaDir': 'system_folder', 'p/sub/Lost+Found': 'system_folder' });
      expect((await walk(['p/@eaDir'])).found).toEqual(['p/@eaDir/a.jpg']);
    });

    it('never returns or waits for a pipe, and never returns a folder named like a picture', async () => {
      put('p/x.jpg/y.png');
      execFileSync('mkfifo', [join(cwd, 'p/pipe.jpg')]);
      const { found, skipped } = await walk(['p']);
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
      put('p/a.jpg');
      const raw = Buffer.concat([Buffer.from(join(cwd, 'p/b')), Buffer.from([0xff]), Buffer.from('.jpg')]);
      renameSync(join(cwd, 'p/a.jpg'), raw);
      put('p/c\ufffd.jpg');
      const { found, skipped } = await walk(['p']);
      expect(found).toEqual(['p/c\ufffd.jpg']);
      expect(Object.values(skipped)).toEqual(['name_not_utf8']);
    });

    it('skips the output folder inside a root, even if it is reached by a link or named', async () => {
      put('p/a.jpg', 'p/out/a_small.webp', 'p/out/deep/b.webp');
      symlinkSync('out', join(cwd, 'p/linked'));
      const rules = { out: join(cwd, 'p/linked'), followSymlinks: true };
      expect((await walk(['p'], rules)).found).toEqual(['p/a.jpg']);
      expect((await walk(['p/a.jpg', 'p/out/a_small.webp'], rules)).found).toEqual(['p/a.jpg']);
    });

    it('returns files in the output folder if it is or contains a named folder', async () => {
      put('p/a.jpg', 'p/sub/b.jpg');
      expect((await walk(['p'], { out: join(cwd, 'p') })).found).toEqual(['p/a.jpg', 'p/sub/b.jpg']);
      expect((await walk(['p/sub'], { out: join(cwd, 'p') })).found).toEqual(['p/sub/b.jpg']);
      expect((await walk(['p/a.jpg'], { out: join(cwd, 'p') })).found).toEqual(['p/a.jpg']);
      put('q/c.jpg');
      expect((await walk(['p', 'q'], { out: join(cwd, 'p') })).found).toEqual([
        'p/a.jpg',
        'p/sub/b.jpg',
        'q/c.jpg',
      ]);
    });

    it('returns every named path, whatever its extension', async () => {
      put('notes.txt', '.hidden', 'a.part');
      put('elsewhere/x');
      symlinkSync('elsewhere/x', join(cwd, 'link'));
      expect((await walk(['notes.txt', '.hidden', 'a.part', 'link'])).found).toEqual([
        'notes.txt',
        '.hidden',
        'a.part',
        'link',
      ]);
    });

    it('returns a file once that is reachable twice', async () => {
      put('p/a.jpg', 'p/sub/b.jpg');
      expect((await walk(['p/sub', 'p', 'p/a.jpg', './p/a.jpg'])).found).toEqual(['p/sub/b.jpg', 'p/a.jpg']);
    });

    it('includes and excludes by globs on the path below the root', async () => {
      put('p/a.jpg', 'p/raw/b.jpg', 'p/raw/c.png');
      expect((await walk(['p'], { include: ['**/*.jpg'] })).found).toEqual(['p/a.jpg', 'p/raw/b.jpg']);
      expect((await walk(['p'], { exclude: ['raw'] })).found).toEqual(['p/a.jpg']);
      expect((await walk(['p'], { exclude: ['**/*.png'] })).found).toEqual(['p/a.jpg', 'p/raw/b.jpg']);
    });

    it('skips files that it never takes, and says what pictures and videos are', async () => {
      put('p/a.jpg', 'p/I.CR2', 'p/sub/b.pdf', 'p/c.Hif', 'p/notes.txt', 'p/psd', 'p/.d.psd', 'p/z.MOV');
      const { found, entries } = await walk(['p']);
      expect(found).toEqual(['p/a.jpg']);
      const kinds = entries.map((entry) => (entry.type === 'skipped' ? (entry.kind ?? entry.reason) : null));
      expect(kinds.filter((kind) => kind !== null)).toEqual([
        ...['hidden', 'camera raw', 'HEIF', 'no_picture_name', 'no_picture_name', 'PDF', 'video'],
      ]);
      expect((await walk(['p/I.CR2'])).found).toEqual(['p/I.CR2']);
      expect((await walk(['p'], { allFiles: true })).found).toContain('p/I.CR2');
      expect((await walk(['p'], { exclude: ['*.cr2'] })).skipped).toMatchObject({ 'p/I.CR2': 'excluded' });
      // The pattern does match something, and the summary says what.
      expect((await walk(['p/*.CR2'])).skipped).toMatchObject({ 'p/I.CR2': 'unsupported_format' });
    });

    it('applies globs to the entries of a list, and never to files that the user named', async () => {
      put('p/a.jpg', 'p/drafts/b.jpg', 'p/c.png', 'list');
      writeFileSync(join(cwd, 'list'), ['p/a.jpg', join(cwd, 'p/drafts/b.jpg'), 'p/c.png'].join('\n'));
      const rules = { include: ['*.jpg'], exclude: ['drafts/'] };
      const list = { from: 'list', nul: false };
      expect((await walk([], rules, list)).found).toEqual(['p/a.jpg']);
      expect((await walk(['p/c.png', 'p/drafts/b.jpg'], rules)).found).toEqual(['p/c.png', 'p/drafts/b.jpg']);
    });

    it('keeps the folders of relative paths in a list, and of everything below a base', async () => {
      put('p/sub/a.jpg', 'q/b.jpg', 'list');
      writeFileSync(join(cwd, 'list'), ['./p/../p/sub/a.jpg', join(cwd, 'q/b.jpg'), '../c.jpg'].join('\n'));
      const places = async (paths: string[], base: string | null, from?: string) => {
        const list = from === undefined ? null : { from, nul: false };
        const { entries } = await walk(paths, { base: base === null ? null : join(cwd, base) }, list);
        return entries.flatMap((entry) => (entry.type === 'found' ? [entry.relative] : []));
      };
      expect(await places([], null, 'list')).toEqual(['p/sub/a.jpg', 'b.jpg', 'c.jpg']);
      expect(await places([], '.', 'list')).toEqual(['p/sub/a.jpg', 'q/b.jpg', 'c.jpg']);
      expect(await places([], 'p', 'list')).toEqual(['sub/a.jpg', 'b.jpg', 'c.jpg']);
      expect(await places(['p/sub/a.jpg', 'q'], null)).toEqual(['a.jpg', 'b.jpg']);
      expect(await places(['p/sub/a.jpg', 'q'], '.')).toEqual(['p/sub/a.jpg', 'q/b.jpg']);
      expect(await places(['p/*/a.jpg', 'q'], 'p')).toEqual(['sub/a.jpg', 'b.jpg']);
    });

    it('warns in its first walk only, and not of inputs of an earlier batch', async () => {
      put('p/a.jpg', 'q/b.jpg');
      const inputs = { paths: ['p/a.jpg', 'q/b.jpg'], list: null, cwd };
      const warningsOf = async (isAgain: boolean) => {
        const sources = await open({ ...inputs, isAgain }, RULES);
        const counts: number[] = [];
        for (let walk = 0; walk < 2; walk++) {
          let warnings = 0;
          for await (const { type } of sources.walk(new AbortController().signal)) {
            if (type === 'warning') warnings++;
          }
          counts.push(warnings);
        }
        return counts;
      };
      expect([await warningsOf(false), await warningsOf(true)]).toEqual([
        [1, 0],
        [0, 0],
      ]);
    });

    it('warns when globs leave nothing, and of globs that begin with the folder', async () => {
      put('p/a.jpg', 'p/drafts/b.jpg');
      const warnings = async (rules: Partial<WalkRules>) => {
        const { entries } = await walk(['p'], rules);
        return entries.flatMap((entry) => (entry.type === 'warning' ? [entry] : []));
      };
      expect(await warnings({ exclude: ['*.jpg'] })).toMatchObject([
        { message: expect.stringMatching(/all 2/) },
      ]);
      expect(await warnings({ exclude: ['a.jpg'] })).toEqual([]);
      for (const glob of ['p/drafts/**', './p/drafts/**', join(cwd, 'p/drafts/**')]) {
        expect(await warnings({ exclude: [glob] })).toMatchObject([{ fix: 'write drafts/**' }]);
      }
      put('p/p/drafts/c.jpg');
      expect(await warnings({ exclude: ['p/drafts/**'] })).toEqual([]);
    });

    it('expands a quoted glob, prefers a file of exactly that name, and refuses a glob without matches', async () => {
      put('p/a.jpg', 'p/sub/b.jpg', 'p/c.png', 'q[1].jpg');
      expect((await walk(['p/**/*.jpg'])).found).toEqual(['p/a.jpg', 'p/sub/b.jpg']);
      expect((await walk(['q[1].jpg'])).found).toEqual(['q[1].jpg']);
      await expect(walk(['p/*.gif'])).rejects.toMatchObject({ code: 'no_input' });
      await expect(walk(['nope/*.gif'])).rejects.toMatchObject({ code: 'no_input' });
    });

    it('refuses a missing named path before any work', async () => {
      put('a.jpg');
      await expect(walk(['a.jpg', 'nope.jpg'])).rejects.toMatchObject({ code: 'no_input' });
    });

    it('reads a list of files, and returns a missing file without facts', async () => {
      put('a.jpg', 'b c.jpg', 'list');
      writeFileSync(join(cwd, 'list'), 'a.jpg\r\n\nb c.jpg\nnope.jpg\n');
      const { entries } = await walk([], {}, { from: 'list', nul: false });
      const facts = entries.map((entry) => entry.type === 'found' && [entry.given, entry.facts !== null]);
      expect(facts).toEqual([
        ['a.jpg', true],
        ['b c.jpg', true],
        ['nope.jpg', false],
      ]);
      writeFileSync(join(cwd, 'list'), 'a.jpg\0b c.jpg\0');
      expect((await walk([], {}, { from: 'list', nul: true })).found).toEqual(['a.jpg', 'b c.jpg']);
      await expect(walk([], {}, { from: 'gone', nul: false })).rejects.toMatchObject({ code: 'no_input' });
    });

    it.each([
      ['UTF-16 with a mark', Buffer.from('\ufeffa.jpg\n', 'utf16le'), false, /UTF-16/],
      ['big-endian UTF-16', Buffer.from('\ufeffa.jpg\n', 'utf16le').swap16(), false, /UTF-16/],
      ['UTF-16 without a mark', Buffer.from('a.jpg\nb.jpg\n', 'utf16le'), false, /UTF-16/],
      ['UTF-16 where NUL is expected', Buffer.from('\ufeffa.jpg\n', 'utf16le'), true, /UTF-16/],
      ['NUL where lines are expected', Buffer.from('a.jpg\0b.jpg\0'), false, /end with NUL/],
      ['lines where NUL is expected', Buffer.from('a.jpg\nb.jpg\n'), true, /end with a newline/],
    ])('refuses a list in another form: %s', async (_, bytes, nul, message) => {
      put('a.jpg', 'b.jpg');
      writeFileSync(join(cwd, 'list'), bytes);
      const refused = walk([], {}, { from: 'list', nul });
      await expect(refused).rejects.toMatchObject({
        code: 'no_input',
        message: expect.stringMatching(message),
      });
    });

    it('recognises paths of sources, even through links to folders', async () => {
      put('p/a.jpg', 'p/out/x.webp', 'named.jpg', 'other.jpg');
      symlinkSync('p', join(cwd, 'p-link'));
      const sources = await open(
        { paths: ['p', 'named.jpg'], list: null, cwd },
        { ...RULES, out: join(cwd, 'p/out') },
      );
      const covered = [];
      for (const path of [
        'p/a.jpg',
        'p-link/a.jpg',
        'p/new.webp',
        'p/out/x.webp',
        'named.jpg',
        'NAMED.jpg',
        'other.jpg',
      ]) {
        if (await sources.covers(join(cwd, path))) covered.push(path);
      }
      expect(covered).toEqual(['p/a.jpg', 'p-link/a.jpg', 'p/new.webp', 'named.jpg', 'NAMED.jpg']);
    });

    it('returns files that are gone, except files whose disk may be unmounted', async () => {
      put('p/a.jpg', 'p/Team.jpg', 'empty/x.jpg');
      rmSync(join(cwd, 'empty/x.jpg'));
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      const asked = ['p/a.jpg', 'p/gone.jpg', 'p/no/such/folder/x.jpg', 'p/a.jpg/x.jpg', 'p/team.jpg'];
      const away = ['empty/x.jpg', 'empty/sub/x.jpg'];
      const gone = await sources.gone([...asked, ...away].map((path) => join(cwd, path)));
      const expected = ['p/gone.jpg', 'p/no/such/folder/x.jpg', 'p/a.jpg/x.jpg', 'p/team.jpg'];
      expect(gone).toEqual(expected.map((path) => join(cwd, path)));
    });

    describe('the bounds of a source', () => {
      it('are the folder in which it was found, and unlimited for a named file', async () => {
        put('p/sub/a.jpg', 'q/b.jpg', 'q/c.jpg', 'listed.jpg');
        writeFileSync(join(cwd, 'list'), 'listed.jpg\n');
        const list = { from: 'list', nul: false };
        const sources = await open({ paths: ['p', 'q/*.jpg', 'q/c.jpg'], list, cwd }, RULES);
        const inside = (folder: string) => ({ within: [join(cwd, folder)], follow: false });
        expect(sources.boundsOf(join(cwd, 'p/sub/a.jpg'))).toEqual(inside('p'));
        expect(sources.boundsOf(join(cwd, 'q/b.jpg'))).toEqual(inside('q'));
        expect(sources.boundsOf(join(cwd, 'q/c.jpg'))).toBeNull();
        expect(sources.boundsOf(join(cwd, 'listed.jpg'))).toBeNull();
      });

      it('are all named folders that contain it', async () => {
        put('p/sub/a.jpg');
        const sources = await open(
          { paths: ['p', 'p/sub'], list: null, cwd },
          { ...RULES, followSymlinks: true },
        );
        const within = [join(cwd, 'p'), join(cwd, 'p/sub')];
        expect(sources.boundsOf(join(cwd, 'p/sub/a.jpg'))).toEqual({ within, follow: true });
      });

      it('are its own folder without links if no named folder contains it', async () => {
        put('p/a.jpg', 'q/b.jpg');
        const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
        expect(sources.boundsOf(join(cwd, 'q/b.jpg'))).toEqual({ within: [join(cwd, 'q')], follow: false });
        const again = await open({ paths: ['p'], list: null, cwd, isAgain: true, wasListed: true }, RULES);
        expect(again.boundsOf(join(cwd, 'q/b.jpg'))).toBeNull();
      });

      it('stay at the folder’s path, and follow a folder that was named as a link', async () => {
        put('p/a.jpg', 'one/a.jpg', 'two/a.jpg');
        symlinkSync('one', join(cwd, 'current'));
        const sources = await open({ paths: ['p', 'current'], list: null, cwd }, RULES);
        const within = (path: string) => sources.boundsOf(join(cwd, path))?.within;
        expect(within('current/a.jpg')).toEqual([join(cwd, 'one')]);
        rmSync(join(cwd, 'current'));
        symlinkSync('two', join(cwd, 'current'));
        expect(within('current/a.jpg')).toEqual([join(cwd, 'two')]);
        renameSync(join(cwd, 'p'), join(cwd, 'moved'));
        symlinkSync('two', join(cwd, 'p'));
        expect(within('p/a.jpg')).toEqual([join(cwd, 'p')]);
      });
    });

    it('skips a file that becomes a link while its folder is walked', async () => {
      put('p/a.jpg', 'p/b.jpg', 'elsewhere.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      const met: unknown[] = [];
      for await (const entry of sources.walk(new AbortController().signal)) {
        met.push(entry.type === 'skipped' ? [entry.given, entry.reason] : entry.type);
        if (met.length > 1) continue;
        rmSync(join(cwd, 'p/b.jpg'));
        symlinkSync('../elsewhere.jpg', join(cwd, 'p/b.jpg'));
      }
      expect(met).toEqual(['found', ['p/b.jpg', 'symlink']]);
    });

    it('skips a named folder that has become a link', async () => {
      put('p/a.jpg', 'elsewhere/b.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      renameSync(join(cwd, 'p'), join(cwd, 'moved'));
      symlinkSync('elsewhere', join(cwd, 'p'));
      const entries: unknown[] = [];
      for await (const entry of sources.walk(new AbortController().signal)) entries.push(entry);
      expect(entries).toEqual([{ type: 'skipped', path: join(cwd, 'p'), given: 'p', reason: 'symlink' }]);
      expect(await sources.missing([join(cwd, 'p/a.jpg')])).toEqual([]);
    });

    it('returns the facts of a link only if it was named or links are followed', async () => {
      put('p/real.jpg', 'elsewhere.jpg');
      const link = join(cwd, 'p/a.jpg');
      symlinkSync('../elsewhere.jpg', link);
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      await expect(sources.stat(link)).rejects.toMatchObject({ code: 'source_outside' });
      // Another batch may have named the link.
      symlinkSync('elsewhere.jpg', join(cwd, 'other.jpg'));
      const facts = await sources.statAll([link, join(cwd, 'p/real.jpg'), join(cwd, 'other.jpg')]);
      expect(facts.map((one) => one !== null)).toEqual([false, true, true]);
      const named = await open({ paths: ['p', 'p/a.jpg'], list: null, cwd }, RULES);
      expect((await named.stat(link)).size).toBe('elsewhere.jpg'.length);
      expect((await named.statAll([link]))[0]).not.toBeNull();
    });

    it('returns a file as gone if another file has replaced a folder above it', async () => {
      put('p/sub/x/logo.png', 'p/a.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      rmSync(join(cwd, 'p/sub'), { recursive: true });
      writeFileSync(join(cwd, 'p/sub'), 'a file');
      const lost = join(cwd, 'p/sub/x/logo.png');
      expect(await sources.gone([lost])).toEqual([lost]);
      // The disk behind a dangling link may be unmounted.
      symlinkSync(join(cwd, 'media/disk'), join(cwd, 'p/disk'));
      expect(await sources.gone([join(cwd, 'p/disk/logo.png')])).toEqual([]);
      // A loop of links proves nothing about the files behind it.
      symlinkSync('loop', join(cwd, 'p/loop'));
      expect(await sources.gone([join(cwd, 'p/loop/logo.png')])).toEqual([]);
    });

    it('writes a path as the user would', async () => {
      put('p/sub/a.jpg', 'named.jpg');
      const sources = await open({ paths: ['./p', 'named.jpg'], list: null, cwd }, RULES);
      expect(sources.givenOf(join(cwd, 'p/sub/a.jpg'))).toBe('p/sub/a.jpg');
      expect(sources.givenOf(join(cwd, 'named.jpg'))).toBe('named.jpg');
      expect(sources.givenOf('/elsewhere/x.jpg')).toBe('/elsewhere/x.jpg');
    });

    it('stops walking when the signal aborts', async () => {
      put('p/a.jpg', 'p/b.jpg', 'p/c.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      const stop = new AbortController();
      const found: string[] = [];
      for await (const entry of sources.walk(stop.signal)) {
        if (entry.type === 'found') found.push(entry.given);
        stop.abort();
      }
      expect(found).toEqual(['p/a.jpg']);
    });
  });
}
