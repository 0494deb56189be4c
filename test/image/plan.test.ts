import { describe, expect, it } from 'vitest';
import { assertPixels, between, plan } from '../../src/image/plan.ts';
import type { Variant } from '../../src/model.ts';
import { variant } from './pictures.ts';

const web = [150, 600, 1200].map((width) => variant({ width }));

function sizes(width: number, height: number, variants: readonly Variant[]): string[] {
  return plan({ width, height }, 'jpeg', variants).map((each) => `${each.width}x${each.height}`);
}

function base(width: number, height: number, asked: Variant, format = 'jpeg'): string {
  const found = plan({ width, height }, format, [asked])[0]!.base;
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

  it('are exact where the ratio of doubles would be below the half', () => {
    // 1 * 4095 / 8190 is exactly a half, and so is 3 * 1365 / 8190.
    expect(sizes(8190, 3, [variant({ width: 1365 })])).toEqual(['1365x1']);
    expect(sizes(99_999, 33_333, [variant({ width: 4095 })])).toEqual(['4095x1365']);
  });
});

describe('a variant that exceeds its format’s limit', () => {
  const fitted = (width: number, height: number, asked: Partial<Variant>) => {
    const one = plan({ width, height }, 'png', [variant({ width: 100_000, ...asked })])[0]!;
    return {
      size: `${one.width}x${one.height}`,
      asked: one.asked && `${one.asked.width}x${one.asked.height}`,
    };
  };

  it.each([
    // 1080 * 16383 / 20000 = 884.7
    ['tall', 1080, 20_000, {}, '885x16383'],
    ['wide', 20_000, 1080, {}, '16383x885'],
    ['one pixel wide', 1, 40_000, {}, '1x16383'],
    ['as AVIF', 1, 40_000, { format: 'avif' }, '1x16384'],
    ['as JPEG', 1, 70_000, { format: 'jpeg' }, '1x65500'],
  ] as const)('is scaled down in proportion until it fits: %s', (_, width, height, asked, size) => {
    expect(fitted(width, height, asked)).toEqual({ size, asked: `${width}x${height}` });
  });

  it('keeps the ratio of its cover box', () => {
    const box = { width: 1000, height: 20_000, fit: 'cover' } as const;
    // 1000 * 16383 / 20000 = 819.15
    expect(fitted(3000, 30_000, box)).toEqual({ size: '819x16383', asked: '1000x20000' });
    // The picture can fill 1500 x 30000, and WebP can hold 819 x 16383.
    expect(fitted(1500, 60_000, { ...box, width: 2000, height: 40_000 })).toEqual({
      size: '819x16383',
      asked: '1500x30000',
    });
  });

  it.each([
    ['at the limit', 1080, 16_383, {}],
    ['as PNG', 1, 70_000, { format: 'png' }],
    ['of a small width', 1080, 20_000, { width: 600 }],
  ] as const)('has no requested size of its own when it fits: %s', (_, width, height, asked) => {
    expect(fitted(width, height, asked).asked).toBeNull();
  });

  it('is decoded to a base of at least its own size', () => {
    for (const width of [900, 1300, 2600, 5200]) {
      const one = plan({ width, height: 40_000 }, 'jpeg', [variant({ width })])[0]!;
      expect(one.base.width).toBeGreaterThanOrEqual(one.width);
      expect(one.base.height).toBeGreaterThanOrEqual(one.height);
    }
  });
});

describe('the base a variant is decoded to', () => {
  const jpeg = (asked: Partial<Variant>, width = 4000, height = 3000) => base(width, height, variant(asked));
  const png = (asked: Partial<Variant>, width = 4000, height = 3000) =>
    base(width, height, variant(asked), 'png');

  it.each([
    ['1200 across', { width: 1200 }],
    ['just as large by its height', { width: null, height: 900 }],
    ['half as large', { width: 600 }],
    ['far smaller', { width: 1 }],
    ['smaller by a box', { width: 600, height: 600 }],
  ])('is the shared base, 1200 pixels across, in any format for a variant %s', (_, asked) => {
    expect([jpeg(asked), png(asked)]).toEqual(['1200x900', '1200x900']);
  });

  it.each([
    ['a little more than half the shared one', 601, '601x451', '2000x1500'],
    ['a quarter of the source', 1000, '1000x750', '2000x1500'],
    ['more than a quarter of the source', 1001, '1001x751', '4000x3000'],
    ['more than the shared one', 1201, '1201x901', '4000x3000'],
    ['half the source', 2000, '2000x1500', '4000x3000'],
    ['the whole source', 4000, '4000x3000', '4000x3000'],
    ['larger than the source', 5000, '4000x3000', '4000x3000'],
  ])(
    'is its own size where the decoder scales, else a halved size, for a variant %s',
    (_, width, own, halved) => {
      expect([jpeg({ width }), png({ width })]).toEqual([own, halved]);
    },
  );

  it('is at least twice as large as the variant where halving resamples', () => {
    expect(png({ width: 700 }, 40_000, 30_000)).toBe('2500x1875');
    for (let width = 601; width <= 4000; width += 97) {
      const [across = 0] = png({ width }, 20_000, 15_000).split('x').map(Number);
      expect(width === 1200 || across >= 2 * width, `${width} from ${across}`).toBe(true);
    }
  });

  it('is rounded down when halved, but not below the variant', () => {
    expect(png({ width: 1500 }, 8003, 6001)).toBe('4001x3000');
    for (let width = 601; width <= 4001; width += 83) {
      const sized = plan({ width: 4001, height: 3001 }, 'png', [variant({ width })])[0]!;
      expect(sized.base.width).toBeGreaterThanOrEqual(sized.width);
      expect(sized.base.height).toBeGreaterThanOrEqual(sized.height);
    }
  });

  it('is the source itself up to a width of 1200', () => {
    for (const format of ['jpeg', 'png']) {
      expect(base(1200, 5000, variant({ width: 700 }), format)).toBe('1200x5000');
      expect(base(1000, 500, variant({ width: 600 }), format)).toBe('1000x500');
      expect(base(1, 1, variant({ width: 600 }), format)).toBe('1x1');
    }
  });

  it('keeps the shared width when rounding reduces a side to one pixel', () => {
    expect(jpeg({ width: 500 }, 4001, 3)).toBe('1200x1');
  });

  it('never depends on other variants', () => {
    const variants = [150, 600, 601, 1200, 1500, 2000, 3999, 4096].map((width) => variant({ width }));
    for (const format of ['jpeg', 'png']) {
      for (const source of [
        { width: 4032, height: 3024 },
        { width: 900, height: 2000 },
      ]) {
        const together = plan(source, format, variants);
        expect(together).toEqual(variants.flatMap((one) => plan(source, format, [one])));
        expect([...together].reverse()).toEqual(plan(source, format, [...variants].reverse()));
      }
    }
  });

  it('is shared by all of `web`', () => {
    const bases = plan({ width: 4000, height: 3000 }, 'jpeg', web).map((each) => each.base);
    expect(bases).toEqual(Array(3).fill({ width: 1200, height: 900, region: null, zoom: 1 }));
  });
});

describe('the size through which a small variant is resized', () => {
  it.each([
    ['three times its own, from a factor of four on', 150, {}, { width: 450, height: 300 }],
    ['none below a factor of four', 301, {}, null],
    ['none in linear light', 150, { linear: true }, null],
    ['no larger than the base', null, { height: 200, fit: 'fill' }, { width: 1200, height: 600 }],
  ] as const)('is %s', (_, width, more, expected) => {
    const asked = { ...more, width: width ?? 1000 };
    const [one] = plan({ width: 1200, height: 800 }, 'png', [variant({ height: null, ...asked })]);
    expect(between(one!)).toEqual(expected);
  });
});

describe('a crop of a drawing', () => {
  it.each([
    ['as large as its output', Number.POSITIVE_INFINITY, 20],
    ['as large as the limit of pixels allows', 100_000_000, 10],
    ['at its own size, if the limit allows no more', 1_000_000, 1],
  ])('is cut from a drawing %s', (_, limit, zoom) => {
    const asked = variant({ width: 1000, crop: [0, 0, 50, 50] });
    const source = { width: 1000, height: 1000 };
    const geometries = plan(source, 'svg', [asked], limit);
    expect(geometries[0]).toMatchObject({ width: 1000, height: 1000, base: { zoom } });
    expect(() => assertPixels(source, geometries, limit)).not.toThrow();
  });
});

describe('the crop', () => {
  it('starts from the whole picture at the size that fills a cover box', () => {
    const asked = variant({ width: 300, height: 300, fit: 'cover' });
    expect(plan({ width: 4000, height: 2000 }, 'jpeg', [asked])[0]).toMatchObject({
      ...{ width: 300, height: 300, cut: { width: 300, height: 300, at: { left: 150, top: 0 } } },
      whole: { width: 600, height: 300 },
      base: { width: 1200, height: 600 },
    });
  });

  it('is empty when a cover box has the source’s ratio', () => {
    const asked = variant({ width: 300, height: 150, fit: 'cover' });
    expect(plan({ width: 4000, height: 2000 }, 'jpeg', [asked])[0]?.cut).toBeNull();
  });
});

describe('scaling up', () => {
  it('never happens to the picture or to its base', () => {
    const sides = [1, 7, 150, 599, 1200, 1201, 2401, 5000];
    const asked = [1, 600, 1200, 2400, 9000].flatMap((width) => [
      variant({ width }),
      variant({ width: null, height: width }),
      variant({ width, height: 500, fit: 'cover' }),
    ]);
    for (const width of sides) {
      for (const height of sides) {
        for (const each of plan({ width, height }, 'jpeg', asked)) {
          const small = [each.width <= width, each.height <= height, each.base.width <= width];
          expect([...small, each.base.height <= height], `${width}x${height}`).toEqual(Array(4).fill(true));
        }
      }
    }
  });
});
