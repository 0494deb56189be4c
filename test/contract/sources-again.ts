import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenSources } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { RULES } from './sources-place.ts';

/** The contract of sources that an earlier batch had. */
export function sourcesAgainConformance(name: string, open: OpenSources): void {
  describe(`${name} as sources of an earlier batch`, () => {
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

    it('uses former sources by their names, not as patterns, if at least one exists', async () => {
      put('p/a1.jpg', 'p/b.jpg', 'p/c[1].jpg');
      const paths = ['p/a[1].jpg', 'p/b.jpg', 'p/c[1].jpg', 'nope/*.jpg'];
      const sources = await open({ paths, list: null, cwd, once: { folders: [] } }, RULES);
      const facts = await sources.statAll(paths.map((path) => join(cwd, path)));
      expect(facts.map((one) => one !== null)).toEqual([false, true, true, false]);
      expect(sources.folders).toEqual([]);
      const gone = { paths: ['p/a[1].jpg', 'nope.jpg'], list: null, cwd, once: { folders: [] } };
      await expect(open(gone, RULES)).rejects.toMatchObject({ code: 'no_input' });
    });

    it('treats folders of former sources as folders, whatever their names', async () => {
      put('p/a[1].jpg', 'album[2].jpg/b.jpg', 'named.jpg');
      const once = { folders: ['p', 'album[2].jpg', 'gone'] };
      const sources = await open({ paths: ['named.jpg'], list: null, cwd, once }, RULES);
      const at = (path: string) => sources.boundsOf(join(cwd, path))?.within;
      expect([at('p/a[1].jpg'), at('album[2].jpg/b.jpg'), at('gone/c.jpg'), at('named.jpg')]).toEqual([
        [join(cwd, 'p')],
        [join(cwd, 'album[2].jpg')],
        [join(cwd, 'gone')],
        undefined,
      ]);
      const gone = { paths: ['nope.jpg'], list: null, cwd, once: { folders: ['gone', 'named.jpg'] } };
      await expect(open(gone, RULES)).rejects.toMatchObject({ code: 'no_input' });
    });

    it('walks the inputs of an earlier batch again, and returns missing folders as gone', async () => {
      put('p/a.jpg', 'q/notes.txt');
      const paths = ['p', 'q/*.jpg', 'away', 'away too/*.jpg', 'gone.JPG'];
      const sources = await open({ paths, list: null, cwd, isAgain: true }, RULES);
      const met: unknown[] = [];
      for await (const entry of sources.walk(new AbortController().signal)) {
        if (entry.type === 'found') met.push([entry.given, entry.facts !== null]);
        else met.push([entry.type, entry.type === 'gone' ? sources.givenOf(entry.path) : '']);
      }
      expect(met).toEqual([
        ...[
          ['p/a.jpg', true],
          ['gone', 'away'],
          ['gone', 'away too'],
          ['gone.JPG', false],
        ],
      ]);
      for (const none of [['away', 'gone.jpg'], ['q/*.jpg', 'away'], ['q/*.jpg']]) {
        await expect(open({ paths: none, list: null, cwd, isAgain: true }, RULES)).rejects.toMatchObject({
          code: 'no_input',
        });
      }
    });
  });
}
