import { describe, expect, it } from 'vitest';
import { fullVariant } from '../../src/variants/fields.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';

describe('the built-in presets', () => {
  const boxes = (name: string) =>
    BUILT_IN.find((preset) => preset.name === name)?.variants.map((variant) => [
      variant.name,
      variant.width,
      variant.height,
      variant.fit,
      variant.format,
      variant.quality,
      variant.grayscale,
    ]);

  it('are web, archive, gallery and compat, in this order', () => {
    expect(BUILT_IN.map((preset) => preset.name)).toEqual(['web', 'archive', 'gallery', 'compat']);
  });

  it('web makes three widths as WebP', () => {
    expect(boxes('web')).toEqual([
      ['thumbnail', 150, null, 'inside', 'webp', 85, false],
      ['medium', 600, null, 'inside', 'webp', 85, false],
      ['large', 1200, null, 'inside', 'webp', 85, false],
    ]);
  });

  it('archive is web and an original, and shares its variants with web', () => {
    expect(boxes('archive')?.slice(0, 3)).toEqual(boxes('web'));
    expect(boxes('archive')?.[3]).toEqual(['original', 4096, null, 'inside', 'webp', 85, false]);
  });

  it('gallery fits boxes, one of them without colour', () => {
    expect(boxes('gallery')).toEqual([
      ['standard', 800, 800, 'inside', 'webp', 85, false],
      ['thumbnail', 200, 200, 'inside', 'webp', 85, false],
      ['grayscale', 800, 800, 'inside', 'webp', 85, true],
    ]);
  });

  it('compat makes each size of web as JPEG and as WebP', () => {
    expect(boxes('compat')?.map(([name, width, , , format]) => [name, width, format])).toEqual([
      ['thumbnail', 150, 'jpeg'],
      ['thumbnail', 150, 'webp'],
      ['medium', 600, 'jpeg'],
      ['medium', 600, 'webp'],
      ['large', 1200, 'jpeg'],
      ['large', 1200, 'webp'],
    ]);
  });
});

describe('a full variant', () => {
  it('has a value for everything left out', () => {
    expect(fullVariant({ name: 'a', width: 10 })).toEqual({
      name: 'a',
      width: 10,
      height: null,
      fit: 'inside',
      scale: null,
      enlarge: false,
      ratio: null,
      position: 'centre',
      crop: null,
      trim: false,
      page: 1,
      animated: 'all',
      linear: false,
      format: 'webp',
      quality: 85,
      effort: 4,
      lossless: false,
      nearlossless: false,
      chroma: 'auto',
      progressive: true,
      bitdepth: 8,
      grayscale: false,
      sharpen: false,
      background: null,
      keep: 'none',
      copyright: null,
      artist: null,
    });
  });

  it.each([
    ['webp', 85, 4, false, null],
    ['jpeg', 85, 0, false, '#ffffff'],
    ['avif', 60, 2, false, null],
    ['png', 100, 7, true, null],
    ['gif', 100, 7, false, null],
    ['tiff', 100, 0, true, null],
  ] as const)('of %s has quality %s, effort %s', (format, quality, effort, lossless, background) => {
    expect(fullVariant({ name: 'a', width: 1, format })).toMatchObject({
      quality,
      effort,
      lossless,
      background,
    });
  });

  it.each([
    ['the quality of a PNG', { format: 'png', quality: 50 }, { format: 'png' }],
    ['the quality of a lossless WebP', { lossless: true, quality: 50 }, { lossless: true }],
    ['the effort of a TIFF', { format: 'tiff', effort: 3 }, { format: 'tiff' }],
    ['the quality of a GIF', { format: 'gif', quality: 50 }, { format: 'gif' }],
    ['the usual chroma of a JPEG', { format: 'jpeg', chroma: '420' }, { format: 'jpeg' }],
    [
      'the full chroma of a JPEG from quality 90 on',
      { format: 'jpeg', quality: 90, chroma: '444' },
      { format: 'jpeg', quality: 90 },
    ],
    [
      'the chroma of a grey JPEG',
      { format: 'jpeg', chroma: '444', grayscale: true },
      { format: 'jpeg', grayscale: true },
    ],
    ['the usual chroma of an AVIF', { format: 'avif', chroma: '444' }, { format: 'avif' }],
    ['the chroma of a lossless WebP', { lossless: true, chroma: 'sharp' }, { lossless: true }],
    [
      'a lossless WebP that is also near-lossless',
      { lossless: true, nearlossless: true },
      { lossless: true },
    ],
    [
      'the bit depth of a lossless AVIF',
      { format: 'avif', lossless: true, bitdepth: 10 },
      { format: 'avif', lossless: true },
    ],
    ['the passes of a PNG', { format: 'png', progressive: false }, { format: 'png' }],
    ['white under a JPEG', { format: 'jpeg', background: '#ffffff' }, { format: 'jpeg' }],
    ['the position of what is not cut', { height: 5, position: 'top' }, { height: 5 }],
    ['what may be enlarged without a size', { width: null, enlarge: true }, { width: null }],
    ['cover with one side', { fit: 'cover', position: 'top' }, {}],
    ['a PNG that is said to be lossy', { format: 'png', lossless: false }, { format: 'png' }],
  ] as const)('does not differ by %s', (_, one, other) => {
    expect(fullVariant({ name: 'a', width: 9, ...one })).toEqual(
      fullVariant({ name: 'a', width: 9, ...other }),
    );
  });

  it('keeps what does change bytes', () => {
    const asked = { name: 'a', width: 9, height: 9, fit: 'cover', position: 'top', quality: 40 } as const;
    expect(fullVariant(asked)).toMatchObject(asked);
  });
});
