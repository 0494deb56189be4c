import { describe, expect, it } from 'vitest';
import { candidateNames, fittingDisk, isOutputName, namesOf } from '../../../src/core/batch/names.ts';
import { batchOptions, sha, variant } from '../../records.ts';

const found = (relative: string) => ({ source: `/photos/${relative}`, relative });
const plain = (relative: string, over = {}) => candidateNames(found(relative), batchOptions(over))[0];

describe('names of outputs', () => {
  it('keep the structure of the tree by default', () => {
    expect(plain('2024/may/x.jpg')).toEqual(['/out/2024/may/x_small.webp']);
    expect(plain('x.jpg')).toEqual(['/out/x_small.webp']);
  });

  it('fill every placeholder', () => {
    const template = '{preset}/{dir}/{format}/{name}-{variant}.{ext}';
    const preset = { name: 'mine', variants: [variant({ format: 'jpeg' })] };
    expect(plain('a/x.png', { template, preset })).toEqual(['/out/mine/a/jpeg/x-small.jpg']);
  });

  it('keep a placeholder that is part of a file name', () => {
    expect(plain('{variant}.jpg')).toEqual(['/out/{variant}_small.webp']);
  });

  it('tag a later source with the hash of its root-relative path', () => {
    const tag = sha('b/x.png').slice(0, 8);
    const flat = batchOptions({ template: '{name}_{variant}.{ext}' });
    expect(candidateNames(found('b/x.png'), flat)[1]).toEqual([`/out/x~${tag}_small.webp`]);
  });

  it('distinguish two roots with the same relative path', () => {
    const [, one, two] = candidateNames(found('x.jpg'), batchOptions());
    expect(new Set([...one!, ...two!]).size).toBe(2);
  });

  it('have the same tag for all variants of a source', () => {
    const preset = { name: 'two', variants: [variant(), variant({ name: 'big' })] };
    const [, tagged] = candidateNames(found('x.jpg'), batchOptions({ preset }));
    expect(tagged!.map((path) => path.replace(/_.*/, ''))).toEqual([
      `/out/x~${sha('x.jpg').slice(0, 8)}`,
      `/out/x~${sha('x.jpg').slice(0, 8)}`,
    ]);
  });

  it.each(['x'.repeat(255), 'é'.repeat(127), '字'.repeat(85), '😀'.repeat(63)])(
    'are cut to 255 bytes at a whole character (%#)',
    (name) => {
      for (const [path] of candidateNames(found(`${name}.jpg`), batchOptions())) {
        const base = path!.slice('/out/'.length);
        expect(Buffer.byteLength(base)).toBeLessThanOrEqual(255);
        expect(Buffer.byteLength(base)).toBeGreaterThan(245);
        expect(base).toMatch(/_small\.webp$/);
        expect(base).not.toMatch(/\p{Surrogate}/u);
      }
    },
  );

  it('are cut to what the disk of the outputs allows, and so are folders', () => {
    const options = fittingDisk(batchOptions(), 143);
    const relative = `${'é'.repeat(100)}/sub/${'字'.repeat(80)}.jpg`;
    const [folder, sub, name] = candidateNames(found(relative), options)[0]![0]!
      .slice('/out/'.length)
      .split('/');
    expect([folder, sub]).toEqual(['é'.repeat(71), 'sub']);
    expect(name).toBe(`${'字'.repeat(44)}_small.webp`);
    expect(fittingDisk(options, 255), 'another disk leaves the names of an earlier batch').toBe(options);
  });

  it('never lead out of the output folder', () => {
    const template = '{name}/{variant}.{ext}';
    expect(plain('...jpg', { template })).toEqual(['/out/..~/small.webp']);
    expect(plain('..jpg', { template })).toEqual(['/out/.~/small.webp']);
  });

  it('are undefined for a job without a free candidate', () => {
    const job = { ...found('x.jpg'), naming: 3 };
    expect(namesOf(job, batchOptions())).toBeUndefined();
    expect(namesOf({ ...job, naming: 0 }, batchOptions())).toEqual(['/out/x_small.webp']);
  });

  it.each([
    '{dir}/{name}_{variant}.{ext}',
    '{name}.{ext}',
    '{variant}/{dir}/{name}.{ext}',
    './{dir}-{name}+{variant}.{ext}',
    '{name}/{variant}.{ext}',
    '{name} ({variant}) [{preset}].{format}.{ext}',
  ])('are recognised by the template: %s', (template) => {
    const preset = { name: 'two', variants: [variant(), variant({ name: 'a.b*', format: 'jpeg' })] };
    const options = batchOptions({ template, preset });
    const relatives = [
      'x.jpg',
      'a/b/y.png',
      '..jpg',
      '...jpg',
      `${'x'.repeat(255)}.jpg`,
      'new\nline.gif',
      '😀.tif',
    ];
    for (const relative of relatives) {
      for (const path of candidateNames(found(relative), options).flat())
        expect([path, isOutputName(path, options)]).toEqual([path, true]);
    }
    for (const path of [
      '/out/x.png',
      '/out/x_smallXwebp',
      '/elsewhere/x_small.webp',
      '/out/x_small.webp.png',
    ])
      expect([path, isOutputName(path, options)]).toEqual([path, false]);
  });
});
