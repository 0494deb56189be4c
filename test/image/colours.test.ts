import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/variants/formats.ts';
import {
  colour,
  difference,
  encoded,
  exact,
  lopsided,
  near,
  plain,
  type Raw,
  rendered,
  rgb,
  scratch,
  variant,
} from './pictures.ts';

const folder = scratch();

/** The stored pixels of a camera in this orientation, placed as the EXIF standard says. */
const TURNS: readonly ((x: number, y: number, w: number, h: number) => [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, w) => [w - 1 - y, x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, _, h) => [y, h - 1 - x],
];

function stored({ data, width: w, height: h }: Raw, orientation: number): Raw {
  const [width, height] = orientation > 4 ? [h, w] : [w, h];
  const turned = Uint8Array.from({ length: data.length }, (_, i) => {
    const at = Math.floor(i / 3);
    const [x, y] = TURNS[orientation - 1]!(at % width, Math.floor(at / width), w, h);
    return data[(y * w + x) * 3 + (i % 3)]!;
  });
  return { data: turned, width, height };
}

describe('orientation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i becomes upright', async (orientation) => {
    const upright = lopsided(90, 60);
    const source = await encoded(stored(upright, orientation)).withMetadata({ orientation }).png().toBuffer();
    const { picture, bytes } = await rendered(folder, source, [exact(), exact({ width: 45 })]);
    expect(picture).toMatchObject({ width: 90, height: 60 });
    const full = await rgb(bytes[0]!);
    expect([full.width, full.height]).toEqual([90, 60]);
    expect(difference(full, upright)).toBe(0);
    const half = await rgb(bytes[1]!);
    expect([half.width, half.height]).toEqual([45, 30]);
  });
});

describe('colours', () => {
  it('of Display P3 become sRGB', async () => {
    const source = await plain(20, 20, '#e02010').withIccProfile('p3').png().toBuffer();
    expect(await colour((await rendered(folder, source, [exact()])).bytes[0]!)).toEqual(near([224, 32, 16]));
  });

  it('of 16-bit Display P3 become sRGB', async () => {
    const source = await plain(20, 20, '#e02010')
      .toColourspace('rgb16')
      .withIccProfile('p3')
      .png()
      .toBuffer();
    expect((await sharp(source).metadata()).depth).toBe('ushort');
    expect(await colour((await rendered(folder, source, [exact()])).bytes[0]!)).toEqual(near([224, 32, 16]));
  });

  it('of a CMYK JPEG become sRGB', async () => {
    const source = await plain(20, 20, '#4080a0').toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(source).metadata()).space).toBe('cmyk');
    const { bytes } = await rendered(folder, source, [exact()]);
    expect(await sharp(bytes[0]).metadata()).toMatchObject({ space: 'srgb', channels: 3 });
    expect(await colour(bytes[0]!)).toEqual(near([64, 128, 160], 25));
  });

  it('of 16 bits become 8', async () => {
    const source = await plain(20, 20, '#4080a0').toColourspace('rgb16').png().toBuffer();
    const { bytes } = await rendered(folder, source, [exact()]);
    expect(await sharp(bytes[0]).metadata()).toMatchObject({ depth: 'uchar' });
    expect(await colour(bytes[0]!)).toEqual(near([64, 128, 160]));
  });

  it('of a grey picture stay grey', async () => {
    const source = await plain(20, 20, '#808080').toColourspace('b-w').png().toBuffer();
    expect(await colour((await rendered(folder, source, [exact({ width: 10 })])).bytes[0]!)).toEqual(
      near([128, 128, 128], 1),
    );
  });

  it('leave one channel of luminance in a grayscale variant', async () => {
    const source = await encoded(lopsided(90, 60)).png().toBuffer();
    const variants = FORMATS.map((format) => exact({ format, grayscale: true }));
    const { bytes } = await rendered(folder, source, variants);
    for (const each of bytes) {
      const [red, green, blue] = await colour(each);
      expect(Math.abs(red! - green!) + Math.abs(green! - blue!)).toBeLessThanOrEqual(2);
    }
    expect((await sharp(bytes[2]).metadata()).channels).toBe(1);
  });
});

describe('transparency', () => {
  const clear = () => plain(20, 20, { r: 255, g: 0, b: 0, alpha: 0 }).png().toBuffer();

  it('becomes white for JPEG', async () => {
    const { bytes, result } = await rendered(folder, await clear(), [variant({ format: 'jpeg' })]);
    expect(await colour(bytes[0]!)).toEqual(near([255, 255, 255]));
    expect(result.dominantColor).toBe('#ffffff');
  });

  it('becomes the given background in any format', async () => {
    const variants = (['jpeg', 'webp', 'png'] as const).map((format) =>
      variant({ format, background: '#204060' }),
    );
    for (const each of (await rendered(folder, await clear(), variants)).bytes) {
      expect(await colour(each)).toEqual(near([32, 64, 96]));
      expect((await sharp(each).metadata()).hasAlpha).toBe(false);
    }
  });

  it('is kept otherwise, even scaled down and in grey', async () => {
    const formats = (['webp', 'png', 'avif'] as const).map((format) => exact({ format, width: 10 }));
    for (const each of (await rendered(folder, await clear(), [...formats, exact({ grayscale: true })]))
      .bytes) {
      expect((await sharp(each).stats()).isOpaque).toBe(false);
    }
  });
});

describe('the colour of transparent pixels', () => {
  it('stays the same when a large WebP is scaled down', async () => {
    const source = await plain(3700, 40, { r: 200, g: 100, b: 50, alpha: 0.5 })
      .webp({ lossless: true })
      .toBuffer();
    const { bytes } = await rendered(folder, source, [exact({ width: 1200 })]);
    const { data, info } = await sharp(bytes[0]).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const middle = Math.floor(info.height / 2) * info.width * 4 + Math.floor(info.width / 2) * 4;
    expect([...data.subarray(middle, middle + 3)]).toEqual(near([200, 100, 50], 2));
  });
});
