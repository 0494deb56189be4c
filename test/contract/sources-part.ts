import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenSources, SourceProbe } from '../../src/ports.ts';
import { found, placeOf, type SourcesPlace, walked } from './sources-place.ts';

/** The contract of sources in files and folders for a partial walk, and for a walk that leaves out known sources. */
export function partsOfSourcesConformance(name: string, open: OpenSources, probe: SourceProbe): void {
  describe(`${name} in a partial walk of the sources`, () => {
    let place: SourcesPlace;
    beforeEach(() => {
      place = placeOf(open);
    });

    it('returns one file as a full walk does', async () => {
      place.put('p/a.jpg', 'p/sub/b.jpg', 'p/sub/c.jpg');
      const sources = await place.open(['p']);
      const all = await walked(sources);
      expect(await walked(sources, { at: place.at('p/sub/b.jpg') })).toEqual([all[1]]);
    });

    it('returns all sources below a folder in bytewise order, and nothing outside of it', async () => {
      place.put('p/a.jpg', 'p/sub/z.jpg', 'p/sub/B.jpg', 'p/sub/deep/y.jpg', 'p/sub.jpg', 'p/sub-b/x.jpg');
      const sources = await place.open(['p']);
      const inSub = ['p/sub/B.jpg', 'p/sub/deep/y.jpg', 'p/sub/z.jpg'];
      expect(found(await walked(sources, { at: place.at('p/sub') }))).toEqual(inSub);
      expect(found(await walked(sources, { at: place.at('p') }))).toHaveLength(6);
    });

    it('returns the same paths when the root of the disk is named', async () => {
      place.put('p/a.jpg', 'p/b/c.jpg', 'elsewhere/d.jpg');
      symlinkSync('../elsewhere', place.at('p/link'));
      const sources = await place.open(['/'], { followSymlinks: true });
      const paths = (await walked(sources, { at: place.at('p') })).map(
        (one) => 'source' in one && one.source,
      );
      expect(paths).toEqual(['p/a.jpg', 'p/b/c.jpg', 'p/link/d.jpg'].map(place.at));
    });

    it('returns a path that is no source with its reason', async () => {
      place.put('p/notes.txt', 'p/.hidden.jpg', 'p/a.jpg.part', 'p/x.png');
      symlinkSync('x.png', place.at('p/link.jpg'));
      const sources = await place.open(['p'], { exclude: ['x.png'] });
      const at = async (path: string) => walked(sources, { at: place.at(path) });
      expect(await at('p/notes.txt')).toMatchObject([{ type: 'skipped', reason: 'no_picture_name' }]);
      expect(await at('p/.hidden.jpg')).toMatchObject([{ type: 'skipped', reason: 'hidden' }]);
      expect(await at('p/a.jpg.part')).toMatchObject([{ type: 'skipped', reason: 'partial_download' }]);
      expect(await at('p/link.jpg')).toMatchObject([{ type: 'skipped', reason: 'symlink' }]);
      expect(await at('p/x.png')).toMatchObject([{ type: 'skipped', reason: 'excluded' }]);
    });

    it('returns nothing below a folder that a walk skips, except the reason', async () => {
      place.put('p/.git/deep/a.jpg', 'p/raw/deep/b.jpg', 'p/out/deep/c.webp', 'elsewhere/d.jpg');
      symlinkSync('../elsewhere', place.at('p/linked'));
      const sources = await place.open(['p'], { exclude: ['raw'], out: place.at('p/out') });
      const at = async (path: string) => walked(sources, { at: place.at(path) });
      const skipped = (given: string, reason: string) => [
        { type: 'skipped', path: place.at(given), given, reason },
      ];
      expect(await at('p/.git/deep/a.jpg')).toEqual(skipped('p/.git', 'hidden'));
      expect(await at('p/raw/deep/b.jpg')).toEqual(skipped('p/raw', 'excluded'));
      expect(await at('p/raw/deep')).toEqual(skipped('p/raw', 'excluded'));
      expect(await at('p/out/deep/c.webp')).toEqual(skipped('p/out', 'output'));
      expect(found(await at('p/linked/d.jpg'))).toEqual([]);
    });

    it('returns a missing path as gone, or its first missing folder', async () => {
      place.put('p/a.jpg');
      const sources = await place.open(['p']);
      const gone = (path: string) => [{ type: 'gone', path: place.at(path), wasFolder: false }];
      expect(await walked(sources, { at: place.at('p/b.jpg') })).toEqual(gone('p/b.jpg'));
      expect(await walked(sources, { at: place.at('p/none/deep/b.jpg') })).toEqual(gone('p/none'));
    });

    it('returns nothing outside the named folders', async () => {
      place.put('p/a.jpg', 'p-b/b.jpg', 'c.jpg');
      const sources = await place.open(['p']);
      for (const path of ['p-b/b.jpg', 'p-b', 'c.jpg', 'none', '.', '..']) {
        expect(await walked(sources, { at: place.at(path) })).toEqual([]);
      }
    });

    it('respects the given globs', async () => {
      place.put('p/a.jpg', 'p/sub/b.jpg', 'p/sub/c.png');
      const globbed = await place.open(['p/**/*.jpg']);
      expect(found(await walked(globbed, { at: place.at('p/sub') }))).toEqual(['p/sub/b.jpg']);
      expect(await walked(globbed, { at: place.at('p/sub/c.png') })).toEqual([]);
      const included = await place.open(['p'], { include: ['sub/*'] });
      expect(found(await walked(included, { at: place.at('p/sub/c.png') }))).toEqual(['p/sub/c.png']);
      expect(found(await walked(included, { at: place.at('p/a.jpg') }))).toEqual([]);
    });

    it('returns a file once that is below two of the named folders', async () => {
      place.put('p/sub/b.jpg');
      const sources = await place.open(['p/sub', 'p']);
      expect(found(await walked(sources, { at: place.at('p/sub/b.jpg') }))).toEqual(['p/sub/b.jpg']);
    });

    it('returns files behind a link to a folder if links are followed', async () => {
      place.put('p/.store/a.jpg');
      symlinkSync('.store', place.at('p/linked'));
      const sources = await place.open(['p'], { followSymlinks: true });
      expect(found(await walked(sources, { at: place.at('p/linked/a.jpg') }))).toEqual(['p/linked/a.jpg']);
    });

    it('accepts names with special characters', async () => {
      const odd = [
        'p/[a]*{b}?.jpg',
        "p/it's.jpg",
        'p/a\nb.jpg',
        'p/back\\slash.jpg',
        'p/e\u0301.jpg',
        'p/-.jpg',
      ];
      place.put(...odd);
      const sources = await place.open(['p']);
      for (const path of odd) expect(found(await walked(sources, { at: place.at(path) }))).toEqual([path]);
    });

    it('walks the folder of a name that is not UTF-8', async () => {
      place.put('p/a.jpg', 'p/b.jpg');
      const raw = Buffer.concat([Buffer.from(place.at('p/c')), Buffer.from([0xff]), Buffer.from('.jpg')]);
      renameSync(place.at('p/b.jpg'), raw);
      const entries = await walked(await place.open(['p']), { at: place.at('p/c\ufffd.jpg') });
      expect(entries).toMatchObject([{ given: 'p/a.jpg' }, { reason: 'name_not_utf8' }]);
    });
  });

  describe(`${name} in a walk with known sources`, () => {
    let place: SourcesPlace;
    beforeEach(() => {
      place = placeOf(open);
    });

    it('checks all sources and streams only the unknown ones', async () => {
      place.put('p/a.jpg', 'p/b.jpg', 'p/notes.txt', 'p/.hidden.jpg', 'p/sub/c.jpg');
      const sources = await place.open(['p']);
      const met: unknown[] = [];
      const entries = await walked(sources, {
        isKnown(path, facts) {
          met.push({ source: path, facts });
          return !path.endsWith('b.jpg');
        },
      });
      expect(entries).toMatchObject([{ reason: 'hidden' }, { given: 'p/b.jpg' }, { given: 'p/notes.txt' }]);
      const all = (await walked(sources)).flatMap((one) => (one.type === 'found' ? [one] : []));
      expect(met).toEqual(all.map(({ source, facts }) => ({ source, facts })));
      expect(found(await walked(sources, { at: place.at('p/a.jpg'), isKnown: () => true }))).toEqual([]);
    });

    it('checks each of thousands, and all sources after them', async () => {
      const names = Array.from({ length: 1_000 }, (_, i) => `p/${String(i).padStart(4, '0')}.jpg`);
      place.put(...names, 'p/z.jpg');
      let met = 0;
      const isKnown = (path: string) => ++met > 0 && !path.endsWith('z.jpg');
      expect(found(await walked(await place.open(['p']), { isKnown }))).toEqual(['p/z.jpg']);
      expect(met).toBe(1_001);
    });

    it('checks a file once that is reachable twice, and under the same path each time', async () => {
      place.put('p/real/a.jpg', 'q/b.jpg');
      symlinkSync('real/a.jpg', place.at('p/file.jpg'));
      symlinkSync('q', place.at('r'));
      const sources = await place.open(['p', 'q', 'r'], { followSymlinks: true });
      const first = (await walked(sources)).flatMap((one) => (one.type === 'found' ? [one.source] : []));
      expect(first).toEqual([place.at('p/file.jpg'), place.at('q/b.jpg')]);
      const isKnown = (path: string) => first.includes(path);
      expect(found(await walked(sources, { isKnown }))).toEqual([]);
    });
  });

  describe(`${name} in a check of missing sources`, () => {
    let place: SourcesPlace;
    beforeEach(() => {
      place = placeOf(open);
    });

    it('returns missing sources while the named folder exists', async () => {
      place.put('p/a.jpg', 'p/b.jpg', 'p/sub/c.jpg', 'named.jpg');
      const sources = await place.open(['p', 'named.jpg']);
      const watcher = sources.watch(() => {}, { poll: true });
      const paths = ['p/a.jpg', 'p/b.jpg', 'p/sub/c.jpg', 'named.jpg'].map(place.at);
      expect(await sources.missing(paths)).toEqual([]);
      place.remove('p/b.jpg', 'p/sub', 'named.jpg');
      expect(await sources.missing(paths)).toEqual(paths.slice(1));
      place.remove('p');
      expect(await sources.missing(paths)).toEqual([place.at('named.jpg')]);
      await watcher.close();
    });

    it('returns none if another folder has replaced the named folder', async () => {
      place.put('p/a.jpg');
      const sources = await place.open(['p']);
      const watcher = sources.watch(() => {}, { poll: true });
      renameSync(place.at('p'), place.at('away'));
      place.put('p/.mounted');
      expect(await sources.missing([place.at('p/a.jpg')])).toEqual([]);
      await watcher.close();
    });

    it('returns no source whose path has anything at it', async () => {
      place.put('p/a.jpg/x.jpg', 'p/b.jpg', 'p/file');
      symlinkSync('nothing', place.at('p/c.jpg'));
      const sources = await place.open(['p']);
      const watcher = sources.watch(() => {}, { poll: true });
      const paths = ['p/a.jpg', 'p/b.jpg', 'p/c.jpg', 'p/file/d.jpg'].map(place.at);
      expect(await sources.missing(paths)).toEqual([join(place.at('p/file'), 'd.jpg')]);
      await watcher.close();
    });

    it('distinguishes missing from unreachable sources without a watch', async () => {
      place.put('p/a.jpg', 'p/b.jpg');
      const sources = await place.open(['p']);
      place.remove('p/b.jpg');
      expect(await sources.missing([place.at('p/a.jpg'), place.at('p/b.jpg')])).toEqual([
        place.at('p/b.jpg'),
      ]);
      place.remove('p');
      expect(await sources.missing([place.at('p/a.jpg')])).toEqual([]);
    });

    it('finds missing sources anywhere if nothing was named', async () => {
      place.put('p/a.jpg', 'p/b.jpg', 'empty/c.jpg', 'none/deep/d.jpg');
      const nothingNamed = await place.open([]);
      place.remove('p/b.jpg', 'empty/c.jpg', 'none');
      const paths = ['p/a.jpg', 'p/b.jpg', 'empty/c.jpg', 'none/deep/d.jpg'].map(place.at);
      for (const sources of [nothingNamed, probe]) {
        expect(await sources.missing(paths)).toEqual(paths.slice(1));
        // The disk of the empty folder may be unmounted.
        expect(await sources.gone(paths)).toEqual([paths[1], paths[3]]);
      }
    });

    it('reports whether a missing source was a walked folder or a file', async () => {
      place.put('p/a.jpg', 'p/sub/deep/b.jpg');
      const sources = await place.open(['p']);
      const watcher = sources.watch(() => {}, { poll: true });
      await walked(sources);
      place.remove('p/a.jpg', 'p/sub');
      const gone = (path: string, wasFolder: boolean) => [{ type: 'gone', path: place.at(path), wasFolder }];
      expect(await walked(sources, { at: place.at('p/a.jpg') })).toEqual(gone('p/a.jpg', false));
      expect(await walked(sources, { at: place.at('p/sub/deep/b.jpg') })).toEqual(gone('p/sub', true));
      expect(await walked(sources, { at: place.at('p/sub') })).toEqual(gone('p/sub', false));
      await watcher.close();
    });
  });
}
