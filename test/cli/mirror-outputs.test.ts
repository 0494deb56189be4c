import { linkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { checkSituations, remove } from './mirror-situations.ts';
import { AB, made, outputsOf, putPictures } from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

checkSituations('outputs and their folders', {
  'the subfolder alone, while sources outside are gone too': {
    before: (place) => remove(place, 'photos/a.jpg', 'photos/sub/e.jpg'),
    run: [...AB, 'photos/sub'],
    removed: outputsOf(['sub/e'], 'ab'),
    added: outputsOf(['f'], 'ab'),
  },
  'two folders with one --out, of which one is named': {
    async before(place) {
      await putPictures(place, ['more/x.jpg', 'more/y.jpg']);
      await made(place, ...AB, 'more');
      remove(place, 'photos/a.jpg', 'more/x.jpg');
    },
    removed: outputsOf(['a'], 'ab'),
  },
  'two folders with one --out, both named': {
    async before(place) {
      await putPictures(place, ['more/x.jpg', 'more/y.jpg']);
      await made(place, ...AB, 'more');
      remove(place, 'photos/a.jpg', 'more/x.jpg');
    },
    run: [...AB, 'photos', 'more'],
    removed: outputsOf(['a', 'x'], 'ab'),
  },
  'another output folder': {
    async before(place) {
      await made(place, ...AB, '--out', 'other', 'photos');
      remove(place, 'photos/a.jpg');
    },
    removed: outputsOf(['a'], 'ab'),
  },
  'a gone source whose outputs a duplicate shares as links': {
    async before(place) {
      putOld(place.at('photos/z.jpg'), await picture({ seed: 1 }));
      await made(place, ...AB, 'photos');
      remove(place, 'photos/a.jpg');
    },
    removed: outputsOf(['a'], 'ab'),
  },
  'a gone duplicate whose outputs are links': {
    async before(place) {
      putOld(place.at('photos/z.jpg'), await picture({ seed: 1 }));
      await made(place, ...AB, 'photos');
      linkSync(place.at('out/z_a.webp'), place.at('kept.webp'));
      remove(place, 'photos/z.jpg');
    },
    removed: outputsOf(['z'], 'ab'),
  },
  'a gone source whose outputs a skipped duplicate has': {
    async before(place) {
      putOld(place.at('photos/z.jpg'), await picture({ seed: 1 }));
      await made(place, ...AB, '--duplicates', 'skip', 'photos');
      remove(place, 'photos/a.jpg');
    },
    run: [...AB, '--duplicates', 'skip', 'photos'],
    removed: outputsOf(['a'], 'ab'),
    added: outputsOf(['z'], 'ab'),
  },
  'an output that somebody edited': {
    before(place) {
      writeFileSync(place.at('out/a_a.webp'), 'mine now');
      remove(place, 'photos/a.jpg');
    },
    removed: outputsOf(['a'], 'b'),
    warning: /^out\/a_a\.webp: was changed since imgtool made it, so the file stays$/,
    foreign: ['out/a_a.webp'],
  },
  'an output whose place a link has': {
    before(place) {
      remove(place, 'photos/a.jpg', 'out/a_a.webp');
      symlinkSync(place.at('photos/b.jpg'), place.at('out/a_a.webp'));
    },
    removed: outputsOf(['a'], 'b'),
    warning: /^out\/a_a\.webp: was changed/,
    foreign: ['out/a_a.webp'],
  },
  'an output that is missing already': {
    before: (place) => remove(place, 'photos/a.jpg', 'out/a_a.webp'),
    removed: outputsOf(['a'], 'b'),
  },
  'files that the index does not know': {
    before(place) {
      place.put('out/a_c.webp', 'a file of the user');
      place.put('out/sub/notes.txt', 'notes');
      remove(place, 'photos/a.jpg', 'photos/sub/e.jpg');
    },
    removed: outputsOf(['a', 'sub/e'], 'ab'),
    foreign: ['out/a_c.webp', 'out/sub/notes.txt'],
  },
  'a source that was moved': {
    before: (place) => renameSync(place.at('photos/a.jpg'), place.at('photos/sub/moved.jpg')),
    removed: outputsOf(['a'], 'ab'),
    added: outputsOf(['sub/moved'], 'ab'),
  },
  'a source that was replaced by one with the same names': {
    async before(place) {
      remove(place, 'photos/a.jpg');
      putOld(place.at('photos/a.png'), await picture({ seed: 70, format: 'png' }));
    },
    removed: [],
    changed: outputsOf(['a'], 'ab'),
  },
  'a source that was edited': {
    before: async (place) => putOld(place.at('photos/a.jpg'), await picture({ seed: 71 })),
    removed: [],
    changed: outputsOf(['a'], 'ab'),
  },
  '--force': {
    before: (place) => remove(place, 'photos/a.jpg'),
    run: ['--force', ...AB, 'photos'],
    removed: outputsOf(['a'], 'ab'),
  },
});
