import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { A, AB, listing, made, outputsOf, putPictures } from './mirroring.ts';
import { forbid, isForOthers, runAsNobody } from './nobody.ts';
import { picture, putOld } from './pictures.ts';
import { readIndex } from './recorded.ts';
import { verify } from './verifying.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
  await made(place, ...AB, 'photos');
});

/** The document that `forget --json` prints, with paths below the working folder. */
async function forget(...args: string[]) {
  const { code, stdout, stderr } = await place.run(['forget', '--json', ...args]);
  const below = (paths: readonly string[]) => paths.map((path) => path.slice(place.at('_').length - 1));
  const { outputs, sources, kept, unclear, dryRun } = JSON.parse(stdout) as Record<string, string[]>;
  const found = { outputs: below(outputs!), sources: below(sources!), kept: below(kept!) };
  return { code, stderr, dryRun, ...found, unclear: below(unclear!) };
}

const remove = (...paths: string[]) => {
  for (const path of paths) rmSync(place.at(path), { recursive: true });
};
const recorded = () => readIndex(place.index).outputs.map(({ path }) => path.slice(place.at('_').length - 1));
const problems = async () => (await verify(place)).document.wrong;

describe('imgtool forget', () => {
  it('removes the record of a missing output, and process makes the output again only when asked', async () => {
    remove('out/a_b.webp');
    expect(await problems()).toBe(1);
    expect(await forget('out/a_b.webp')).toMatchObject({
      code: 0,
      outputs: ['out/a_b.webp'],
      sources: [],
      kept: [],
    });
    expect([await problems(), recorded().includes('out/a_b.webp')]).toEqual([0, false]);
    await made(place, '--variant', 'a:w=40', 'photos');
    expect(await problems()).toBe(0);
    const outcome = await place.run(['process', '--json', '--out', 'out', ...AB, 'photos']);
    expect(countsOf(outcome)).toEqual({ completed: 1, unchanged: 5 });
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });

  it('removes the records of a gone source and of its missing outputs, also when its folder is empty', async () => {
    remove('photos/sub', ...outputsOf(['sub/e', 'sub/f'], 'ab'));
    mkdirSync(place.at('photos/sub'));
    expect(await forget('photos/sub/e.jpg')).toMatchObject({
      code: 0,
      outputs: outputsOf(['sub/e'], 'ab'),
      sources: ['photos/sub/e.jpg'],
    });
    expect(await forget('photos/sub')).toMatchObject({
      code: 0,
      outputs: outputsOf(['sub/f'], 'ab'),
      sources: ['photos/sub/f.jpg'],
    });
    expect(await verify(place)).toMatchObject({ code: 0, document: { verified: 8, wrong: 0, gone: 0 } });
  });

  it('keeps the records of all that exists, names it, and exits with 1 if nothing is gone', async () => {
    const before = recorded();
    const all = await forget('out', 'photos/a.jpg');
    const kept = [...outputsOf(['a', 'b', 'c', 'd', 'sub/e', 'sub/f'], 'ab'), 'photos/a.jpg'];
    expect(all).toMatchObject({ code: 1, outputs: [], sources: [], kept });
    expect(recorded()).toEqual(before);
    remove('photos/a.jpg', 'out/a_a.webp');
    // The source has an output that exists.
    expect(await forget('photos/a.jpg')).toMatchObject({
      code: 0,
      outputs: ['out/a_a.webp'],
      sources: [],
      kept: ['out/a_b.webp'],
    });
    expect(recorded()).toEqual(before.filter((path) => path !== 'out/a_a.webp'));
  });

  it('with --dry-run shows the records and removes none', async () => {
    remove('photos/a.jpg', ...outputsOf(['a'], 'ab'));
    const [before, files] = [recorded(), listing(place)];
    const { code, stdout } = await place.run(['forget', '--dry-run', 'photos/a.jpg']);
    expect([code, stdout]).toEqual([
      0,
      [
        `would forget output ${place.at('out/a_a.webp')}`,
        `would forget output ${place.at('out/a_b.webp')}`,
        `would forget source ${place.at('photos/a.jpg')}`,
        'would forget 2 outputs and 1 source\n',
      ].join('\n'),
    ]);
    expect(await forget('-n', 'photos/a.jpg')).toMatchObject({ dryRun: true, sources: ['photos/a.jpg'] });
    expect([recorded(), listing(place)]).toEqual([before, files]);
    const { stdout: said } = await place.run(['forget', 'photos/a.jpg']);
    expect(said).toMatch(/\nforgot 2 outputs and 1 source\n$/);
    expect(recorded()).toEqual(before.filter((path) => !path.startsWith('out/a_')));
  });

  it('keeps the records below an empty folder, as of an unmounted disk, until a path in it is named', async () => {
    await putPictures(place, ['disk/a/x.jpg', 'disk/y.jpg']);
    await made(place, ...A, '--out', 'disk/out', 'disk/a');
    await made(place, ...A, '--out', 'disk/out', 'disk/y.jpg');
    remove('disk', 'photos/a.jpg', ...outputsOf(['a'], 'ab'));
    mkdirSync(place.at('disk'));
    const before = recorded();
    const onDisk = ['disk/a/x.jpg', 'disk/out/x_a.webp', 'disk/out/y_a.webp', 'disk/y.jpg'];
    expect(await forget('.')).toMatchObject({
      code: 0,
      outputs: outputsOf(['a'], 'ab'),
      sources: ['photos/a.jpg'],
      unclear: onDisk,
    });
    expect(recorded()).toEqual(before.filter((path) => !path.startsWith('out/a_')));
    const { code, stdout } = await place.run(['forget', '.']);
    expect([code, stdout.split('\n').filter((line) => !line.startsWith('still there'))]).toEqual([
      1,
      [
        ...onDisk.map((path) => `out of reach: ${place.at(path)}`),
        'forgot 0 outputs and 0 sources; what still exists stays recorded (15)',
        'What is out of reach stays recorded (4): a disk may not be mounted.',
        'If they are gone for good, name them, or the empty folder.',
        '',
      ],
    ]);
    expect(await forget('disk/a')).toMatchObject({
      code: 0,
      outputs: ['disk/out/x_a.webp'],
      sources: ['disk/a/x.jpg'],
      unclear: [],
    });
    expect(await forget('disk')).toMatchObject({
      code: 0,
      outputs: ['disk/out/y_a.webp'],
      sources: ['disk/y.jpg'],
      unclear: [],
    });
  });

  it('keeps the records behind a link that leads to nothing, until the link is named', async () => {
    renameSync(place.at('photos/sub'), place.at('disk'));
    symlinkSync(place.at('disk'), place.at('photos/sub'));
    remove('disk', ...outputsOf(['sub/e', 'sub/f'], 'ab'));
    const sources = ['photos/sub/e.jpg', 'photos/sub/f.jpg'];
    expect(await forget('photos')).toMatchObject({ code: 1, outputs: [], sources: [], unclear: sources });
    expect(await forget('photos/sub')).toMatchObject({ code: 0, sources, unclear: [] });
  });

  it('keeps the record of a skipped duplicate while it exists', async () => {
    putOld(place.at('photos/z.jpg'), await picture({ seed: 1 }));
    const skip = [...AB, '--duplicates', 'skip', 'photos'];
    await made(place, ...skip);
    const before = recorded();
    for (const path of ['out', 'photos', '.']) {
      expect(await forget(path)).toMatchObject({ code: 1, outputs: [], sources: [], unclear: [] });
    }
    expect(recorded()).toEqual(before);
    remove('photos/z.jpg');
    expect(await forget('out')).toMatchObject({
      code: 0,
      outputs: outputsOf(['z'], 'ab'),
      sources: ['photos/z.jpg'],
    });
  });

  it('says what still exists in text', async () => {
    const { code, stdout } = await place.run(['forget', 'photos/a.jpg']);
    const kept = `still there: ${place.at('photos/a.jpg')}`;
    const sum = 'forgot 0 outputs and 0 sources; what still exists stays recorded (1)';
    expect([code, stdout]).toEqual([1, `${kept}\n${sum}\n`]);
  });

  it.each<[string, string[], RegExp]>([
    [
      'a path without a record',
      ['photos/a.jpg', 'photos/absent.jpg'],
      /^error: photos\/absent\.jpg: the index/,
    ],
    [
      'an index that does not exist',
      ['--index', 'absent.db', 'photos/a.jpg'],
      /^error: \S+\/absent\.db: there is no index \(from flag --index\)/,
    ],
    ['no path', [], /^error: nothing to forget: no path was named/],
    ['an unknown flag', ['--dry', 'out'], /unknown option '--dry'/],
  ])('refuses %s with exit code 2, and forgets nothing', async (_, args, wanted) => {
    remove('photos/a.jpg', ...outputsOf(['a'], 'ab'));
    const before = recorded();
    const { code, stdout, stderr } = await place.run(['forget', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(wanted);
    expect(stderr).toMatch(/\nfix: /);
    expect(recorded()).toEqual(before);
  });

  it('forgets what is gone beside an output that cannot be looked at', async () => {
    remove('photos/a.jpg', ...outputsOf(['a'], 'ab'), 'out/sub');
    symlinkSync('sub', place.at('out/sub'));
    expect(await forget('out')).toMatchObject({
      code: 0,
      outputs: outputsOf(['a'], 'ab'),
      unclear: outputsOf(['sub/e', 'sub/f'], 'ab'),
    });
  });

  it('renders a source that comes back as new', async () => {
    const sources = sourcesOf(place, 'photos');
    renameSync(place.at('photos/a.jpg'), place.at('a.jpg'));
    remove(...outputsOf(['a'], 'ab'));
    await forget('photos/a.jpg');
    renameSync(place.at('a.jpg'), place.at('photos/a.jpg'));
    const outcome = await place.run(['process', '--json', '--out', 'out', ...AB, 'photos']);
    expect(countsOf(outcome)).toEqual({ completed: 1, unchanged: 5 });
    await assertInvariants(place, { sources, outcome });
  });

  it.skipIf(!isForOthers)('keeps the records of what may not be looked at', async () => {
    forbid(place.at('photos/sub'), 0);
    const { code, stdout } = await runAsNobody(place, ['forget', '--json', 'photos/sub']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outputs: [], sources: [] });
  });
});
