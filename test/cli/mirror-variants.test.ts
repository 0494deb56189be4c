import { ALL, checkSituations, makePresetsUnknown, presets, remove, without } from './mirror-situations.ts';
import { A, AB, made, outputsOf } from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

checkSituations('variants and presets', {
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
  'names by another template': {
    async before(place) {
      await made(place, ...AB, '--name', '{variant}/{dir}/{name}.{ext}', 'photos');
      remove(place, 'photos/a.jpg');
    },
    removed: [...outputsOf(['a'], 'ab'), 'out/a/a.webp', 'out/b/a.webp'].sort(),
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
  'a source that fails, with a dropped variant': {
    before(place) {
      place.put('photos/b.jpg', 'no picture any more');
      remove(place, 'photos/a.jpg');
    },
    run: [...A, 'photos'],
    removed: [...outputsOf(['a'], 'ab'), ...outputsOf(without('a', 'b'), 'b')].sort(),
    exit: 1,
  },
});
