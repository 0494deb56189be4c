import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openPlace } from './imgtool.ts';
import { ALL, checkSituations, remove, without } from './mirror-situations.ts';
import {
  A,
  AB,
  B,
  changesOf,
  listing,
  made,
  NOTHING,
  outputsOf,
  PICTURES,
  putPictures,
} from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

checkSituations('sources that are gone', {
  'a source that is gone': {
    before: (place) => remove(place, 'photos/a.jpg'),
    removed: outputsOf(['a'], 'ab'),
  },
  'a source in a subfolder that is gone': {
    before: (place) => remove(place, 'photos/sub/e.jpg'),
    removed: outputsOf(['sub/e'], 'ab'),
  },
  'a subfolder that is gone': {
    before: (place) => remove(place, 'photos/sub'),
    removed: outputsOf(['sub/e', 'sub/f'], 'ab'),
  },
  'exactly half of the sources that are gone': {
    before: (place) => remove(place, 'photos/a.jpg', 'photos/b.jpg', 'photos/sub/e.jpg'),
    removed: outputsOf(['a', 'b', 'sub/e'], 'ab'),
  },
  'more than half of the sources that are gone, and a dropped variant': {
    before: (place) => remove(place, ...PICTURES.slice(0, 4)),
    run: [...A, 'photos'],
    removed: [],
    warning: /^photos: 4 of the 6 pictures known from before .* photos\/a\.jpg, .*photos\/d\.jpg$/,
  },
  'more than half of the sources that are gone, with --mirror=all': {
    before: (place) => remove(place, ...PICTURES.slice(0, 4)),
    run: ['--mirror=all', ...AB, 'photos'],
    removed: outputsOf(['a', 'b', 'c', 'd'], 'ab'),
  },
  'the only source that is gone': {
    async before(place) {
      await putPictures(place, ['more/x.jpg']);
      await made(place, ...AB, 'more');
      renameSync(place.at('more/x.jpg'), place.at('more/x.txt'));
    },
    run: [...AB, 'more'],
    removed: [],
    warning: /^more: the only picture known from before is not there, so no output is removed: more\/x\.jpg$/,
  },
  'a disk that is not mounted on the folder': {
    before(place) {
      remove(place, 'photos');
      mkdirSync(place.at('photos'));
    },
    removed: [],
    warning: /^photos: 6 of the 6 pictures/,
  },
  'a disk that is not mounted on the folder, while new files lie there': {
    async before(place) {
      remove(place, 'photos');
      for (let i = 0; i < 5; i++) putOld(place.at(`photos/new${i}.jpg`), await picture({ seed: 50 + i }));
    },
    run: [...A, 'photos'],
    removed: [],
    added: outputsOf(
      Array.from({ length: 5 }, (_, i) => `new${i}`),
      'a',
    ),
    warning: /^photos: 6 of the 6 pictures/,
  },
  'a disk that is not mounted on a subfolder': {
    before(place) {
      remove(place, 'photos/sub', 'photos/a.jpg');
      mkdirSync(place.at('photos/sub'));
    },
    removed: outputsOf(['a'], 'ab'),
    warning: /^photos: keeps the outputs .* empty: photos\/sub\/e\.jpg, photos\/sub\/f\.jpg$/,
  },
  'an empty subfolder, with --mirror=all': {
    before(place) {
      remove(place, 'photos/sub');
      mkdirSync(place.at('photos/sub'));
    },
    run: ['--mirror=all', ...AB, 'photos'],
    removed: outputsOf(['sub/e', 'sub/f'], 'ab'),
  },
  'sources that an earlier batch excluded': {
    async before(place) {
      putOld(place.at('photos/late.jpg'), await picture({ seed: 72 }));
      await made(place, ...AB, '--exclude', 'late.jpg', 'photos');
      remove(place, 'photos/a.jpg');
    },
    removed: outputsOf(['a'], 'ab'),
    added: outputsOf(['late'], 'ab'),
  },
  'a system folder that was named before': {
    async before(place) {
      await putPictures(place, ['photos/@eaDir/x.jpg', 'photos/@eaDir/y.jpg']);
      await made(place, ...AB, 'photos/@eaDir');
      remove(place, 'photos/@eaDir/x.jpg');
    },
    removed: [],
  },
  'a system folder that is named again': {
    async before(place) {
      await putPictures(place, ['photos/@eaDir/x.jpg', 'photos/@eaDir/y.jpg']);
      await made(place, ...AB, 'photos/@eaDir');
      remove(place, 'photos/@eaDir/x.jpg');
    },
    run: [...AB, 'photos/@eaDir'],
    removed: outputsOf(['x'], 'ab'),
  },
  'a folder that a link has replaced': {
    before(place) {
      renameSync(place.at('photos/sub'), place.at('elsewhere'));
      remove(place, 'elsewhere/e.jpg');
      symlinkSync(place.at('elsewhere'), place.at('photos/sub'));
    },
    removed: [],
  },
  'a folder that a link has replaced, and a variant that was renamed': {
    before(place) {
      renameSync(place.at('photos/sub'), place.at('elsewhere'));
      symlinkSync(place.at('elsewhere'), place.at('photos/sub'));
    },
    run: [...A, '--variant', 'c:w=20', 'photos'],
    removed: outputsOf(without('sub/e', 'sub/f'), 'b'),
    added: outputsOf(without('sub/e', 'sub/f'), 'c'),
  },
  'a source that a link has replaced, and a variant that was renamed': {
    before(place) {
      renameSync(place.at('photos/a.jpg'), place.at('kept.jpg'));
      symlinkSync(place.at('kept.jpg'), place.at('photos/a.jpg'));
    },
    run: [...A, '--variant', 'c:w=20', 'photos'],
    removed: outputsOf(without('a'), 'b'),
    added: outputsOf(without('a'), 'c'),
  },
});

it('mirror: true, written for a watch, also lets process remove the outputs of dropped variants', async () => {
  const place = openPlace();
  await putPictures(place);
  place.put('.imgtoolrc', 'mirror: true\n');
  const watched = await place.run(['watch', '--once', '--out', 'out', ...AB, 'photos']);
  expect(watched.code, watched.stderr).toBe(0);
  const before = listing(place);
  const gone = { removed: outputsOf(ALL, 'b'), added: [], changed: [] };
  await place.run(['watch', '--once', '--out', 'out', ...A, 'photos']);
  await made(place, '--no-mirror', ...A, 'photos');
  expect(changesOf(before, listing(place))).toEqual({ ...gone, removed: [] });
  await made(place, ...A, 'photos');
  expect(changesOf(before, listing(place))).toEqual(gone);
});

describe('process --mirror refuses', () => {
  it.each<[string, string[], RegExp]>([
    ['a list of files', ['--files-from', 'list'], /^error: a list of files is given, and only folders/],
    [
      'a named file',
      ['photos', 'photos/b.jpg'],
      /^error: photos\/b\.jpg: is a file, and only folders are mirr/,
    ],
    ['a pattern', ['photos/*.jpg'], /^error: photos\/\*\.jpg: is a pattern, and only folders are mirrored/],
    ['--include', ['--include', '*.jpg', 'photos'], /^error: patterns leave files out/],
    ['--exclude', ['--exclude', 'b.jpg', 'photos'], /^error: patterns leave files out/],
    ['a folder that does not exist', ['photos', 'absent'], /^error: absent: is not there/],
    ['another word', ['--mirror=most', 'photos'], /^error: unknown option '--mirror=most'/],
  ])('%s, with exit code 2, a fix and without any work', async (_, args, wanted) => {
    const place = openPlace();
    await putPictures(place);
    await made(place, ...AB, 'photos');
    place.put('list', 'photos/b.jpg\n');
    remove(place, 'photos/a.jpg');
    const before = listing(place);
    for (const more of [[], ['--dry-run']]) {
      const outcome = await place.run(['process', '--out', 'out', ...B, '--mirror', ...more, ...args]);
      expect([outcome.code, outcome.stdout], outcome.stderr).toEqual([2, '']);
      expect(outcome.stderr).toMatch(wanted);
      expect(outcome.stderr).toMatch(/\nfix: .+/);
    }
    expect(changesOf(before, listing(place))).toEqual(NOTHING);
  });

  it('what a settings file asks to mirror, unless --no-mirror is given', async () => {
    const place = openPlace();
    await putPictures(place);
    place.put('.imgtoolrc', 'mirror: true\n');
    const refused = await place.run(['process', '--out', 'out', ...A, 'photos/a.jpg']);
    const fix = 'fix: name its folder, or leave out --mirror; --no-mirror overrides a settings file';
    const error = 'error: photos/a.jpg: is a file, and only folders are mirrored';
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([2, '', `${error}\n${fix}\n`]);
    await made(place, ...A, '--no-mirror', 'photos/a.jpg');
  });
});
