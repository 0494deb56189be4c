import { describe, expect, it } from 'vitest';
import type { Corrections } from '../../src/image/corrections.ts';
import { estimateMemory, mostAtOnce } from '../../src/image/memory.ts';
import { SRGB_SIGNAL } from '../../src/image/signal/signal.ts';
import type { Header } from '../../src/image/steps/header.ts';
import type { Variant } from '../../src/model.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';
import { variant } from './pictures.ts';

const MB = 2 ** 20;
const web = BUILT_IN.find(({ name }) => name === 'web')!.variants;
const wide = [variant({ width: 4096, effort: 4 })];

/** An RGB picture of 24 or 100 Mpx, like the measured ones. */
function header(mpx: 24 | 100, changes: Partial<Header> = {}): Header {
  const [width, height] = mpx === 24 ? [6000, 4000] : [12_200, 8190];
  return {
    ...{ width, height, stored: { width, height }, pages: 1, pagesInFile: 1, page: 0 },
    ...{ format: 'jpeg', wide: false, alpha: false, pixelBytes: 3, samples: 1.5, corrections: null },
    ...{
      profile: null,
      metadataBytes: 0,
      progressive: false,
      turned: false,
      orientation: 1,
      animation: null,
      lossless: false,
      plain: null,
      failOn: 'error',
      damage: null,
    },
    ...changes,
  };
}

const FRAME = { left: 0, top: 0, width: 5000, height: 3000, bytes: 1000, isWhole: true, end: 1 };
const SCREEN = { width: 6000, height: 4000, frame: FRAME };

function corrections(changes: Partial<Corrections> = {}): Corrections {
  return {
    ...{
      signal: SRGB_SIGNAL,
      ignoreIcc: false,
      isOfProfile: false,
      premultiplied: false,
      screen: null,
      orientation: 1,
    },
    ...{ deep: null, range: { black: 0, white: 255, opaque: 255 } },
    ...changes,
  };
}

const upright = (mpx: 24 | 100): Partial<Header> => {
  const { width, height } = header(mpx);
  return { width: height, height: width, stored: { width, height }, turned: true };
};

/**
 * Peak minus idle memory of a child process in MiB, measured with sharp 0.35.5 and libvips 8.18.7 on Linux; file size
 * in MiB.
 */
const MEASURED: [string, Header, number, { web: number; wide: number }][] = [
  ['a JPEG of 24 Mpx', header(24), 1, { web: 22, wide: 106 }],
  ['a JPEG of 100 Mpx', header(100), 2, { web: 73, wide: 127 }],
  ['a progressive JPEG of 100 Mpx', header(100, { progressive: true }), 3, { web: 359, wide: 375 }],
  ['a turned JPEG of 24 Mpx', header(24, upright(24)), 1, { web: 47, wide: 189 }],
  ['a turned JPEG of 100 Mpx', header(100, upright(100)), 2, { web: 51, wide: 233 }],
  ['a JPEG of 24 Mpx of noise', header(24), 22, { web: 36, wide: 309 }],
  ['a PNG of 24 Mpx', header(24, { format: 'png' }), 24, { web: 61, wide: 188 }],
  ['a PNG of 100 Mpx', header(100, { format: 'png' }), 87, { web: 159, wide: 478 }],
  [
    'an interlaced PNG of 100 Mpx',
    header(100, { format: 'png', progressive: true }),
    100,
    { web: 437, wide: 675 },
  ],
  [
    'a PNG of 100 Mpx of 16 bits',
    header(100, { format: 'png', pixelBytes: 6 }),
    132,
    { web: 269, wide: 511 },
  ],
  [
    'a PNG of 24 Mpx with alpha',
    header(24, { format: 'png', alpha: true, pixelBytes: 4 }),
    28,
    { web: 91, wide: 324 },
  ],
  [
    'a PNG of 24 Mpx with cICP',
    header(24, { format: 'png', corrections: corrections() }),
    27,
    { web: 118, wide: 197 },
  ],
  [
    'a PNG of 24 Mpx with alpha and cICP',
    header(24, { format: 'png', alpha: true, pixelBytes: 4, corrections: corrections() }),
    32,
    { web: 158, wide: 336 },
  ],
  [
    'a PNG of 24 Mpx of 16 bits with cICP',
    header(24, { format: 'png', pixelBytes: 6, corrections: corrections({ deep: 'rgb16' }) }),
    49,
    { web: 128, wide: 298 },
  ],
  [
    'a GIF of 24 Mpx whose frame has 15',
    header(24, { format: 'gif', alpha: true, corrections: corrections({ signal: null, screen: SCREEN }) }),
    2,
    { web: 183, wide: 436 },
  ],
  ['a WebP of 24 Mpx', header(24, { format: 'webp' }), 1, { web: 89, wide: 214 }],
  ['a WebP of 100 Mpx', header(100, { format: 'webp' }), 1, { web: 91, wide: 351 }],
  [
    'a lossless WebP of 100 Mpx',
    header(100, { format: 'webp', lossless: true }),
    19,
    { web: 433, wide: 578 },
  ],
  ['a GIF of 100 Mpx', header(100, { format: 'gif' }), 10, { web: 454, wide: 699 }],
  ['a TIFF of 24 Mpx in strips', header(24, { format: 'tiff' }), 69, { web: 111, wide: 237 }],
  ['a TIFF of 100 Mpx in strips', header(100, { format: 'tiff' }), 28, { web: 98, wide: 415 }],
  ['an AVIF of 24 Mpx', header(24, { format: 'avif' }), 0, { web: 432, wide: 422 }],
  ['an AVIF of 100 Mpx', header(100, { format: 'avif' }), 1, { web: 1740, wide: 1723 }],
];

/** 200 frames of 1 Mpx: file size and peak in MiB, measured like the above. */
const MOVING: [Partial<Variant>, number, number][] = [
  [{ width: 300, effort: 4 }, 52, 207],
  [{ width: 300, format: 'gif', effort: 7 }, 52, 221],
  [{ width: null, effort: 0 }, 52, 946],
  [{ width: null, format: 'gif', effort: 1 }, 52, 952],
  [{ width: 300, effort: 4 }, 178, 337],
];

describe('the estimated memory of an animation', () => {
  const side = { width: 1000, height: 1000 };
  const frame = { ...side, left: 0, top: 0, delay: 50, after: 'stays', over: true, isWhole: true } as const;
  const frames = Array.from({ length: 200 }, () => ({ ...frame, picture: () => null }));
  const animation = { frames, count: 200, loop: 0 };
  const one = header(24, { ...side, stored: side, format: 'gif', pages: 200, animation });

  it.each(MOVING)(
    'to %j, from %i MiB, is at least the measured peak, but not much more',
    (fields, size, peak) => {
      const bytes = estimateMemory(one, { size: size * MB, held: size * MB }, [variant(fields)]);
      expect(bytes).toBeGreaterThanOrEqual(peak * MB);
      expect(bytes).toBeLessThan(peak * MB * 1.3);
    },
  );

  it('counts the metadata that is kept', () => {
    const file = { size: 20 * MB, held: 20 * MB };
    const [plain, kept] = ['none', 'xmp'].map((keep) =>
      estimateMemory({ ...one, metadataBytes: 10 * MB }, file, [variant({ width: 300, keep })]),
    );
    // Measured: at least 20 times the metadata.
    expect(kept! - plain!).toBeGreaterThan(200 * MB);
  });
});

/** Peak of encoding 12 Mpx in bytes per pixel, in addition to the pixels: of noise, and of a plain picture. */
const ENCODERS: [Partial<Variant>, boolean, { noise: number; plain: number }][] = [
  [{ format: 'jpeg' }, false, { noise: 6.9, plain: 6.4 }],
  [{ format: 'jpeg', quality: 90 }, false, { noise: 13.9, plain: 12.4 }],
  [{ format: 'jpeg', effort: 2 }, false, { noise: 12.8, plain: 7.1 }],
  [{ format: 'jpeg', effort: 2, chroma: '444' }, false, { noise: 31, plain: 13.5 }],
  [{ chroma: 'sharp', effort: 4 }, false, { noise: 27.5, plain: 15.8 }],
  [{ nearlossless: true }, false, { noise: 27.4, plain: 16 }],
  [{ format: 'gif' }, false, { noise: 15, plain: 10.8 }],
  [{ format: 'tiff' }, false, { noise: 9.8, plain: 6.6 }],
  [{ format: 'tiff' }, true, { noise: 13.1, plain: 8.8 }],
  [{ format: 'avif', bitdepth: 10 }, false, { noise: 41.2, plain: 41.2 }],
  [{ format: 'avif', bitdepth: 10 }, true, { noise: 56.5, plain: 56.5 }],
];

/** Outputs of pictures of 2400 x 1800 pixels, or 4000 x 3000: peak minus idle memory in MB; bytes of the file. Measured with bench:memory. */
const SIZE = { width: 2400, height: 1800, stored: { width: 2400, height: 1800 } };
const PHOTO = [header(24, SIZE), 53_506] as const;
const NOISE = [header(24, SIZE), 2_743_801] as const;
const PNG_NOISE = [header(24, { ...SIZE, format: 'png' }), 12_980_000] as const;
const PNG_CLEAR = [header(24, { ...SIZE, format: 'png', alpha: true, pixelBytes: 4 }), 1_815_147] as const;
const PNG_CLEAR_SMALL = [PNG_CLEAR[0], 17_300_000] as const;
const WEBP_CLEAR = [header(24, { ...SIZE, format: 'webp', alpha: true, pixelBytes: 4 }), 3_400_000] as const;
const LARGE = { width: 4000, height: 3000, stored: { width: 4000, height: 3000 } };
const PNG_CLEAR_NOISE = [
  header(24, { ...LARGE, format: 'png', alpha: true, pixelBytes: 4 }),
  48_100_000,
] as const;
const TIFF_CLEAR_NOISE = [{ ...PNG_CLEAR_NOISE[0], format: 'tiff' }, 48_000_000] as const;
const BMP_CLEAR_NOISE = [
  {
    ...PNG_CLEAR_NOISE[0],
    format: 'bmp',
    plain: { head: Buffer.alloc(0), memory: 48e6, write: () => Buffer.alloc(0) },
  },
  48_000_000,
] as const;
const DRAWING = [header(24, { ...LARGE, format: 'svg', alpha: true, pixelBytes: 4 }), 300] as const;
const SAME = { width: null, effort: 4 } as const;
const CONTAIN = { width: 3600, height: 3600, fit: 'contain', effort: 4 } as const;
const OUTPUTS: [string, readonly [Header, number], Partial<Variant>, number][] = [
  ['a smooth JPEG as WebP', PHOTO, SAME, 42],
  ['a smooth JPEG as lossless WebP', PHOTO, { ...SAME, lossless: true }, 133],
  ['a smooth JPEG as WebP with sharp chroma', PHOTO, { ...SAME, chroma: 'sharp' }, 87],
  ['a smooth JPEG, enlarged', PHOTO, { width: 3600, enlarge: true, format: 'jpeg', effort: 0 }, 139],
  ['a smooth JPEG, in linear light', PHOTO, { width: 1200, linear: true, effort: 4 }, 34],
  ['a JPEG of noise as WebP', NOISE, SAME, 112],
  ['a JPEG of noise as lossless WebP', NOISE, { ...SAME, lossless: true }, 200],
  ['a JPEG of noise, 1200 wide', NOISE, { width: 1200, effort: 4 }, 30],
  ['a JPEG of noise, trimmed', NOISE, { width: 2000, trim: true, effort: 4 }, 90],
  ['a crop of a JPEG of noise', NOISE, { ...SAME, crop: ['10%', '10%', '60%', '60%'] }, 45],
  ['a PNG of noise as WebP', PNG_NOISE, SAME, 128],
  ['a PNG of noise as lossless WebP', PNG_NOISE, { ...SAME, lossless: true }, 209],
  ['a PNG of noise as JPEG', PNG_NOISE, { ...SAME, format: 'jpeg', effort: 0 }, 74],
  [
    'a PNG of noise as JPEG of quality 95',
    PNG_NOISE,
    { ...SAME, format: 'jpeg', effort: 0, quality: 95 },
    108,
  ],
  ['a PNG of noise as PNG', PNG_NOISE, { ...SAME, format: 'png', effort: 7 }, 160],
  ['a PNG of noise as GIF', PNG_NOISE, { ...SAME, format: 'gif', effort: 7 }, 96],
  ['a PNG of noise as TIFF', PNG_NOISE, { ...SAME, format: 'tiff' }, 64],
  ['a PNG of noise on a canvas', PNG_NOISE, CONTAIN, 287],
  ['a PNG of noise on a canvas as JPEG', PNG_NOISE, { ...CONTAIN, format: 'jpeg', effort: 0 }, 203],
  [
    'a PNG of noise on a canvas as PNG',
    PNG_NOISE,
    { ...CONTAIN, width: 3000, height: 3000, format: 'png' },
    177,
  ],
  ['a PNG of noise with alpha as WebP', PNG_CLEAR_NOISE, SAME, 556],
  ['a PNG of noise with alpha as lossless WebP', PNG_CLEAR_NOISE, { ...SAME, lossless: true }, 613],
  ['a PNG of noise with alpha as WebP with sharp chroma', PNG_CLEAR_NOISE, { ...SAME, chroma: 'sharp' }, 606],
  ['a TIFF of noise with alpha as PNG', TIFF_CLEAR_NOISE, { ...SAME, format: 'png', effort: 7 }, 494],
  ['a TIFF of noise with alpha, 1200 wide', TIFF_CLEAR_NOISE, { width: 1200, effort: 4 }, 110],
  ['a BMP of noise with alpha, 1200 wide', BMP_CLEAR_NOISE, { width: 1200, effort: 4 }, 158],
  ['a PNG of noise with alpha, 1200 wide', PNG_CLEAR_NOISE, { width: 1200, effort: 4 }, 113],
  ['a drawing in linear light', DRAWING, { width: 1200, linear: true, effort: 4 }, 125],
  ['a drawing as TIFF', DRAWING, { ...SAME, format: 'tiff' }, 185],
  ['a drawing as GIF', DRAWING, { ...SAME, format: 'gif', effort: 7 }, 220],
  ['a WebP, 1200 wide', [header(24, { ...SIZE, format: 'webp' }), 60_000], { width: 1200, effort: 4 }, 75],
  ['a WebP with alpha, 1200 wide', WEBP_CLEAR, { width: 1200, effort: 4 }, 96],
  ['a smaller PNG of noise with alpha as PNG', PNG_CLEAR_SMALL, { ...SAME, format: 'png', effort: 7 }, 221],
  ['a PNG with alpha as WebP', PNG_CLEAR, SAME, 89],
  ['a PNG with alpha as lossless WebP', PNG_CLEAR, { ...SAME, lossless: true }, 133],
  ['a PNG with alpha as PNG', PNG_CLEAR, { ...SAME, format: 'png', effort: 7 }, 90],
  ['a PNG with alpha as GIF', PNG_CLEAR, { ...SAME, format: 'gif', effort: 7 }, 80],
];

describe('the estimated memory of an output', () => {
  it.each(OUTPUTS)('of %s is at least the measured peak, but not much more', (_, source, asked, peak) => {
    const [found, bytes] = source;
    const estimated = estimateMemory(found, { size: bytes, held: bytes }, [variant(asked)]) / 1e6;
    expect(estimated).toBeGreaterThan(peak * 0.97);
    expect(estimated).toBeLessThan(peak * 1.7);
  });
});

/** Plain PNGs that are wide and low, to 1200 and 10,000 pixels across: the higher peak minus idle memory in MB. */
describe('the estimated memory of a wide picture', () => {
  it.each([
    [2_000_000, 100, 1819],
    [2_000_000, 10, 1027],
    [500_000, 400, 1232],
    [500_000, 40, 381],
    [500_000, 4, 186],
    [100_000, 200, 217],
    [20_000, 1000, 66],
  ])('of %i x %i pixels is at least the measured peak', (width, height, peak) => {
    const found = header(24, { width, height, stored: { width, height }, format: 'png' });
    const estimated = estimateMemory(found, { size: 1e5, held: 1e5 }, [variant({ effort: 4 })]) / 1e6;
    expect(estimated).toBeGreaterThan(peak);
    expect(estimated).toBeLessThan(peak * 2);
  });
});

describe('the estimated memory of an encoder', () => {
  it.each(ENCODERS)(
    'of %j, alpha %s, is at least the measured peak, but not much more',
    (fields, alpha, peaks) => {
      const size = { width: 4000, height: 3000 };
      const pixels = size.width * size.height;
      const found = header(24, { ...size, stored: size, format: 'png', alpha, pixelBytes: alpha ? 4 : 3 });
      for (const [bytes, peak] of [
        [pixels * 3, peaks.noise],
        [0, peaks.plain],
      ] as const) {
        const all = estimateMemory(found, { size: bytes, held: 0 }, [variant({ width: 4000, ...fields })]);
        const each = all / pixels - (alpha ? 4 : 3);
        expect(each).toBeGreaterThan(peak * 0.9);
        expect(each).toBeLessThan(peak * 1.7);
      }
    },
  );
});

describe('the estimated memory', () => {
  it.each(MEASURED)(
    'for %s is at least the measured peak, but not much more',
    (_, found, megabytes, measured) => {
      const file = { size: megabytes * MB, held: megabytes * MB };
      for (const [variants, peak] of [
        [web, measured.web],
        [wide, measured.wide],
      ] as const) {
        const estimated = estimateMemory(found, file, variants) / MB;
        expect(estimated).toBeGreaterThan(peak * 0.8);
        expect(estimated).toBeLessThan(peak * 2.5);
      }
    },
  );

  /** Measured like the others, in MiB. */
  it.each([
    ['a crop of a JPEG', header(24), { crop: ['25%', '25%', '50%', '50%'], width: 1200 }, 25],
    [
      'a crop of a turned JPEG',
      header(24, upright(24)),
      { crop: ['25%', '25%', '50%', '50%'], width: 1200 },
      89,
    ],
    ['a crop of a WebP', header(24, { format: 'webp' }), { crop: [3000, 2000, 800, 800], width: null }, 190],
    ['linear light', header(24), { linear: true }, 88],
    [
      'linear light with alpha',
      header(24, { format: 'png', alpha: true, pixelBytes: 4 }),
      { linear: true },
      160,
    ],
    ['a trimmed TIFF', header(24, { format: 'tiff' }), { trim: true }, 130],
    ['a canvas', header(24), { width: 4000, height: 4000, fit: 'contain' }, 363],
    ['an enlarged picture', header(24), { width: 8000, enlarge: true, format: 'jpeg' }, 453],
  ] as const)('for %s counts what the field adds', (_, found, asked, peak) => {
    const file = { size: 3 * MB, held: 3 * MB };
    const estimated = estimateMemory(found, file, [variant({ effort: 4, ...asked })], 268e6) / MB;
    expect(estimated).toBeGreaterThan(peak * 0.8);
    expect(estimated).toBeLessThan(peak * 2.5);
  });

  it('covers any part that trim can leave, up to the limit of pixels', () => {
    const file = { size: MB, held: MB };
    const of = (asked: Partial<Variant>) => estimateMemory(header(24), file, [variant(asked)], 50e6) / MB;
    // A part of 1200 x 4000 pixels stays as it is.
    expect(of({ width: 1200, trim: true })).toBeGreaterThan(of({ width: 1200, height: 4000, fit: 'fill' }));
    expect(of({ width: 1200, trim: true, enlarge: true })).toBeLessThan(1000);
    expect(of({ width: 1200, trim: true, enlarge: true })).toBeGreaterThan(of({ trim: true }));
  });

  it('is small for a small picture, which lets many run at the same time', () => {
    const found = { ...header(24), width: 150, height: 100, stored: { width: 150, height: 100 } };
    expect(estimateMemory(found, { size: 9000, held: 9000 }, web) / MB).toBeLessThan(5.1);
  });

  it('does not include a file that is decoded by path', () => {
    const file = { size: 300 * MB, held: 300 * MB };
    const held = estimateMemory(header(24), file, web);
    expect(held - estimateMemory(header(24), { ...file, held: 0 }, web)).toBe(300 * MB);
  });

  it('covers a full-size decode without variants', () => {
    const whole = estimateMemory(header(24), { size: MB, held: MB }, []) / MB;
    expect(whole).toBeGreaterThan((24e6 * 3) / MB);
    expect(whole).toBeLessThan(100);
  });

  it('includes only as many encoders as run at the same time', () => {
    const many = Array.from({ length: 8 }, (_, i) => variant({ width: 4000 - i, name: `${i}` }));
    const of = (count: number) => estimateMemory(header(24), { size: MB, held: MB }, many.slice(0, count));
    const one = of(2) - of(1);
    expect(of(8) - of(7)).toBeLessThan(one * 0.7);
  });

  it('includes all encoders of small outputs, which run at the same time', () => {
    const many = Array.from({ length: 8 }, (_, i) => variant({ width: 800 - i, name: `${i}` }));
    const small = { width: 1200, height: 900, stored: { width: 1200, height: 900 } };
    const of = (count: number) =>
      estimateMemory(header(24, small), { size: MB, held: MB }, many.slice(0, count));
    const outputs = many.map(({ width }) => ({ width: width!, height: 600 }));
    expect([mostAtOnce(outputs), mostAtOnce(outputs.slice(0, 1))]).toEqual([8, 2]);
    expect(mostAtOnce([...outputs, { width: 4000, height: 3000 }])).toBe(2);
    expect(of(8) - of(7)).toBeGreaterThan((of(2) - of(1)) * 0.7);
  });

  it('counts the pixels of all pages that are decoded', () => {
    const file = { size: 4 * MB, held: 0 };
    const [one, ten] = [1, 10].map((pages) =>
      estimateMemory(header(24, { format: 'gif', pages }), file, web),
    );
    expect(ten! / one!).toBeGreaterThan(6);
  });
});
