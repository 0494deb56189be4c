import { describe, expect, it } from 'vitest';
import { plan } from '../../src/image/plan.ts';
import type { Variant } from '../../src/model.ts';
import { variant } from './pictures.ts';

const web = [150, 600, 1200].map((width) => variant({ width }));

function sizes(width: number, height: number, variants: readonly Variant[]): string[] {
  return plan({ width, height }, variants).geometries.map((each) => `${each.width}x${each.height}`);
}

function base(width: number, height: number, variants: readonly Variant[]): string {
  const found = plan({ width, height }, variants).base;
  return `${found.width}x${found.height}`;
}

describe('the sizes of variants', () => {
  it.each([
    ['follow the source’s ratio', 4032, 3024, web, ['150x113', '600x450', '1200x900']],
    ['come from the source, not from a larger variant', 3088, 2056, web, ['150x100', '600x399', '1200x799']],
    ['are rounded half up', 400, 3, [variant({ width: 200 })], ['200x2']],
    ['are never larger than the source', 500, 400, web, ['150x120', '500x400', '500x400']],
    ['are at least one pixel', 5000, 1, web, ['150x1', '600x1', '1200x1']],
    ['leave a one-pixel column as it is', 1, 5000, web, ['1x5000', '1x5000', '1x5000']],
    ['stay inside both sides of a box', 3000, 4000, [variant({ width: 800, height: 800 })], ['600x800']],
    ['may be given by height alone', 3000, 4000, [variant({ width: null, height: 100 })], ['75x100']],
    ['fill a cover box', 4000, 3000, [variant({ width: 300, height: 300, fit: 'cover' })], ['300x300']],
    [
      'shrink a cover box the source cannot fill',
      100,
      300,
      [variant({ width: 400, height: 200, fit: 'cover' })],
      ['100x50'],
    ],
    [
      'read cover without a height as inside',
      4000,
      3000,
      [variant({ width: 400, fit: 'cover' })],
      ['400x300'],
    ],
  ] as const)('%s', (_, width, height, variants, expected) => {
    expect(sizes(width, height, variants)).toEqual(expected);
  });

  it('are exact where a double’s ratio would fall below the half', () => {
    // 1 * 4095 / 8190 is exactly a half, and so is 3 * 1365 / 8190.
    expect(sizes(8190, 3, [variant({ width: 1365 })])).toEqual(['1365x1']);
    expect(sizes(99_999, 33_333, [variant({ width: 4095 })])).toEqual(['4095x1365']);
  });
});

describe('the base', () => {
  it('is the largest variant when the others are at most half of it', () => {
    expect(base(4000, 3000, web)).toBe('1200x900');
  });

  it('is the largest variant even when its rounded height would make another more than half of it', () => {
    expect(base(4001, 3, [variant({ width: 1000 }), variant({ width: 500 })])).toBe('1000x1');
  });

  it('is the source when a variant lies between the half and the whole of the largest', () => {
    expect(base(4000, 3000, [variant({ width: 1200 }), variant({ width: 601 })])).toBe('4000x3000');
  });

  it('serves several variants of its own scale', () => {
    expect(base(4000, 3000, [variant({ width: 1200 }), variant({ height: 900, width: null })])).toBe(
      '1200x900',
    );
  });

  it('is the source when the source is smaller than the largest variant', () => {
    expect(base(1000, 500, web)).toBe('1000x500');
  });

  it('is the whole picture where a cover box cuts it', () => {
    const found = plan({ width: 4000, height: 2000 }, [variant({ width: 300, height: 300, fit: 'cover' })]);
    expect(found.base).toEqual({ width: 600, height: 300 });
    expect(found.geometries[0]).toMatchObject({ width: 300, height: 300, cut: 'centre' });
  });

  it('cuts nothing where a cover box has the source’s ratio', () => {
    const found = plan({ width: 4000, height: 2000 }, [variant({ width: 300, height: 150, fit: 'cover' })]);
    expect(found.geometries[0]?.cut).toBeNull();
  });
});
