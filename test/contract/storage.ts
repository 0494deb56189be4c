import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { sha } from '../records.ts';
import { seen, storedFilesConformance } from './storage-place.ts';

/** The contract of every storage of files. */
export function storageConformance(name: string, open: (run: string) => Storage): void {
  storedFilesConformance(name, open);

  describe(`${name} as a storage`, () => {
    const out = () => join(makePlace(), 'out');
    const put = async (storage: Storage, path: string, text: string, replace = false) => {
      const staged = await storage.stage(path);
      writeFileSync(staged.path, text, { flag: 'wx' });
      staged.replace = replace ? await seen(storage, path) : null;
      return staged;
    };

    it('says of a failed read that it was a read, and which file it was', async () => {
      const storage = open('a1');
      const place = makePlace();
      const from = join(place, 'gone.webp');
      await expect(storage.checksum(place)).rejects.toThrow(`${place}: could not be read (EISDIR)`);
      for (const how of ['link', 'copy'] as const) {
        await expect(storage.stageFrom(from, join(place, 'to.webp'), how)).rejects.toThrow(
          `${from}: could not be read (ENOENT)`,
        );
      }
      expect(readdirSync(place)).toEqual([]);
    });

    it('shows nothing under the final name before the commit, and the whole output after it', async () => {
      const storage = open('a1');
      const path = join(out(), 'deep', 'x.webp');
      const staged = await put(storage, path, 'picture');
      expect(await storage.stat([path])).toEqual([null]);
      const [facts] = await storage.commit([staged]);
      expect(facts).toMatchObject({ size: 7 });
      expect(await storage.stat([path])).toEqual([facts]);
      expect(await storage.checksum(path)).toBe(sha('picture'));
      expect(readdirSync(dirname(path))).toEqual(['x.webp']);
    });

    it('removes a discarded staged file, even if discarded twice, and never a committed output', async () => {
      const storage = open('a1');
      const path = join(out(), 'x.webp');
      const dropped = await put(storage, path, 'dropped');
      await dropped.discard();
      await dropped.discard();
      expect(readdirSync(dirname(path))).toEqual([]);
      const kept = await put(storage, path, 'kept');
      await storage.commit([kept]);
      await kept.discard();
      expect(readFileSync(path, 'utf8')).toBe('kept');
    });

    it('never overwrites a file without permission to replace it', async () => {
      const storage = open('a1');
      const path = join(out(), 'x.webp');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'somebody else’s');
      const staged = await put(storage, path, 'picture');
      await expect(storage.commit([staged])).rejects.toMatchObject({ code: 'output_exists' });
      expect(readFileSync(path, 'utf8')).toBe('somebody else’s');
      staged.replace = await seen(storage, path);
      await storage.commit([staged]);
      expect(readFileSync(path, 'utf8')).toBe('picture');
    });

    it('does not overwrite a file that was changed since it was seen, nor one that appeared since then', async () => {
      const storage = open('a1');
      const path = join(out(), 'x.webp');
      await storage.commit([await put(storage, path, 'former')]);
      const staged = await put(storage, path, 'picture', true);
      writeFileSync(path, 'edited');
      await expect(storage.commit([staged])).rejects.toMatchObject({ code: 'output_exists' });
      expect(readFileSync(path, 'utf8')).toBe('edited');
      rmSync(path);
      const other = await put(storage, path, 'other', true);
      writeFileSync(path, 'new');
      await expect(storage.commit([other])).rejects.toMatchObject({ code: 'output_exists' });
      rmSync(path);
      await storage.commit([staged]);
      expect(readFileSync(path, 'utf8')).toBe('picture');
    });

    it('leaves no staged file when the name of a linked file cannot get a time', async () => {
      const storage = open('a1');
      const one = join(out(), 'one.webp');
      const two = join(dirname(one), 'two.webp');
      await storage.commit([await put(storage, one, 'picture')]);
      await storage.commit([await storage.stageFrom(one, two, 'link')]);
      await expect(storage.setTime(two, 'no time')).rejects.toThrow();
      expect(readdirSync(dirname(one)).sort()).toEqual(['one.webp', 'two.webp']);
    });

    it.each(['link', 'copy'] as const)('stages the bytes of another output by %s', async (how) => {
      const storage = open('a1');
      const from = join(out(), 'from.webp');
      const to = join(dirname(from), 'sub', 'to.webp');
      await storage.commit([await put(storage, from, 'picture')]);
      const staged = await storage.stageFrom(from, to, how);
      await storage.commit([staged]);
      await staged.discard();
      expect(readFileSync(to, 'utf8')).toBe('picture');
      expect(statSync(to).ino === statSync(from).ino).toBe(how === 'link');
      expect(readdirSync(dirname(to))).toEqual(['to.webp']);
    });

    it('gives a file a time, and lets another name of the file keep its own', async () => {
      const storage = open('a1');
      const [one, two] = ['one.webp', 'two.webp'].map((file) => join(out(), file)) as [string, string];
      await storage.commit([await put(storage, one, 'picture')]);
      await storage.commit([await storage.stageFrom(one, two, 'link')]);
      const before = statSync(one).mtimeMs;
      const facts = await storage.setTime(two, '981173106789000000');
      expect(await storage.stat([two])).toEqual([facts]);
      expect(statSync(two).mtime.toISOString()).toMatch(/^2001-02-03T04:05:06/);
      expect([statSync(one).mtimeMs, readFileSync(two, 'utf8')]).toEqual([before, 'picture']);
      await storage.commit([await storage.stageFrom(one, join(dirname(one), 'three.webp'), 'link')]);
      await expect(storage.setTime(one, 'no time')).rejects.toThrow();
      expect(readdirSync(dirname(one)).sort()).toEqual(['one.webp', 'three.webp']);
      const { ino } = statSync(two);
      await storage.setTime(two, '0');
      expect([statSync(two).ino, statSync(two).mtimeMs]).toEqual([ino, 0]);
    });

    it('gives a copy the mode of a new file', async () => {
      const storage = open('a1');
      const from = join(out(), 'from.webp');
      const to = join(dirname(from), 'to.webp');
      await storage.commit([await put(storage, from, 'picture')]);
      const { mode } = statSync(from);
      chmodSync(from, 0o600);
      await storage.commit([await storage.stageFrom(from, to, 'copy')]);
      expect(statSync(to).mode).toBe(mode);
    });

    it('copies a file instead of linking it if its mode differs from the mode of a new file', async () => {
      const storage = open('a1');
      const from = join(out(), 'from.webp');
      await storage.commit([await put(storage, from, 'picture')]);
      const { mode } = statSync(from);
      chmodSync(from, 0o600);
      for (const name of ['one.webp', 'two.webp']) {
        const to = join(dirname(from), name);
        await storage.commit([await storage.stageFrom(from, to, 'link')]);
        expect(statSync(to).ino).not.toBe(statSync(from).ino);
        expect([statSync(to).mode, readFileSync(to, 'utf8')]).toEqual([mode, 'picture']);
      }
      expect(statSync(from).mode & 0o777).toBe(0o600);
      expect(readdirSync(dirname(from)).sort()).toEqual(['from.webp', 'one.webp', 'two.webp']);
    });

    // Only root can give files to any group and user.
    describe.runIf(process.geteuid?.() === 0)('in a folder of another group', () => {
      const TEAM = 4_242;
      /** A stored file, and a folder in which new files belong to the team. */
      const made = async (storage: Storage) => {
        const from = join(out(), 'from.webp');
        const shared = join(dirname(from), 'shared');
        await storage.commit([await put(storage, from, 'picture')]);
        mkdirSync(shared);
        chownSync(shared, 0, TEAM);
        chmodSync(shared, 0o2775);
        return { from, shared };
      };

      it.each(['link', 'copy'] as const)('a second name by %s is a file of that group', async (how) => {
        const storage = open('a1');
        const { from, shared } = await made(storage);
        const to = join(shared, 'to.webp');
        await storage.commit([await storage.stageFrom(from, to, how)]);
        expect(statSync(to)).toMatchObject({ gid: TEAM, mode: statSync(from).mode });
        expect(statSync(from).gid).not.toBe(TEAM);
        expect([readFileSync(to, 'utf8'), readdirSync(shared)]).toEqual(['picture', ['to.webp']]);
      });

      it('a second name of a file of that group is a link', async () => {
        const storage = open('a1');
        const { from, shared } = await made(storage);
        const [one, two] = [join(shared, 'one.webp'), join(shared, 'sub', 'two.webp')];
        await storage.commit([await storage.stageFrom(from, one, 'link')]);
        await storage.commit([await storage.stageFrom(one, two, 'link')]);
        expect(statSync(two).ino).toBe(statSync(one).ino);
      });

      it('a second name respects a change of the folder’s group', async () => {
        const storage = open('a1');
        const { from, shared } = await made(storage);
        chownSync(shared, 0, statSync(from).gid);
        await storage.commit([await storage.stageFrom(from, join(shared, 'before.webp'), 'link')]);
        chownSync(shared, 0, TEAM);
        chmodSync(shared, 0o2775);
        await storage.commit([await storage.stageFrom(from, join(shared, 'after.webp'), 'link')]);
        const gids = ['before.webp', 'after.webp'].map((name) => statSync(join(shared, name)).gid);
        expect(gids).toEqual([statSync(from).gid, TEAM]);
      });

      it('a second name of a file of another user is a copy', async () => {
        const storage = open('a1');
        const { from } = await made(storage);
        const to = join(dirname(from), 'to.webp');
        chownSync(from, TEAM, statSync(from).gid);
        await storage.commit([await storage.stageFrom(from, to, 'link')]);
        expect([statSync(to).uid, statSync(from).uid]).toEqual([0, TEAM]);
      });
    });

    it('removes its new names if a later name is taken', async () => {
      const storage = open('a1');
      const one = join(out(), 'one.webp');
      const two = join(dirname(one), 'two.webp');
      const staged = [await put(storage, one, 'picture'), await put(storage, two, 'picture')];
      writeFileSync(two, 'somebody else’s');
      await expect(storage.commit(staged)).rejects.toMatchObject({ code: 'output_exists' });
      expect([existsSync(one), readFileSync(two, 'utf8')]).toEqual([false, 'somebody else’s']);
    });

    it('leaves nothing behind when a link replaces a link to the same file', async () => {
      const storage = open('a1');
      const from = join(out(), 'from.webp');
      const to = join(dirname(from), 'to.webp');
      await storage.commit([await put(storage, from, 'picture')]);
      for (const replace of [false, true]) {
        const staged = await storage.stageFrom(from, to, 'link');
        staged.replace = replace ? await seen(storage, to) : null;
        await storage.commit([staged]);
        await staged.discard();
      }
      expect(readdirSync(dirname(to)).sort()).toEqual(['from.webp', 'to.webp']);
    });

    it('does not change a linked output when its original is replaced', async () => {
      const storage = open('a1');
      const from = join(out(), 'from.webp');
      const to = join(dirname(from), 'to.webp');
      await storage.commit([await put(storage, from, 'old')]);
      await storage.commit([await storage.stageFrom(from, to, 'link')]);
      await storage.commit([await put(storage, from, 'new', true)]);
      expect([readFileSync(from, 'utf8'), readFileSync(to, 'utf8')]).toEqual(['new', 'old']);
    });

    it('treats a folder or a link at a name as foreign and does not follow it', async () => {
      const storage = open('a1');
      const place = makePlace();
      mkdirSync(join(place, 'folder'));
      writeFileSync(join(place, 'file'), 'x');
      symlinkSync(join(place, 'file'), join(place, 'link'));
      const paths = ['folder', 'link', 'none', 'file/below'].map((one) => join(place, one));
      expect(await storage.stat(paths)).toEqual(['foreign', 'foreign', null, null]);
      expect(await storage.checksum(join(place, 'none'))).toBeNull();
    });
  });
}
