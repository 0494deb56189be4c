import { describe, expect, it } from 'vitest';
import { isLeftOut, withMatchers } from '../../../src/adapters/local-sources/patterns.ts';

const RULES = {
  ...{ allFiles: false, followSymlinks: false, ignoreCtime: false, include: [], exclude: [] },
  ...{ base: null, out: '/nowhere/out', index: '/nowhere/index.db', hasFolders: true },
};

describe('a glob of --include', () => {
  it.each([
    ['*.png', 'a.png', true],
    ['*.png', 'deep/er/a.png', true],
    ['*.png', 'deep/A.PNG', true],
    ['*.PNG', 'deep/a.png', true],
    ['*.{JPG,png}', 'deep/a.jpg', true],
    ['*.{JPG,png}', 'deep/a.PnG', true],
    ['*.{jpg,png}', 'a.webp', false],
    ['IMG_*', 'deep/IMG_1.jpg', true],
    ['IMG_*', 'deep/img_1.jpg', false],
    ['IMG_*', 'IMG_folder/a.jpg', false],
    ['sub/*.png', 'sub/a.PNG', true],
    ['sub/*.png', 'sub/deep/a.png', false],
    ['sub/*.png', 'other/sub/a.png', false],
    ['**/*.png', 'a.png', true],
    ['.hidden.*', 'deep/.hidden.JPG', true],
    ['a.b', 'deep/a.B', true],
    ['./sub/*.png', 'sub/a.png', true],
    ['./*.png', 'sub/a.png', true],
    ['/a.png', 'a.png', true],
    ['/a.png', 'sub/a.png', false],
    ['/sub/*.png', 'sub/a.png', true],
    ['b/', 'b/a.png', true],
    ['b/', 'x/b/deep/a.png', true],
    ['b/', 'x/b', false],
    ['b/', 'bb/a.png', false],
    ['b.OLD/', 'x/b.old/a.png', true],
    ['x/b/', 'x/b/deep/a.png', true],
    ['x/b/', 'y/x/b/a.png', false],
    ['/b/', 'b/a.png', true],
    ['/b/', 'x/b/a.png', false],
    ['**/b/', 'x/b/a.png', true],
    ['2024-*/', 'in/2024-05/a.png', true],
  ])('%s matches %s: %s', async (glob, path, expected) => {
    const { isIncluded, isExcluded } = await withMatchers({ ...RULES, include: [glob], exclude: [glob] });
    expect([isIncluded(path), isExcluded(path, false)]).toEqual([expected, expected]);
  });

  it.each(['b/', './b/', '/b/', 'b', 'b/**'])('excludes the folder b itself as %s', async (glob) => {
    const { isExcluded } = await withMatchers({ ...RULES, exclude: [glob] });
    expect([isExcluded('b', true), isExcluded('c', true)]).toEqual([true, false]);
  });

  it('leaves out a file of a list for a folder above it', async () => {
    const rules = await withMatchers({ ...RULES, include: ['*.jpg'], exclude: ['drafts', 'old/', 'a/b/**'] });
    const paths = ['drafts/x.jpg', 'in/old/x.jpg', 'a/b/c/x.jpg', 'x.png', 'a/x.jpg', 'old'];
    expect(paths.map((path) => isLeftOut(path, rules))).toEqual([true, true, true, true, false, true]);
  });

  it('is one of several: each is enough', async () => {
    const { isIncluded } = await withMatchers({ ...RULES, include: ['*.png', 'sub/*.jpg'] });
    expect(['x/a.png', 'sub/a.jpg', 'x/a.jpg'].map(isIncluded)).toEqual([true, true, false]);
  });

  it('includes everything and excludes nothing when there is none', async () => {
    const { isIncluded, isExcluded } = await withMatchers(RULES);
    expect([isIncluded('a'), isExcluded('a', true)]).toEqual([true, false]);
  });
});
