import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, finishedOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { rot, verify as verifyIn } from './verifying.ts';

/** Two folders of sources with outputs in two folders, two outputs for each source. */
let place: Place;
let batch: string;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['2024/a', '2024/sub/b', '2025/c'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
  batch = finishedOf(await place.process()).batch;
  await place.run(['process', ...SMALL, '--out', 'more', '--duplicates', 'copy', 'photos/2025']);
});

const verify = (...args: string[]) => verifyIn(place, ...args);
const list = (...args: string[]) => place.run(['list', '--outputs', ...args]);
const paths = (...names: string[]) => names.map((name) => place.at(name));

describe('imgtool verify with paths', () => {
  it.each([
    [['out'], 6],
    [['more'], 2],
    [['out/2024/sub'], 2],
    [['out/2024/a_a.webp'], 1],
    [['photos/2024'], 4],
    [['photos/2024/a.jpg'], 2],
    [['photos/2025'], 4],
    [['photos/2025', 'more', 'out/2025', 'photos'], 8],
    [['.'], 8],
    [['./photos/../out/'], 6],
  ] as const)(
    'checks the outputs at and below %j and of the sources there, each once',
    async (given, count) => {
      const { document, code } = await verify(...given);
      expect([code, document.batch, document.verified, document.wrong]).toEqual([0, null, count, 0]);
    },
  );

  it('finds what is wrong there, and nothing else', async () => {
    rot(place.at('out/2024/a_a.webp'));
    rot(place.at('out/2025/c_a.webp'));
    const there = await verify('photos/2024');
    expect([there.code, [...new Set(there.document.problems.map(({ path }) => path))]]).toEqual([
      1,
      paths('out/2024/a_a.webp'),
    ]);
    expect((await verify('more')).code).toBe(0);
    const fixed = await verify('out/2024', '--fix');
    expect([fixed.code, fixed.document.fixed]).toEqual([0, 1]);
    const { problems } = (await verify()).document;
    expect([...new Set(problems.map(({ path }) => path))]).toEqual(paths('out/2025/c_a.webp'));
  });

  it('still knows outputs whose folder is gone', async () => {
    rmSync(place.at('out/2024'), { recursive: true });
    const { document, code } = await verify('out/2024');
    expect([code, document.verified, document.wrong]).toEqual([1, 4, 4]);
  });

  it('takes digits for a folder if there is one of this name, and otherwise for a batch', async () => {
    const inside = await place.run(['verify', '2024', '--json'], { cwd: place.at('photos') });
    expect([inside.code, JSON.parse(inside.stdout)]).toMatchObject([0, { batch: null, verified: 4 }]);
    const { document } = await verify(batch.slice(0, 6));
    expect([document.batch, document.verified]).toEqual([batch, 6]);
    expect((await verify('last')).document.verified).toBe(2);
  });

  it('takes a folder for a folder although its name could be the id of a batch', async () => {
    putOld(place.at('20240315/d.jpg'), await picture({ seed: 4 }));
    await place.run(['process', ...SMALL, '20240315']);
    const both = await place.run(['verify', '20240315', 'more']);
    expect([both.code, both.stdout]).toEqual([0, '4 outputs verified, all in order\n']);
    const { document } = await verify('20240315');
    expect([document.batch, document.verified]).toEqual([null, 2]);
    rmSync(place.at('20240315'), { recursive: true });
    expect(errorOf(await place.run(['verify', '20240315', '--json'])).code).toBe('unknown_batch');
  });

  it.each([
    ['nowhere', 'nowhere: no outputs are recorded for this path', 'imgtool list --outputs lists what is'],
    ['fotos', 'fotos: no outputs are recorded for this path', 'did you mean photos?'],
    ['', 'an empty path was named', 'name a file or folder; . is this folder; nothing was done'],
  ])('refuses the path %s, and checks nothing', async (name, message, fix) => {
    const { stdout, stderr, code } = await place.run(['verify', 'out', name]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: ${message}\nfix: ${fix}`);
    expect(errorOf(await place.run(['verify', name, '--json'])).code).toBe('no_input');
  });

  it('refuses a batch together with a path', async () => {
    const { stderr, code } = await place.run(['verify', 'last', 'out']);
    expect([code, stderr]).toEqual([
      2,
      'error: last is a batch, so no other argument can follow: out\n' +
        'fix: name one batch, or only paths; a folder of the name last is ./last\n',
    ]);
  });
});

describe('imgtool list --outputs', () => {
  it('lists all recorded outputs, one path a line', async () => {
    const { stdout, stderr, code } = await list();
    expect([code, stderr]).toEqual([0, '']);
    const all = [...place.files('out').map((name) => `out/${name}`), 'more/c_a.webp', 'more/c_b.webp'];
    expect(stdout.split('\n').sort()).toEqual(['', ...paths(...all)].sort());
  });

  it('lists those at and below paths and of the sources there', async () => {
    expect((await list('photos/2025/c.jpg')).stdout.split('\n').sort()).toEqual([
      '',
      ...paths('more/c_a.webp', 'more/c_b.webp', 'out/2025/c_a.webp', 'out/2025/c_b.webp'),
    ]);
    expect((await list('out/2024/sub', '-0')).stdout.split('\0')).toEqual([
      ...paths('out/2024/sub/b_a.webp', 'out/2024/sub/b_b.webp'),
      '',
    ]);
    const unknown = await list('nowhere');
    expect([unknown.code, unknown.stdout]).toEqual([2, '']);
  });

  it('prints one object a line with --json', async () => {
    const { stdout } = await list('out/2024/a_a.webp', '--json');
    expect(JSON.parse(stdout)).toEqual({
      ...{ v: 1, type: 'output', path: place.at('out/2024/a_a.webp'), source: place.at('photos/2024/a.jpg') },
      ...{ variant: 'a', format: 'webp', width: 40, height: expect.any(Number), bytes: expect.any(Number) },
    });
  });

  it('prints nothing where nothing is recorded', async () => {
    const empty = openPlace();
    expect(await empty.run(['list', '--outputs'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it.each([['out'], ['-0']])('is named where it is missing: imgtool list %s', async (given) => {
    const { stderr, code } = await place.run(['list', given]);
    expect([code, stderr]).toEqual([
      2,
      `error: ${given}: imgtool list takes it only with --outputs\nfix: imgtool list --outputs ${given}\n`,
    ]);
  });
});
