import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenSources } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { RULES } from './sources-place.ts';
import { put } from './sources-steps.ts';

/** The contract of sources for files that change, and for where they can be. */
export function changingSourcesConformance(name: string, open: OpenSources): void {
  describe(`${name} as sources that change`, () => {
    let cwd: string;
    beforeEach(() => {
      cwd = makePlace();
    });

    it('tells a folder from a file', async () => {
      put(cwd, 'p/a/x.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      const paths = ['p/a', 'p/a/x.jpg', 'p/none'].map((path) => join(cwd, path));
      expect(await Promise.all(paths.map((path) => sources.isFolder(path)))).toEqual([true, false, false]);
    });

    it('recognises paths of sources, even through links to folders', async () => {
      put(cwd, 'p/a.jpg', 'p/out/x.webp', 'named.jpg', 'other.jpg');
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
      put(cwd, 'p/a.jpg', 'p/Team.jpg', 'empty/x.jpg');
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
        put(cwd, 'p/sub/a.jpg', 'q/b.jpg', 'q/c.jpg', 'listed.jpg');
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
        put(cwd, 'p/sub/a.jpg');
        const sources = await open(
          { paths: ['p', 'p/sub'], list: null, cwd },
          { ...RULES, followSymlinks: true },
        );
        const within = [join(cwd, 'p'), join(cwd, 'p/sub')];
        expect(sources.boundsOf(join(cwd, 'p/sub/a.jpg'))).toEqual({ within, follow: true });
      });

      it('are its own folder without links if no named folder contains it', async () => {
        put(cwd, 'p/a.jpg', 'q/b.jpg');
        const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
        expect(sources.boundsOf(join(cwd, 'q/b.jpg'))).toEqual({ within: [join(cwd, 'q')], follow: false });
        const again = await open({ paths: ['p'], list: null, cwd, isAgain: true, wasListed: true }, RULES);
        expect(again.boundsOf(join(cwd, 'q/b.jpg'))).toBeNull();
      });

      it('stay at the folder’s path, and follow a folder that was named as a link', async () => {
        put(cwd, 'p/a.jpg', 'one/a.jpg', 'two/a.jpg');
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
      put(cwd, 'p/a.jpg', 'p/b.jpg', 'elsewhere.jpg');
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
      put(cwd, 'p/a.jpg', 'elsewhere/b.jpg');
      const sources = await open({ paths: ['p'], list: null, cwd }, RULES);
      renameSync(join(cwd, 'p'), join(cwd, 'moved'));
      symlinkSync('elsewhere', join(cwd, 'p'));
      const entries: unknown[] = [];
      for await (const entry of sources.walk(new AbortController().signal)) entries.push(entry);
      expect(entries).toEqual([{ type: 'skipped', path: join(cwd, 'p'), given: 'p', reason: 'symlink' }]);
      expect(await sources.missing([join(cwd, 'p/a.jpg')])).toEqual([]);
    });

    it('returns the facts of a link only if it was named or links are followed', async () => {
      put(cwd, 'p/real.jpg', 'elsewhere.jpg');
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
      put(cwd, 'p/sub/x/logo.png', 'p/a.jpg');
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

    it('stops walking when the signal aborts', async () => {
      put(cwd, 'p/a.jpg', 'p/b.jpg', 'p/c.jpg');
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
