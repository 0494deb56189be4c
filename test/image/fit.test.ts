import { describe, expect, it } from 'vitest';
import { plan } from '../../src/image/plan.ts';
import type { PixelSize, Variant } from '../../src/model.ts';
import { variant } from './pictures.ts';

/** From one pixel to the longest and flattest pictures. */
const SHAPES: readonly (readonly [number, number])[] = [
  ...([
    [1, 1],
    [2, 1],
    [1, 2],
    [1, 5000],
    [5000, 1],
    [3, 7],
    [7, 3],
  ] as const),
  ...([
    [33, 77],
    [333, 77],
    [640, 480],
    [480, 640],
    [1000, 1000],
    [1199, 801],
  ] as const),
  ...([
    [1201, 799],
    [3088, 2056],
    [4032, 3024],
    [3024, 4032],
    [8190, 3],
  ] as const),
  ...([
    [12_000, 9000],
    [100, 30_000],
    [30_000, 100],
  ] as const),
];

/** A fraction n / d that this file compares and rounds by itself. */
type Q = readonly [bigint, bigint];
const q = (n: number, d = 1): Q => [BigInt(Math.round(n * 1e6)), BigInt(Math.round(d * 1e6))];
const mul = ([a, b]: Q, [c, d]: Q): Q => [a * c, b * d];
const div = (a: Q, [c, d]: Q): Q => mul(a, [d, c]);
const below = ([a, b]: Q, [c, d]: Q): boolean => a * d < c * b;
const min = (...all: Q[]): Q => all.reduce((so, each) => (below(each, so) ? each : so));
const max = (...all: Q[]): Q => all.reduce((so, each) => (below(so, each) ? each : so));
/** The whole number k with k - 1/2 <= x < k + 1/2, found by search near the double; at least `from`. */
function near(x: Q, from = 1): number {
  const [n, d] = x;
  let k = BigInt(Math.floor(Number(n) / Number(d)));
  while ((2n * k + 1n) * d <= 2n * n) k++;
  while ((2n * k - 1n) * d > 2n * n) k--;
  return Math.max(from, Number(k));
}

const BOXES = [
  [150, 150],
  [1200, 300],
  [301, 999],
  [1, 1],
  [2000, 2000],
] as const;
const RATIOS = [null, [16, 9], [1, 1], [1.91, 1], [2, 3]] as const;

const CASES = SHAPES.flatMap(([width, height]) =>
  RATIOS.flatMap((ratio) => [false, true].map((enlarge) => ({ width, height, ratio, enlarge }))),
);

/** The part of this ratio, as large as the picture allows. */
function part({ width, height, ratio }: (typeof CASES)[number]): [Q, Q] {
  if (ratio === null) return [q(width), q(height)];
  const byHeight = mul(q(height), q(ratio[0], ratio[1]));
  return below(byHeight, q(width)) ? [byHeight, q(height)] : [q(width), div(q(width), q(ratio[0], ratio[1]))];
}

const planned = (picture: PixelSize, asked: Partial<Variant>) =>
  plan(picture, 'png', [variant({ width: null, format: 'png', ...asked })])[0]!;

const show = (size: PixelSize): string => `${size.width}x${size.height}`;
const rounded = (width: Q, height: Q): string => `${near(width)}x${near(height)}`;

describe('21 shapes, each with five ratios, enlarged or not,', () => {
  it('are as many as promised', () => expect(SHAPES).toHaveLength(21));

  it.each(CASES)('fit inside and outside a box: $width x $height, $ratio, enlarge $enlarge', (one) => {
    const [w, h] = part(one);
    const cap = (scale: Q): Q => (one.enlarge ? scale : min(scale, q(1)));
    for (const [width, height] of BOXES) {
      const scales = [div(q(width), w), div(q(height), h)] as const;
      const { ratio, enlarge } = one;
      for (const [fit, scale] of [
        ['inside', cap(min(...scales))],
        ['outside', cap(max(...scales))],
      ] as const) {
        const found = planned(one, { width, height, fit, ratio, enlarge });
        expect(show(found), `${fit} ${width}x${height}`).toBe(rounded(mul(w, scale), mul(h, scale)));
        expect(show(found.whole)).toBe(rounded(mul(q(one.width), scale), mul(q(one.height), scale)));
      }
      const across = planned(one, { width, ratio, enlarge });
      const scale = cap(scales[0]);
      expect(show(across), `width ${width}`).toBe(rounded(mul(w, scale), mul(h, scale)));
    }
  });

  it.each(CASES)('fill a box: $width x $height, $ratio, enlarge $enlarge', (one) => {
    const [w, h] = part(one);
    const { ratio, enlarge } = one;
    for (const [width, height] of BOXES) {
      const shrink = enlarge ? q(1) : min(q(1), div(w, q(width)), div(h, q(height)));
      const box = [near(mul(q(width), shrink)), near(mul(q(height), shrink))] as const;
      const cap = (scale: Q): Q => (enlarge ? scale : min(scale, q(1)));
      const [x, y] = [cap(div(q(box[0]), w)), cap(div(q(box[1]), h))];
      const fill = planned(one, { width, height, fit: 'fill', ratio, enlarge });
      expect(show(fill)).toBe(box.join('x'));
      expect(show(fill.whole)).toBe(rounded(mul(q(one.width), x), mul(q(one.height), y)));
      const cover = planned(one, { width, height, fit: 'cover', ratio, enlarge });
      expect(show(cover)).toBe(box.join('x'));
      expect(show(cover.whole)).toBe(rounded(mul(q(one.width), max(x, y)), mul(q(one.height), max(x, y))));
    }
  });

  it.each(CASES)('are put on a canvas: $width x $height, $ratio, enlarge $enlarge', (one) => {
    const [w, h] = part(one);
    const { ratio, enlarge } = one;
    for (const [width, height] of BOXES) {
      const scale = min(div(q(width), w), div(q(height), h), ...(enlarge ? [] : [q(1)]));
      const picture = [near(mul(w, scale)), near(mul(h, scale))] as const;
      const found = planned(one, {
        width,
        height,
        fit: 'contain',
        ratio,
        enlarge,
        position: ['25%', '100%'],
      });
      expect(show(found)).toBe(`${width}x${height}`);
      expect(show(found.cut ?? found.whole)).toBe(picture.join('x'));
      expect(found.canvas).toEqual({ left: near(q(width - picture[0], 4), 0), top: height - picture[1] });
    }
  });

  it.each(SHAPES)('keep the focal point as near to the middle as they can: %i x %i', (width, height) => {
    for (const [across, down] of [
      [30, 40],
      [0, 100],
      [50, 50],
      [99.5, 0.25],
    ] as const) {
      const asked = { width: 90, height: 40, fit: 'cover', position: [`${across}%`, `${down}%`] } as const;
      const { whole, cut, ...size } = planned({ width, height }, asked);
      if (cut === null) continue;
      // Of all places for the cut, the one whose middle is nearest; the later one of two.
      const nearest = (long: number, kept: number, share: number): number => {
        let best = 0;
        for (let at = 0; at <= long - kept; at++) {
          const off = (place: number) => Math.abs((2 * place + kept) * 10_000 - 2 * long * share * 100);
          if (off(at) <= off(best)) best = at;
        }
        return best;
      };
      expect(cut.at).toEqual({
        left: nearest(whole.width, size.width, across),
        top: nearest(whole.height, size.height, down),
      });
    }
  });

  it.each(SHAPES)('scale by per cent, and stay the same without a size: %i x %i', (width, height) => {
    for (const percent of [50, 33.3333, 0.01, 100]) {
      const found = planned({ width, height }, { scale: `${percent}%` });
      const scale = q(percent, 100);
      expect(show(found), `${percent}%`).toBe(rounded(mul(q(width), scale), mul(q(height), scale)));
    }
    const large = planned({ width, height }, { scale: '250%', enlarge: true });
    expect(show(large)).toBe(rounded(q(width * 2.5), q(height * 2.5)));
    const same = planned({ width, height }, { format: 'png' });
    expect([show(same), show(same.base), same.cut, same.canvas]).toEqual([
      `${width}x${height}`,
      `${width}x${height}`,
      null,
      null,
    ]);
  });
});

describe('crops of the source', () => {
  const cropped = (picture: PixelSize, crop: Variant['crop'], more: Partial<Variant> = {}) =>
    planned(picture, { crop, ...more });

  it.each(SHAPES)('have whole pixels at both ends: %i x %i', (width, height) => {
    const quarter = cropped({ width, height }, ['25%', '25%', '50%', '50%']);
    const span = (side: number): [number, number] => {
      const end = near(q(side * 3, 4));
      const start = Math.min(near(q(side, 4), 0), end - 1);
      return [start, end - start];
    };
    const [left, w] = span(width);
    const [top, h] = span(height);
    expect(quarter.base.region).toEqual({ left, top, width: w, height: h });
    expect(show(quarter)).toBe(`${w}x${h}`);
    expect(cropped({ width, height }, [0, 0, width, height]).base.region).toBeNull();
    expect(cropped({ width, height }, [width - 1, 0, 1, '100%'])).toMatchObject({ width: 1, height });
  });

  it('share their edges, so that thirds make the whole', () => {
    for (const [width] of SHAPES) {
      if (width < 3) continue;
      const parts = (['0%', '33.3333%', '66.6667%'] as const).map((left, i) => {
        const share = (['33.3333%', '33.3334%', '33.3333%'] as const)[i]!;
        return cropped({ width, height: 9 }, [left, 0, share, 9]).base.region!;
      });
      expect(parts.map(({ left }) => left)).toEqual([0, parts[0]!.width, parts[0]!.width + parts[1]!.width]);
      expect(parts.reduce((sum, part) => sum + part.width, 0)).toBe(width);
    }
  });

  it.each([
    [[1, 0, 640, 480]],
    [[0, 1, 640, 480]],
    [[641, 0, 1, 1]],
    [['50%', 0, '51%', 1]],
    [[0, '100%', 1, 1]],
  ] as const)('outside the picture are refused with its size: %j', (crop) => {
    const attempt = () => cropped({ width: 640, height: 480 }, crop, { name: 'hero' });
    expect(attempt).toThrow(
      `crop ${crop.join(':')} of variant hero is not inside the picture of 640 x 480 px`,
    );
    expect(attempt).toThrow(expect.objectContaining({ code: 'outside_picture' }));
  });

  it('are fitted like a source of their size', () => {
    const found = cropped({ width: 4000, height: 3000 }, [100, 200, 3000, 1500], {
      width: 600,
      ratio: [1, 1],
    });
    expect(found).toMatchObject({
      ...{ width: 600, height: 600, whole: { width: 1200, height: 600 } },
      cut: { at: { left: 300, top: 0 } },
      base: { region: { left: 100, top: 200, width: 3000, height: 1500 }, width: 1200, height: 600 },
    });
  });
});
