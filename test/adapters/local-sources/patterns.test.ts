import { describe, expect, it } from 'vitest';
import { withMatchers } from '../../../src/adapters/local-sources/patterns.ts';

const RULES = {
  ...{ allFiles: false, followSymlinks: false, ignoreCtime: false, include: [], exclude: [] },
  ...{ out: '/nowhere/out', index: '/nowhere/index.db' },
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
  ])('%s matches %s: %s', async (glob, path, expected) => {
    const { isIncluded, isExcluded } = await withMatchers({ ...RULES, include: [glob], exclude: [glob] });
    expect([isIncluded(path), isExcluded(path)]).toEqual([expected, expected]);
  });

  it('is one of several: each is enough', async () => {
    const { isIncluded } = await withMatchers({ ...RULES, include: ['*.png', 'sub/*.jpg'] });
    expect(['x/a.png', 'sub/a.jpg', 'x/a.jpg'].map(isIncluded)).toEqual([true, true, false]);
  });

  it('includes everything and excludes nothing when there is none', async () => {
    const { isIncluded, isExcluded } = await withMatchers(RULES);
    expect([isIncluded('a'), isExcluded('a')]).toEqual([true, false]);
  });
});
