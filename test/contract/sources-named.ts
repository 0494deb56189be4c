import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WalkRules } from '../../src/model.ts';
import type { OpenSources } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { RULES } from './sources-place.ts';
import { put, walk } from './sources-steps.ts';

/** The contract of sources for the inputs that a user names. */
export function namedSourcesConformance(name: string, open: OpenSources): void {
  describe(`${name} as named sources`, () => {
    let cwd: string;
    beforeEach(() => {
      cwd = makePlace();
    });

    it('follows links inside the root, but returns a file once that is reachable twice', async () => {
      put(cwd, 'p/real/a.jpg', 'p/real/b.jpg');
      symlinkSync('real/a.jpg', join(cwd, 'p/file.jpg'));
      symlinkSync('real', join(cwd, 'p/zz'));
      const { found } = await walk(open, cwd, ['p'], { followSymlinks: true });
      expect(found).toEqual(['p/file.jpg', 'p/real/b.jpg']);
      expect((await walk(open, cwd, ['p'], { followSymlinks: true, include: ['file.*'] })).found).toEqual([
        'p/file.jpg',
      ]);
    });

    it('walks a folder once that is named by two paths', async () => {
      put(cwd, 'p/a.jpg');
      symlinkSync('p', join(cwd, 'q'));
      expect((await walk(open, cwd, ['p', 'q'])).found).toEqual(['p/a.jpg']);
    });

    it('returns every named path, whatever its extension', async () => {
      put(cwd, 'notes.txt', '.hidden', 'a.part');
      put(cwd, 'elsewhere/x');
      symlinkSync('elsewhere/x', join(cwd, 'link'));
      expect((await walk(open, cwd, ['notes.txt', '.hidden', 'a.part', 'link'])).found).toEqual([
        'notes.txt',
        '.hidden',
        'a.part',
        'link',
      ]);
    });

    it('returns a file once that is reachable twice', async () => {
      put(cwd, 'p/a.jpg', 'p/sub/b.jpg');
      expect((await walk(open, cwd, ['p/sub', 'p', 'p/a.jpg', './p/a.jpg'])).found).toEqual([
        'p/sub/b.jpg',
        'p/a.jpg',
      ]);
    });

    it('includes and excludes by globs on the path below the root', async () => {
      put(cwd, 'p/a.jpg', 'p/raw/b.jpg', 'p/raw/c.png');
      expect((await walk(open, cwd, ['p'], { include: ['**/*.jpg'] })).found).toEqual([
        'p/a.jpg',
        'p/raw/b.jpg',
      ]);
      expect((await walk(open, cwd, ['p'], { exclude: ['raw'] })).found).toEqual(['p/a.jpg']);
      expect((await walk(open, cwd, ['p'], { exclude: ['**/*.png'] })).found).toEqual([
        'p/a.jpg',
        'p/raw/b.jpg',
      ]);
    });

    it('applies globs to the entries of a list, and never to files that the user named', async () => {
      put(cwd, 'p/a.jpg', 'p/drafts/b.jpg', 'p/c.png', 'list');
      writeFileSync(join(cwd, 'list'), ['p/a.jpg', join(cwd, 'p/drafts/b.jpg'), 'p/c.png'].join('\n'));
      const rules = { include: ['*.jpg'], exclude: ['drafts/'] };
      const list = { from: 'list', nul: false };
      expect((await walk(open, cwd, [], rules, list)).found).toEqual(['p/a.jpg']);
      expect((await walk(open, cwd, ['p/c.png', 'p/drafts/b.jpg'], rules)).found).toEqual([
        'p/c.png',
        'p/drafts/b.jpg',
      ]);
    });

    it('keeps the folders of relative paths in a list, and of everything below a base', async () => {
      put(cwd, 'p/sub/a.jpg', 'q/b.jpg', 'list');
      writeFileSync(join(cwd, 'list'), ['./p/../p/sub/a.jpg', join(cwd, 'q/b.jpg'), '../c.jpg'].join('\n'));
      const places = async (paths: string[], base: string | null, from?: string) => {
        const list = from === undefined ? null : { from, nul: false };
        const { entries } = await walk(
          open,
          cwd,
          paths,
          { base: base === null ? null : join(cwd, base) },
          list,
        );
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
      put(cwd, 'p/a.jpg', 'q/b.jpg');
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
      put(cwd, 'p/a.jpg', 'p/drafts/b.jpg');
      const warnings = async (rules: Partial<WalkRules>) => {
        const { entries } = await walk(open, cwd, ['p'], rules);
        return entries.flatMap((entry) => (entry.type === 'warning' ? [entry] : []));
      };
      expect(await warnings({ exclude: ['*.jpg'] })).toMatchObject([
        { message: expect.stringMatching(/all 2/) },
      ]);
      expect(await warnings({ exclude: ['a.jpg'] })).toEqual([]);
      for (const glob of ['p/drafts/**', './p/drafts/**', join(cwd, 'p/drafts/**')]) {
        expect(await warnings({ exclude: [glob] })).toMatchObject([{ fix: 'write drafts/**' }]);
      }
      put(cwd, 'p/p/drafts/c.jpg');
      expect(await warnings({ exclude: ['p/drafts/**'] })).toEqual([]);
    });

    it('expands a quoted glob, prefers a file of exactly that name, and refuses a glob without matches', async () => {
      put(cwd, 'p/a.jpg', 'p/sub/b.jpg', 'p/c.png', 'q[1].jpg');
      expect((await walk(open, cwd, ['p/**/*.jpg'])).found).toEqual(['p/a.jpg', 'p/sub/b.jpg']);
      expect((await walk(open, cwd, ['q[1].jpg'])).found).toEqual(['q[1].jpg']);
      await expect(walk(open, cwd, ['p/*.gif'])).rejects.toMatchObject({ code: 'no_input' });
      await expect(walk(open, cwd, ['nope/*.gif'])).rejects.toMatchObject({ code: 'no_input' });
    });

    it('refuses a missing named path before any work', async () => {
      put(cwd, 'a.jpg');
      await expect(walk(open, cwd, ['a.jpg', 'nope.jpg'])).rejects.toMatchObject({ code: 'no_input' });
    });

    it('reads a list of files, and returns a missing file without facts', async () => {
      put(cwd, 'a.jpg', 'b c.jpg', 'list');
      writeFileSync(join(cwd, 'list'), 'a.jpg\r\n\nb c.jpg\nnope.jpg\n');
      const { entries } = await walk(open, cwd, [], {}, { from: 'list', nul: false });
      const facts = entries.map((entry) => entry.type === 'found' && [entry.given, entry.facts !== null]);
      expect(facts).toEqual([
        ['a.jpg', true],
        ['b c.jpg', true],
        ['nope.jpg', false],
      ]);
      writeFileSync(join(cwd, 'list'), 'a.jpg\0b c.jpg\0');
      expect((await walk(open, cwd, [], {}, { from: 'list', nul: true })).found).toEqual([
        'a.jpg',
        'b c.jpg',
      ]);
      await expect(walk(open, cwd, [], {}, { from: 'gone', nul: false })).rejects.toMatchObject({
        code: 'no_input',
      });
    });

    it.each([
      ['UTF-16 with a mark', Buffer.from('\ufeffa.jpg\n', 'utf16le'), false, /UTF-16/],
      ['big-endian UTF-16', Buffer.from('\ufeffa.jpg\n', 'utf16le').swap16(), false, /UTF-16/],
      ['UTF-16 without a mark', Buffer.from('a.jpg\nb.jpg\n', 'utf16le'), false, /UTF-16/],
      ['UTF-16 where NUL is expected', Buffer.from('\ufeffa.jpg\n', 'utf16le'), true, /UTF-16/],
      ['NUL where lines are expected', Buffer.from('a.jpg\0b.jpg\0'), false, /end with NUL/],
      ['lines where NUL is expected', Buffer.from('a.jpg\nb.jpg\n'), true, /end with a newline/],
    ])('refuses a list in another form: %s', async (_, bytes, nul, message) => {
      put(cwd, 'a.jpg', 'b.jpg');
      writeFileSync(join(cwd, 'list'), bytes);
      const refused = walk(open, cwd, [], {}, { from: 'list', nul });
      await expect(refused).rejects.toMatchObject({
        code: 'no_input',
        message: expect.stringMatching(message),
      });
    });

    it('writes a path as the user would', async () => {
      put(cwd, 'p/sub/a.jpg', 'named.jpg');
      const sources = await open({ paths: ['./p', 'named.jpg'], list: null, cwd }, RULES);
      expect(sources.givenOf(join(cwd, 'p/sub/a.jpg'))).toBe('p/sub/a.jpg');
      expect(sources.givenOf(join(cwd, 'named.jpg'))).toBe('named.jpg');
      expect(sources.givenOf('/elsewhere/x.jpg')).toBe('/elsewhere/x.jpg');
    });
  });
}
