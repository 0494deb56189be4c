import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenSources } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { RULES } from './sources-place.ts';

/** What sources must do that were there once. */
export function sourcesAgainConformance(name: string, open: OpenSources): void {
  describe(`${name} as sources that were there before`, () => {
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

    it('takes what were sources as they are named, no patterns, as long as one is there', async () => {
      put('p/a1.jpg', 'p/b.jpg', 'p/c[1].jpg');
      const paths = ['p/a[1].jpg', 'p/b.jpg', 'p/c[1].jpg', 'nope/*.jpg'];
      const sources = await open({ paths, list: null, cwd, once: { folders: [] } }, RULES);
      const facts = await sources.statAll(paths.map((path) => join(cwd, path)));
      expect(facts.map((one) => one !== null)).toEqual([false, true, true, false]);
      expect(sources.folders).toEqual([]);
      const gone = { paths: ['p/a[1].jpg', 'nope.jpg'], list: null, cwd, once: { folders: [] } };
      await expect(open(gone, RULES)).rejects.toMatchObject({ code: 'no_input' });
    });

    it('walks again what an earlier batch had, and meets folders that are away as gone', async () => {
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
