import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { makePlace } from '../place.ts';

/** The file that is under a name now. */
export async function seen(storage: Storage, path: string) {
  const [found = null] = await storage.stat([path]);
  return found === 'foreign' ? null : found;
}

/** The contract of every storage for outputs that are removed, and for what it tells of folders. */
export function storedFilesConformance(name: string, open: (run: string) => Storage): void {
  describe(`${name} as a storage with outputs`, () => {
    const out = () => join(makePlace(), 'out');
    const put = async (storage: Storage, path: string, text: string, replace = false) => {
      const staged = await storage.stage(path);
      writeFileSync(staged.path, text, { flag: 'wx' });
      staged.replace = replace ? await seen(storage, path) : null;
      return staged;
    };
    describe('when outputs are removed', () => {
      /** Files that contain their own paths. One of the folders is the output folder. */
      const lay = (...paths: string[]) => {
        const place = makePlace();
        const at = (path: string) => join(place, path);
        for (const path of paths) {
          mkdirSync(dirname(at(path)), { recursive: true });
          writeFileSync(at(path), path);
        }
        const left = () => readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
        const remove = (...gone: string[]) => open('a1').remove(gone.map(at), at('out'));
        return { at, left, remove };
      };

      it('removes emptied folders up to the output folder, which stays', async () => {
        const { left, remove } = lay('out/a/b/x.webp', 'out/a/b/y.webp');
        await remove('out/a/b/x.webp');
        expect(left()).toEqual(['out', 'out/a', 'out/a/b', 'out/a/b/y.webp']);
        await remove('out/a/b/y.webp');
        expect(left()).toEqual(['out']);
      });

      it('keeps folders that contain anything else', async () => {
        const { at, left, remove } = lay(
          'out/a/b/x.webp',
          'out/a/notes.txt',
          'out/c/y.webp',
          'out/d/.hidden',
        );
        mkdirSync(at('out/c/empty'));
        await remove('out/a/b/x.webp', 'out/c/y.webp');
        const kept = ['out', 'out/a', 'out/a/notes.txt', 'out/c', 'out/c/empty', 'out/d', 'out/d/.hidden'];
        expect(left()).toEqual(kept);
      });

      it('accepts missing files and folders, and removes the others', async () => {
        const { left, remove } = lay('out/a/x.webp', 'out/file');
        await remove('out/none', 'out/gone/deep/y.webp', 'out/file/below', 'out/a/x.webp');
        expect(left()).toEqual(['out', 'out/file']);
        await remove('out/a/x.webp');
        await remove();
        expect(left()).toEqual(['out', 'out/file']);
      });

      it('accepts a missing output folder', async () => {
        const { left, remove } = lay('photos/a.jpg');
        await remove('out/a/x.webp');
        expect(left()).toEqual(['photos', 'photos/a.jpg']);
      });

      it('removes no folder outside the output folder, even one with a similar name', async () => {
        const { left, remove } = lay('out/x.webp', 'out-b/a/y.webp', 'elsewhere/z.webp');
        await remove('out-b/a/y.webp', 'elsewhere/z.webp', 'out/x.webp');
        expect(left()).toEqual(['elsewhere', 'out', 'out-b', 'out-b/a']);
      });

      it('removes a link and never its target', async () => {
        const { at, left, remove } = lay('photos/a.jpg', 'photos/deep/b.jpg');
        mkdirSync(at('out/c'), { recursive: true });
        symlinkSync(at('photos/a.jpg'), at('out/c/a.webp'));
        symlinkSync(at('photos'), at('out/linked'));
        await remove('out/c/a.webp', 'out/linked/none/x.webp');
        expect(left().filter((path) => !path.startsWith('out/linked/'))).toEqual([
          'out',
          'out/linked',
          'photos',
          'photos/a.jpg',
          'photos/deep',
          'photos/deep/b.jpg',
        ]);
      });

      it('removes no folder at the path of an output', async () => {
        const { left, remove } = lay('out/x.webp/kept.txt');
        const { removed, error } = await remove('out/x.webp');
        expect([removed, error]).toMatchObject([[], { code: expect.any(String) }]);
        expect(left()).toEqual(['out', 'out/x.webp', 'out/x.webp/kept.txt']);
      });

      it('says which files are gone when a later one cannot be removed', async () => {
        const { at, left, remove } = lay('out/a/1.webp', 'out/x.webp/kept.txt', 'out/z.webp');
        const { removed, error } = await remove('out/a/1.webp', 'out/x.webp', 'out/z.webp');
        expect([removed, error?.message]).toEqual([
          [at('out/a/1.webp')],
          expect.stringContaining(at('out/x.webp')),
        ]);
        expect(left()).toEqual(['out', 'out/x.webp', 'out/x.webp/kept.txt', 'out/z.webp']);
      });
    });

    it('removes the staged files of dead runs, and none of live runs', async () => {
      const path = join(out(), 'x.webp');
      await put(open('dead'), path, 'left');
      await put(open('beef'), path, 'in work');
      const left = await open('a1').sweep([
        { batch: 'b', run: 'dead', outputs: [path, join(out(), 'gone', 'y')] },
      ]);
      expect(left).toEqual([]);
      expect(readdirSync(dirname(path))).toHaveLength(1);
      expect(readdirSync(dirname(path))[0]).toContain('beef');
    });

    it('describes what is at the path of an output', async () => {
      const { kindAt } = open('a1');
      const place = makePlace();
      symlinkSync('nowhere', join(place, 'link'));
      execFileSync('mkfifo', [join(place, 'pipe')]);
      const server = createServer().listen(join(place, 'socket'));
      await once(server, 'listening');
      const paths = [place, ...['link', 'pipe', 'socket'].map((name) => join(place, name)), '/dev/zero'];
      expect(await Promise.all(paths.map(kindAt))).toEqual([
        'a folder',
        'a link',
        'a pipe',
        'a socket',
        'a device',
      ]);
      server.close();
    });

    it('follows links among the folders of a path, and not a link at its end', async () => {
      const { realPath } = open('a1');
      const place = realpathSync(makePlace());
      mkdirSync(join(place, 'folder'));
      symlinkSync('folder', join(place, 'link'));
      symlinkSync('nowhere', join(place, 'folder', 'file'));
      expect(await realPath(join(place, 'link', 'file'))).toBe(join(place, 'folder', 'file'));
      expect(await realPath(join(place, 'folder', 'none'))).toBe(join(place, 'folder', 'none'));
      await expect(realPath(join(place, 'none', 'file'))).rejects.toMatchObject({ code: 'io' });
    });

    it('explains why the disk of a folder may be unmounted', async () => {
      const { lackOf } = open('a1');
      const place = makePlace();
      expect(await lackOf(join(place, 'none'))).toBe('is not there');
      expect(await lackOf(place)).toBe('is empty');
      symlinkSync(join(place, 'none'), join(place, 'link'));
      expect(await lackOf(join(place, 'link'))).toBe('is not there');
      writeFileSync(join(place, 'file'), 'x');
      expect([await lackOf(place), await lackOf(join(place, 'file'))]).toEqual([null, null]);
      expect(await lackOf(join(place, 'file', 'below'))).toBe('is not there');
    });

    it('checks whether outputs can be written without creating anything', async () => {
      const storage = open('a1');
      const path = join(out(), 'deep');
      expect(await storage.prepare(path)).toBe(255);
      expect(existsSync(dirname(path))).toBe(false);
      const file = join(makePlace(), 'file');
      writeFileSync(file, 'x');
      await expect(storage.prepare(file)).rejects.toMatchObject({ code: 'not_writable' });
      await expect(storage.prepare(join(file, 'below'))).rejects.toMatchObject({ code: 'not_writable' });
    });
  });
}
