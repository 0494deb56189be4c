import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite-index/binding.ts';
import { openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
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
  removedIn,
  warningsIn,
} from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

/** What happened since the first batch over `photos` with the variants a and b, and what a mirror then removes. */
interface Situation {
  /** What the user did before the run with `--mirror`. */
  readonly before: (place: Place) => unknown;
  /** The batch. The default has the variants and the folder of the first batch. */
  readonly run?: readonly string[];
  /** All files that the run removes, adds and changes. */
  readonly removed: readonly string[];
  readonly added?: readonly string[];
  readonly changed?: readonly string[];
  readonly exit?: number;
  /** Warnings about what stays. */
  readonly warning?: RegExp;
  /** Files that the user put into the output folder, or changed there. */
  readonly foreign?: readonly string[];
}

const ALL = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f'];
const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));
const remove = (place: Place, ...paths: string[]) => {
  for (const path of paths) rmSync(place.at(path), { recursive: true });
};
/** Older versions did not record which presets ask for an output. */
function makePresetsUnknown({ index }: Place): void {
  const db = keep(new Sqlite(index));
  db.exec('UPDATE outputs SET presets = NULL');
  db.close();
}
const presets = (one: string, two: string) => `presets:\n  one: ['${one}']\n  two: ['${two}', 'own:w=30']\n`;

const SITUATIONS: Readonly<Record<string, Situation>> = {
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
  'a variant that was dropped': {
    before: () => {},
    run: [...A, 'photos'],
    removed: outputsOf(ALL, 'b'),
  },
  'a variant that was renamed': {
    before: () => {},
    run: [...A, '--variant', 'c:w=20', 'photos'],
    removed: outputsOf(ALL, 'b'),
    added: outputsOf(ALL, 'c'),
  },
  'a variant that was renamed, with the same path': {
    before: (place) => made(place, ...A, '--name', '{dir}/{name}.{ext}', 'photos'),
    run: ['--variant', 'c:w=40', '--name', '{dir}/{name}.{ext}', 'photos'],
    // The outputs of the first batch have another template, and their variants are dropped.
    removed: outputsOf(ALL, 'ab'),
  },
  'a variant that was renamed, with the same path, and an edited source': {
    async before(place) {
      await made(place, ...A, '--name', '{dir}/{name}.{ext}', 'photos');
      putOld(place.at('photos/a.jpg'), await picture({ seed: 71 }));
    },
    run: ['--variant', 'c:w=40', '--name', '{dir}/{name}.{ext}', 'photos'],
    removed: outputsOf(ALL, 'ab'),
    changed: ['out/a.webp'],
  },
  'a variant that has another format': {
    before: () => {},
    run: [...A, '--variant', 'b:w=20,format=png', 'photos'],
    removed: outputsOf(ALL, 'b'),
    added: outputsOf(ALL, 'b', 'png'),
  },
  'a variant that has another size': {
    before: () => {},
    run: [...A, '--variant', 'b:w=24', 'photos'],
    removed: [],
    changed: outputsOf(ALL, 'b'),
  },
  'outputs of another preset': {
    async before(place) {
      place.put('.imgtoolrc', presets('c:w=20', 'd:w=20'));
      for (const name of ['one', 'two']) await made(place, '--preset', name, 'photos');
      remove(place, 'photos/a.jpg');
    },
    run: ['--preset', 'one', 'photos'],
    removed: outputsOf(['a'], 'c'),
  },
  'a dropped variant that another preset has too': {
    async before(place) {
      place.put('.imgtoolrc', presets('c:w=20', 'c:w=20'));
      for (const name of ['one', 'two']) await made(place, '--preset', name, 'photos');
      place.put('.imgtoolrc', presets('e:w=20', 'c:w=20'));
    },
    run: ['--preset', 'one', 'photos'],
    removed: [],
    added: outputsOf(ALL, 'e'),
  },
  'a variant that two presets had and dropped': {
    async before(place) {
      place.put('.imgtoolrc', presets('c:w=20', 'c:w=20'));
      for (const name of ['two', 'one']) await made(place, '--preset', name, 'photos');
      place.put('.imgtoolrc', presets('e:w=20', 'e:w=20'));
      await made(place, '--preset', 'two', '--mirror', 'photos');
    },
    run: ['--preset', 'one', 'photos'],
    removed: outputsOf(ALL, 'c'),
  },
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
  'names by another template': {
    async before(place) {
      await made(place, ...AB, '--name', '{variant}/{dir}/{name}.{ext}', 'photos');
      remove(place, 'photos/a.jpg');
    },
    removed: [...outputsOf(['a'], 'ab'), 'out/a/a.webp', 'out/b/a.webp'].sort(),
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
  'records of an older version': {
    before(place) {
      makePresetsUnknown(place);
      remove(place, 'photos/a.jpg');
    },
    removed: outputsOf(['a'], 'ab'),
  },
  'records of an older version, and a dropped variant': {
    before(place) {
      makePresetsUnknown(place);
      remove(place, 'photos/a.jpg');
    },
    run: [...A, 'photos'],
    removed: outputsOf(['a'], 'a'),
  },
  'records of an older version, and another preset with the same settings': {
    async before(place) {
      place.put('.imgtoolrc', presets('c:w=20', 'd:w=20'));
      for (const name of ['one', 'two']) await made(place, '--preset', name, 'photos');
      makePresetsUnknown(place);
      remove(place, 'photos/a.jpg');
    },
    run: ['--preset', 'one', 'photos'],
    removed: outputsOf(['a'], 'c'),
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
  'a source that fails, with a dropped variant': {
    before(place) {
      place.put('photos/b.jpg', 'no picture any more');
      remove(place, 'photos/a.jpg');
    },
    run: [...A, 'photos'],
    removed: [...outputsOf(['a'], 'ab'), ...outputsOf(without('a', 'b'), 'b')].sort(),
    exit: 1,
  },
  '--force': {
    before: (place) => remove(place, 'photos/a.jpg'),
    run: ['--force', ...AB, 'photos'],
    removed: outputsOf(['a'], 'ab'),
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
};

describe('process --mirror, and its dry run, remove exactly what the rules say', () => {
  let place: Place;
  beforeEach(async () => {
    place = openPlace();
    await putPictures(place);
    await made(place, ...AB, 'photos');
  });

  it.each(Object.entries(SITUATIONS))('with %s', async (_, situation) => {
    const { run = [...AB, 'photos'], removed, added = [], changed = [], exit = 0, foreign = [] } = situation;
    await situation.before(place);
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const batch = ['process', '--json', '--out', 'out', ...(run[0] === '--mirror=all' ? [] : ['--mirror'])];
    const dry = await place.run([...batch, ...run, '--dry-run']);
    expect(dry.code, dry.stdout + dry.stderr).toBe(exit);
    expect(changesOf(before, listing(place))).toEqual(NOTHING);
    expect(removedIn(dry, true)).toEqual(removed);

    const outcome = await place.run([...batch, ...run]);
    expect(outcome.code, outcome.stdout + outcome.stderr).toBe(exit);
    const after = listing(place);
    expect(changesOf(before, after)).toEqual({ removed, added, changed });
    expect(removedIn(outcome)).toEqual(removed);
    const { warning } = situation;
    const expected = warning === undefined ? [] : [expect.stringMatching(warning)];
    expect([warningsIn(dry), warningsIn(outcome)]).toEqual([expected, expected]);

    // A second run finds nothing more to remove.
    const again = await place.run([...batch, ...run]);
    expect([again.code, removedIn(again)]).toEqual([exit, []]);
    expect(changesOf(after, listing(place))).toEqual(NOTHING);
    await assertInvariants(place, {
      sources,
      outcome: again,
      foreign,
      gone: [...goneFrom(before, after), ...foreign],
    });
  });

  /** Outputs of the first batches that are not there at the end. */
  function goneFrom(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
    const all = [...before.keys(), ...outputsOf([...ALL, 'z'], 'abc'), 'out/a/a.webp', 'out/b/a.webp'];
    return all.filter((path) => !after.has(path));
  }
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
