import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hint, OpenSources, Sources, Watcher } from '../../src/ports.ts';
import { type Ear, found, openEar, placeOf, type SourcesPlace, walked } from './sources-place.ts';

/** The contract of watched sources in files and folders. */
export function watchedSourcesConformance(name: string, open: OpenSources): void {
  describe(`${name} in a watch of the sources`, () => {
    let place: SourcesPlace;
    const watchers: Watcher[] = [];
    beforeEach(() => {
      place = placeOf(open);
    });
    afterEach(async () => {
      for (const watcher of watchers.splice(0)) await watcher.close();
    });

    /** Starts a watch of sources and walks them once. */
    const watch = async (paths: readonly string[], { poll = false, followSymlinks = false } = {}) => {
      const sources = await place.open(paths, { followSymlinks });
      const ear = openEar();
      const watcher = sources.watch(ear.hear, { poll });
      watchers.push(watcher);
      const before = await walked(sources);
      return { sources, ear, watcher, before };
    };
    /** Waits until another watch has received later events of the folder, so earlier events must have arrived. */
    const eventsArrive = async (folder: string) => {
      const { ear } = await watch([folder]);
      place.put(`${folder}/last`);
      await ear.changed(place.at(`${folder}/last`));
    };

    it('reports a file that is new, longer, moved in, moved away or removed', async () => {
      place.put('p/old.jpg', 'p/gone.jpg', 'p/sub/away.jpg', 'moved.jpg', 'p/whole.tmp');
      const { ear } = await watch(['p']);
      place.put('p/new.jpg');
      await ear.changed(place.at('p/new.jpg'));
      appendFileSync(place.at('p/old.jpg'), 'more');
      await ear.changed(place.at('p/old.jpg'));
      renameSync(place.at('moved.jpg'), place.at('p/sub/moved.jpg'));
      await ear.changed(place.at('p/sub/moved.jpg'));
      renameSync(place.at('p/whole.tmp'), place.at('p/whole.jpg'));
      await ear.changed(place.at('p/whole.jpg'));
      renameSync(place.at('p/sub/away.jpg'), place.at('away.jpg'));
      await ear.changed(place.at('p/sub/away.jpg'));
      rmSync(place.at('p/gone.jpg'));
      await ear.changed(place.at('p/gone.jpg'));
      expect(ear.hints.filter(({ type }) => type !== 'changed')).toEqual([]);
    });

    it('reports a new folder, and new files in it after its walk', async () => {
      place.put('p/a.jpg');
      const { sources, ear, watcher } = await watch(['p']);
      place.put('p/new/deep/early.jpg');
      await ear.changed(place.at('p/new'));
      expect(found(await walked(sources, { at: place.at('p/new') }))).toEqual(['p/new/deep/early.jpg']);
      expect(watcher.folders).toBe(3);
      place.put('p/new/deep/late.jpg', 'p/new/late.jpg');
      await ear.changed(place.at('p/new/deep/late.jpg'));
      await ear.changed(place.at('p/new/late.jpg'));
    });

    it('reports new files in a folder that was walked for one of its files', async () => {
      place.put('p/a.jpg');
      const { sources, ear } = await watch(['p']);
      place.put('p/new/b.jpg');
      expect(found(await walked(sources, { at: place.at('p/new/b.jpg') }))).toEqual(['p/new/b.jpg']);
      place.put('p/new/c.jpg');
      await ear.changed(place.at('p/new/c.jpg'));
    });

    it('reports new files in a folder that was moved in or renamed', async () => {
      place.put('p/sub/a.jpg', 'elsewhere/b.jpg');
      const { sources, ear, watcher } = await watch(['p']);
      renameSync(place.at('elsewhere'), place.at('p/in'));
      renameSync(place.at('p/sub'), place.at('p/other'));
      for (const folder of ['p/in', 'p/sub', 'p/other']) {
        await ear.changed(place.at(folder));
        await walked(sources, { at: place.at(folder) });
      }
      expect(watcher.folders).toBe(3);
      ear.forget();
      place.put('p/in/c.jpg', 'p/other/c.jpg');
      await ear.changed(place.at('p/in/c.jpg'));
      await ear.changed(place.at('p/other/c.jpg'));
      expect(ear.hints).not.toContainEqual({ type: 'changed', path: place.at('p/sub/c.jpg') });
    });

    it.each(['p/sub', 'p'])(
      'reports %s that is removed and created again at once, and new files in it after its walk',
      async (folder) => {
        place.put('p/a.jpg', 'p/sub/b.jpg');
        const { sources, ear } = await watch(['p']);
        rmSync(place.at(folder), { recursive: true });
        mkdirSync(place.at(folder));
        await ear.changed(place.at(folder));
        await walked(sources, { at: place.at(folder) });
        place.put(`${folder}/new.jpg`);
        await ear.changed(place.at(`${folder}/new.jpg`));
      },
      10_000,
    );

    it('reports new files in a folder that is removed and created again repeatedly', async () => {
      place.put('p/sub/b.jpg');
      const { sources, ear } = await watch(['p']);
      for (let round = 0; round < 5; round++) {
        rmSync(place.at('p/sub'), { recursive: true });
        await ear.changed(place.at('p/sub'));
        expect(await walked(sources, { at: place.at('p/sub') })).toMatchObject([
          { type: 'gone', wasFolder: true },
        ]);
        ear.forget();
        mkdirSync(place.at('p/sub'));
        await ear.changed(place.at('p/sub'));
        await walked(sources, { at: place.at('p/sub') });
        place.put(`p/sub/${round}.jpg`);
        await ear.changed(place.at(`p/sub/${round}.jpg`));
        ear.forget();
      }
    });

    it('reports changes below a named link under the path of the link', async () => {
      place.put('real/sub/a.jpg');
      symlinkSync('real', place.at('p'));
      const { ear, before } = await watch(['p']);
      expect(found(before)).toEqual(['p/sub/a.jpg']);
      place.put('real/sub/c.jpg');
      await ear.changed(place.at('p/sub/c.jpg'));
    });

    it('reports only that something has changed if a file is reachable in two ways', async () => {
      place.put('p/real/a.jpg', 'p/.store/b.jpg');
      symlinkSync('real/a.jpg', place.at('p/file.jpg'));
      symlinkSync('.store', place.at('p/linked'));
      const { ear, before } = await watch(['p'], { followSymlinks: true });
      expect(found(before)).toEqual(['p/file.jpg', 'p/linked/b.jpg']);
      for (const path of ['p/real/a.jpg', 'p/.store/c.jpg']) {
        ear.forget();
        place.put(path);
        await ear.heard(({ type }) => type === 'lost');
        expect(ear.hints.filter(({ type }) => type !== 'lost')).toEqual([]);
      }
    });

    const odd = ['[a]*{b}?', "it's", 'a\nb', 'é', 'e\u0301', '-', '!x', '%', ' ', 'p'];
    it.each(odd)('reports changes in a folder named %j', async (folder) => {
      for (const folder of odd) place.put(`p/${folder}/a.jpg`);
      const { ear } = await watch(['p']);
      place.put(`p/${folder}/new[1].jpg`);
      await ear.changed(place.at(`p/${folder}/new[1].jpg`));
    });

    it('reports nothing in skipped folders', async () => {
      place.put('p/.git/a.jpg', 'p/a.jpg');
      const { ear, watcher } = await watch(['p']);
      place.put('p/.git/b.jpg');
      await eventsArrive('p');
      const below = ear.hints.filter((hint) => hint.type === 'changed' && hint.path.includes('.git/'));
      expect([below, watcher.folders]).toEqual([[], 1]);
    });

    it('reports nothing after the watch is closed, even during a walk', async () => {
      place.put('p/a.jpg', 'p/sub/b.jpg');
      const { ear, watcher } = await watch(['p']);
      await watcher.close();
      ear.forget();
      place.put('p/c.jpg', 'p/sub/d.jpg');
      await eventsArrive('p');
      await eventsArrive('p/sub');
      expect([ear.hints, watcher.folders]).toEqual([[], 0]);
    });

    it('reports no changes with polling, and identifies itself as polling', async () => {
      place.put('p/a.jpg', 'p/sub/b.jpg');
      const { ear, watcher } = await watch(['p'], { poll: true });
      expect([watcher.by, watcher.folders]).toEqual(['polling', 2]);
      place.put('p/c.jpg', 'p/sub/d.jpg');
      await eventsArrive('p');
      await eventsArrive('p/sub');
      expect(ear.hints).toEqual([]);
    });

    it('reports the number of existing walked folders, and that it uses events', async () => {
      place.put('p/a.jpg', 'p/x/y/b.jpg', 'p/z/c.txt', 'p/.hidden/d.jpg');
      const sources = await place.open(['p']);
      const watcher = sources.watch(() => {}, { poll: false });
      watchers.push(watcher);
      expect([watcher.folders, watcher.by]).toEqual([0, 'events']);
      await walked(sources);
      expect([watcher.folders, watcher.by]).toEqual([4, 'events']);
      place.remove('p/x');
      await walked(sources);
      expect(watcher.folders).toBe(2);
    });

    it('keeps the folders of a walk that was stopped halfway', async () => {
      place.put('p/a/a.jpg', 'p/b/b.jpg');
      const { sources, watcher } = await watch(['p']);
      const stop = new AbortController();
      for await (const _ of sources.walk(stop.signal)) stop.abort();
      expect(watcher.folders).toBe(3);
    });

    describe('below a folder that disappears and comes back', () => {
      const isReplaced = (hint: Hint) => hint.type === 'replaced' && hint.folder === place.at('p');
      /** The folder disappears, a walk runs, the folder comes back, and another walk runs. */
      const goAndComeBack = async (leave: () => void, come: () => void) => {
        place.put('p/a.jpg', 'p/sub/b.jpg');
        const { sources, ear, watcher } = await watch(['./p']);
        leave();
        await ear.warned('p: is not there any more');
        await ear.heard(isReplaced);
        expect(watcher.folders).toBe(0);
        await walked(sources);
        expect(await sources.missing([place.at('p/a.jpg'), place.at('p/sub/b.jpg')])).toEqual([]);
        ear.forget();
        come();
        await ear.warned('p: is there again');
        await ear.heard(isReplaced);
        return { sources, ear };
      };
      /** Checks that the watch works as if the folder had never disappeared. */
      const isHeard = async (sources: Sources, ear: Ear) => {
        await walked(sources);
        place.put('p/new.jpg');
        await ear.changed(place.at('p/new.jpg'));
        rmSync(place.at('p/new.jpg'));
        expect(await sources.missing([place.at('p/new.jpg')])).toEqual([place.at('p/new.jpg')]);
      };

      it('warns, returns no missing sources, and reports new files after the next walk', async () => {
        const { sources, ear } = await goAndComeBack(
          () => place.remove('p'),
          () => mkdirSync(place.at('p')),
        );
        await isHeard(sources, ear);
      });

      it('does the same if the folder is moved away and back', async () => {
        const { sources, ear } = await goAndComeBack(
          () => renameSync(place.at('p'), place.at('away')),
          () => renameSync(place.at('away'), place.at('p')),
        );
        expect(found(await walked(sources))).toEqual(['p/a.jpg', 'p/sub/b.jpg']);
        await isHeard(sources, ear);
      });

      it('ignores a file at the path of the folder', async () => {
        const { sources, ear } = await goAndComeBack(
          () => {
            place.remove('p');
            writeFileSync(place.at('p'), 'no folder');
          },
          () => {
            place.remove('p');
            mkdirSync(place.at('p'));
          },
        );
        await isHeard(sources, ear);
      });

      it('warns that another folder has replaced it', async () => {
        place.put('p/a.jpg', 'other/c.jpg');
        const { sources, ear } = await watch(['p']);
        renameSync(place.at('p'), place.at('away'));
        renameSync(place.at('other'), place.at('p'));
        await ear.warned('p: is another folder now');
        await ear.heard(isReplaced);
        expect(found(await walked(sources))).toEqual(['p/c.jpg']);
        await isHeard(sources, ear);
      });

      it('continues to report changes in the other named folders', async () => {
        place.put('p/a.jpg', 'q/b.jpg');
        const { sources, ear } = await watch(['p', 'q']);
        place.remove('p');
        await ear.warned('p: is not there any more');
        place.put('q/c.jpg');
        await ear.changed(place.at('q/c.jpg'));
        rmSync(place.at('q/b.jpg'));
        const both = [place.at('p/a.jpg'), place.at('q/b.jpg')];
        expect(await sources.missing(both)).toEqual([place.at('q/b.jpg')]);
      });
    });
  });
}
