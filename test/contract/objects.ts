import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Objects } from '../../src/ports.ts';

/** Keys that no object can have. */
const BAD_KEYS = [
  ...[
    '',
    '/',
    '/etc/passwd',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/..',
    'a/./b',
    '.hidden',
    'a/.hidden/b',
  ],
  ...['a\0b', 'a\nb', 'a\\b', 'a%2fb', 'ä', 'C:a', 'a b', `${'a'.repeat(256)}`, `${'a/'.repeat(600)}a`],
];

/** The contract of every storage of objects. `open` opens a new and empty one. */
export function objectsConformance(name: string, open: () => Promise<Objects>): void {
  describe(`${name} as storage of objects`, () => {
    const opened = async () => {
      const objects = await open();
      await objects.prepare();
      return objects;
    };
    const staged = async (objects: Objects, key: string, text: string) => {
      const one = await objects.stage(key);
      writeFileSync(one.path, text, { flag: 'wx' });
      return one;
    };
    const put = async (objects: Objects, ...keys: string[]) => {
      const all = [];
      for (const key of keys) all.push(await staged(objects, key, `bytes of ${key}`));
      await objects.commit(all);
      for (const one of all) await one.discard();
    };
    const keysOf = async (objects: Objects, prefix = '') => {
      const keys = [];
      for await (const { key } of objects.list(prefix)) keys.push(key);
      return keys.sort();
    };
    const textOf = async (objects: Objects, key: string) => {
      const one = await objects.fetch(key);
      const text = readFileSync(one.path, 'utf8');
      await one.discard();
      return text;
    };

    it('shows nothing under a key before the commit, and all bytes after it', async () => {
      const objects = await opened();
      const one = await staged(objects, 'photos/deep/a.webp', 'picture');
      expect([await objects.locate(one.key), await keysOf(objects)]).toEqual([null, []]);
      await objects.commit([one]);
      await one.discard();
      expect([await textOf(objects, one.key), await keysOf(objects)]).toEqual(['picture', [one.key]]);
      expect(await objects.locate(one.key)).not.toBeNull();
    });

    it('removes a discarded object, even if it is discarded twice, and never a committed one', async () => {
      const objects = await opened();
      const [dropped, kept] = [await staged(objects, 'a', 'dropped'), await staged(objects, 'a', 'kept')];
      await dropped.discard();
      await dropped.discard();
      await objects.commit([kept]);
      await kept.discard();
      expect(await textOf(objects, 'a')).toBe('kept');
      await expect(objects.commit([dropped])).rejects.toMatchObject({ code: 'io' });
    });

    it('replaces an object of the same key', async () => {
      const objects = await opened();
      for (const text of ['old', 'new']) {
        const one = await staged(objects, 'photos/a', text);
        await objects.commit([one]);
        await one.discard();
      }
      expect([await textOf(objects, 'photos/a'), await keysOf(objects)]).toEqual(['new', ['photos/a']]);
    });

    it('copies an object, and the copy outlives its original', async () => {
      const objects = await opened();
      await put(objects, 'photos/a');
      // The second time, the copy replaces a copy of the same bytes.
      for (let i = 0; i < 2; i++) {
        const copy = await objects.stageFrom('photos/a', 'others/b');
        await objects.commit([copy]);
        await copy.discard();
      }
      await objects.remove(['photos/a']);
      expect([await textOf(objects, 'others/b'), await keysOf(objects)]).toEqual([
        'bytes of photos/a',
        ['others/b'],
      ]);
    });

    it('keeps a copy as it is when its original is replaced', async () => {
      const objects = await opened();
      await put(objects, 'a');
      const copy = await objects.stageFrom('a', 'b');
      await objects.commit([copy, await staged(objects, 'a', 'new')]);
      expect([await textOf(objects, 'a'), await textOf(objects, 'b')]).toEqual(['new', 'bytes of a']);
    });

    it('reports a missing object by its key', async () => {
      const objects = await opened();
      const missing = { code: 'source_missing', message: expect.stringContaining('photos/none') };
      await expect(objects.fetch('photos/none')).rejects.toMatchObject(missing);
      await expect(objects.stageFrom('photos/none', 'b')).rejects.toMatchObject(missing);
      expect(await objects.locate('photos/none')).toBeNull();
    });

    it('removes objects, also twice, and no others', async () => {
      const objects = await opened();
      await put(objects, 'photos/x/a', 'photos/x/b', 'photos/y/a');
      for (let i = 0; i < 2; i++) await objects.remove(['photos/x/a', 'photos/y/a', 'photos/z/a']);
      expect(await keysOf(objects)).toEqual(['photos/x/b']);
      await put(objects, 'photos/y/a');
      expect(await keysOf(objects)).toEqual(['photos/x/b', 'photos/y/a']);
    });

    it('lists the objects whose keys begin with a prefix, with their times', async () => {
      const objects = await opened();
      await put(objects, 'a/b/1', 'a/b/2', 'a/bc/3', 'ab/4', 'b');
      expect(await keysOf(objects, 'a/b/')).toEqual(['a/b/1', 'a/b/2']);
      expect(await keysOf(objects, 'a/b')).toEqual(['a/b/1', 'a/b/2', 'a/bc/3']);
      expect(await keysOf(objects, 'a')).toEqual(['a/b/1', 'a/b/2', 'a/bc/3', 'ab/4']);
      expect(await keysOf(objects, 'c/')).toEqual([]);
      for await (const { at } of objects.list('b')) expect(Math.abs(Date.now() - at)).toBeLessThan(3_600_000);
    });

    it('lets objects be removed and stored in the same folder at the same time', async () => {
      const objects = await opened();
      const keys = Array.from({ length: 20 }, (_, i) => `photos/processed/x/${i}`);
      await Promise.all(
        keys.map(async (key) => {
          for (let i = 0; i < 5; i++) {
            await put(objects, key);
            await objects.remove([key]);
          }
        }),
      );
      expect(await keysOf(objects)).toEqual([]);
      await Promise.all(keys.map((key) => put(objects, key)));
      expect(await keysOf(objects)).toEqual([...keys].sort());
    });

    it.each(BAD_KEYS)('has no object under the key %j', async (key) => {
      const objects = await opened();
      await put(objects, 'a');
      await expect(objects.stage(key)).rejects.toMatchObject({ code: 'not_writable' });
      await expect(objects.stageFrom('a', key)).rejects.toMatchObject({ code: 'not_writable' });
      await expect(objects.fetch(key)).rejects.toMatchObject({ code: 'source_missing' });
      expect(await objects.locate(key)).toBeNull();
      await objects.remove([key]);
      expect(await keysOf(objects, `${key}/`)).toEqual([]);
      expect(await keysOf(objects)).toEqual(['a']);
    });

    it('says how much space there is, or that nobody can tell', async () => {
      const space = await (await opened()).space();
      if (space !== null) expect(space.free).toBeLessThanOrEqual(space.total);
    });
  });
}
