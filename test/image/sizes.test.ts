import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { withNewerFields } from '../../src/core/job/settings-digest.ts';
import type { Variant } from '../../src/model.ts';
import { FIELD_KEYS, FIELD_TABLE, fullVariant } from '../../src/variants/fields.ts';
import { FORMATS } from '../../src/variants/formats.ts';
import { scaleDown } from '../bench/lanczos.js';
import { encoded, exact, LIMITS, plain, type Raw, rendered, rgb, scratch } from './pictures.ts';

const folder = scratch();

/** Smooth colours in which no two parts are alike. */
function waves(width: number, height: number): Raw {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const phase = [x / 9 + y / 31, x / 23 - y / 12, x / 14 + y / 17][i % 3]!;
    return 128 + 100 * Math.sin(phase) * Math.cos((x * y) / (width * height));
  });
  return { data, width, height };
}

async function made(source: Uint8Array, asked: Partial<Variant>, limits = LIMITS): Promise<Raw> {
  const { bytes } = await rendered(folder, source, [exact({ width: null, ...asked })], limits);
  return rgb(bytes[0]!);
}

function part({ data, width }: Raw, left: number, top: number, w: number, h: number): Raw {
  const rows = Array.from({ length: h }, (_, y) => {
    return data.subarray(((top + y) * width + left) * 3, ((top + y) * width + left + w) * 3);
  });
  return { data: Uint8Array.from(Buffer.concat(rows)), width: w, height: h };
}

/** Lanczos in float64, channel by channel, through a curve and back. */
function scaled(
  picture: Raw,
  width: number,
  height: number,
  curve?: [(v: number) => number, (v: number) => number],
) {
  const [to, back] = curve ?? [(v: number) => v, (v: number) => v];
  const planes = [0, 1, 2].map((channel) => {
    const plane = Float64Array.from({ length: picture.width * picture.height }, (_, i) =>
      to(picture.data[i * 3 + channel]!),
    );
    return scaleDown(plane, picture, { width, height }).map(back);
  });
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.round(planes[i % 3]![Math.floor(i / 3)]!),
  );
  return { data, width, height };
}

function worst(a: Raw, b: Raw): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  return a.data.reduce((most, byte, i) => Math.max(most, Math.abs(byte - b.data[i]!)), 0);
}

const picture = waves(240, 160);
const png = await encoded(picture).png().toBuffer();
const red = await plain(60, 30, '#ff0000').png().toBuffer();

describe('a crop', () => {
  const crop = [30, 20, 120, 90] as const;
  const wanted = part(picture, 30, 20, 120, 90);

  it('has the very pixels of the source, in pixels and per cent', async () => {
    expect(worst(await made(png, { crop }), wanted)).toBe(0);
    expect(worst(await made(png, { crop: ['12.5%', '12.5%', '50%', '56.25%'] }), wanted)).toBe(0);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is one of the upright picture: orientation %i', async (orientation) => {
    const isTurned = orientation > 4;
    const [w, h] = isTurned ? [160, 240] : [240, 160];
    const jpeg = await encoded(waves(w, h))
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation })
      .toBuffer();
    const upright = await rgb(await sharp(jpeg).autoOrient().png().toBuffer());
    expect(worst(await made(jpeg, { crop }), part(upright, ...crop))).toBe(0);
    const asPng = await encoded(waves(w, h)).png().withMetadata({ orientation }).toBuffer();
    const uprightPng = await rgb(await sharp(asPng).autoOrient().png().toBuffer());
    expect(worst(await made(asPng, { crop }), part(uprightPng, ...crop))).toBe(0);
  });

  it.each(['webp', 'tiff', 'gif', 'jpeg'] as const)(
    'is cut from a %s as from its decoded pixels',
    async (format) => {
      const source = await encoded(picture).toFormat(format, { quality: 95 }).toBuffer();
      const whole = await rgb(await sharp(source).png().toBuffer());
      expect(worst(await made(source, { crop }), part(whole, ...crop))).toBe(0);
    },
  );

  it('of a large picture is scaled from its own pixels alone', async () => {
    const large = waves(1400, 320);
    const jpeg = await encoded(large).jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toBuffer();
    const cut = part(await rgb(jpeg), 90, 20, 1300, 260);
    const found = await made(jpeg, { crop: [90, 20, 1300, 260], width: 400 });
    // It is resized twice: first to the base of 1200 pixels.
    expect(worst(found, scaled(cut, 400, 80))).toBeLessThanOrEqual(4);
  });

  it('is scaled down in steps: only three pixels at the edges differ by more than rounding', async () => {
    const large = waves(1600, 1200);
    const source = await encoded(large).png().toBuffer();
    const found = await made(source, { width: 160 });
    const exactly = scaled(large, 160, 120);
    // Beyond the edges, each step repeats the outermost pixels of what it resizes, and the reference those of the source.
    const inner = (all: Raw): Raw => part(all, 3, 3, 154, 114);
    expect(worst(inner(found), inner(exactly))).toBeLessThanOrEqual(2);
  });

  it('outside the picture fails with the size of the picture', async () => {
    await expect(made(png, { crop: [200, 0, 41, 10] })).rejects.toMatchObject({
      code: 'outside_picture',
      message: 'crop 200:0:41:10 of variant large is not inside the picture of 240 x 160 px',
    });
  });
});

describe('the fits', () => {
  it.each([
    ['outside', { width: 90, height: 70, fit: 'outside' }, 105, 70, [0, 0, 105, 70]],
    ['fill', { width: 90, height: 90, fit: 'fill' }, 90, 90, [0, 0, 90, 90]],
    [
      'cover at a corner',
      { width: 60, height: 60, fit: 'cover', position: 'right bottom' },
      90,
      60,
      [30, 0, 60, 60],
    ],
    [
      'cover at a focal point',
      { width: 60, height: 60, fit: 'cover', position: ['40%', '0%'] },
      90,
      60,
      [6, 0, 60, 60],
    ],
    ['a ratio', { width: 80, ratio: [1, 2], position: ['100%', '50%'] }, 240, 160, [160, 0, 80, 160]],
    ['a scale', { scale: '37.5%' }, 90, 60, [0, 0, 90, 60]],
    ['a scaled ratio', { scale: '50%', ratio: [16, 9] }, 120, 80, [0, 6, 120, 68]],
  ] as const)(
    '%s has the pixels of Lanczos in float64',
    async (_, asked, width, height, [left, top, w, h]) => {
      expect(
        worst(await made(png, asked), part(scaled(picture, width, height), left, top, w, h)),
      ).toBeLessThanOrEqual(2);
    },
  );

  it('keep the size and the pixels without width and height', async () => {
    expect(worst(await made(png, {}), picture)).toBe(0);
  });

  it('enlarge only when asked to, and then without a shift, also beside a side that is reduced', async () => {
    const ramp: Raw = {
      ...{ width: 40, height: 30 },
      data: Uint8Array.from(
        { length: 40 * 30 * 3 },
        (_, i) => 20 + 4 * (Math.floor(i / 3) % 40) + 2 * Math.floor(i / 120),
      ),
    };
    const source = await encoded(ramp).png().toBuffer();
    expect(await made(source, { width: 160 })).toMatchObject({ width: 40, height: 30 });
    const large = await made(source, { width: 160, enlarge: true });
    expect([large.width, large.height]).toEqual([160, 120]);
    // Half a pixel to the right changes values by 0.5, and half a pixel down by 0.25.
    const shift = ({ data, width, height }: Raw, margin: number): number => {
      const differences: number[] = [];
      for (let y = margin; y < height - margin; y++) {
        for (let x = 20; x < width - 20; x++) {
          const exactly = 20 + 4 * (((x + 0.5) / width) * 40 - 0.5) + 2 * (((y + 0.5) / height) * 30 - 0.5);
          differences.push(data[(y * width + x) * 3]! - exactly);
        }
      }
      expect(Math.max(...differences.map(Math.abs))).toBeLessThanOrEqual(1);
      return differences.reduce((sum, each) => sum + each, 0) / differences.length;
    };
    expect(Math.abs(shift(large, 20))).toBeLessThan(0.05);
    const flat = await made(source, { width: 160, height: 15, fit: 'fill', enlarge: true });
    expect(Math.abs(shift(flat, 3))).toBeLessThan(0.05);
  });

  it('enlarge no further than the limit of pixels', async () => {
    const attempt = made(png, { width: 2400, enlarge: true }, { ...LIMITS, pixels: 3_000_000 });
    await expect(attempt).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe('contain', () => {
  const canvas = { width: 100, height: 100, fit: 'contain' } as const;
  const pixels = async (source: Uint8Array, asked: Partial<Variant>) => {
    const { bytes } = await rendered(folder, source, [exact({ width: null, ...asked })]);
    const { data, info } = await sharp(bytes[0]).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const at = (x: number, y: number) => [
      ...data.subarray((y * info.width + x) * 4, (y * info.width + x + 1) * 4),
    ];
    return { at, width: info.width, height: info.height };
  };
  it('puts a small picture on a transparent canvas as it is', async () => {
    const { at, ...size } = await pixels(red, canvas);
    expect(size).toEqual({ width: 100, height: 100 });
    expect([at(19, 50), at(20, 50), at(79, 64), at(80, 50)].map(([r, , , a]) => [r, a])).toEqual([
      [0, 0],
      [255, 255],
      [255, 255],
      [0, 0],
    ]);
    expect([at(50, 34)[3], at(50, 35)[3], at(50, 64)[3], at(50, 65)[3]]).toEqual([0, 255, 255, 0]);
  });

  it('fills the canvas with the background, and places the picture', async () => {
    const { at } = await pixels(red, { ...canvas, background: '#0000ff', position: 'left top' });
    expect([at(0, 0), at(59, 29), at(60, 0), at(0, 30), at(99, 99)]).toEqual([
      ...[
        [255, 0, 0, 255],
        [255, 0, 0, 255],
        [0, 0, 255, 255],
        [0, 0, 255, 255],
        [0, 0, 255, 255],
      ],
    ]);
  });

  it('enlarges the picture only when asked to', async () => {
    const { at } = await pixels(red, { ...canvas, enlarge: true });
    expect([at(0, 24)[3], at(0, 25)[3], at(99, 74)[3], at(99, 75)[3]]).toEqual([0, 255, 255, 0]);
  });

  it('is white in a JPEG, and grey where colours are not wanted', async () => {
    const jpeg = await pixels(red, {
      ...canvas,
      format: 'jpeg',
      lossless: false,
      quality: 95,
      background: null,
    });
    expect(jpeg.at(5, 5)).toEqual([255, 255, 255, 255]);
    const asked = { ...canvas, background: '#00ff00', grayscale: true, sharpen: true } as const;
    const { at } = await pixels(red, asked);
    const [r, g, b, a] = at(5, 5);
    expect([r, g, b, a]).toEqual([r, r, r, 255]);
    expect(Math.abs(r! - 220)).toBeLessThanOrEqual(4);
    const flat = await pixels(await plain(9, 9, '#00ff00').png().toBuffer(), { grayscale: true });
    expect(at(5, 5)).toEqual(flat.at(4, 4));
  });
});

describe('linear', () => {
  const decode = (v: number) =>
    255 * (v <= 0.04045 * 255 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const encode = (v: number) =>
    255 * (v <= 0.0031308 * 255 ? (v / 255) * 12.92 : 1.055 * (v / 255) ** (1 / 2.4) - 0.055);

  it('resizes in linear light: black and white lines become sRGB 188', async () => {
    const lines: Raw = {
      ...{ width: 400, height: 40 },
      data: Uint8Array.from({ length: 400 * 40 * 3 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 255)),
    };
    const source = await encoded(lines).png().toBuffer();
    const middle = ({ data, width }: Raw) => data[(2 * width + 25) * 3]!;
    expect(Math.abs(middle(await made(source, { width: 50 })) - 128)).toBeLessThanOrEqual(1);
    expect(Math.abs(middle(await made(source, { width: 50, linear: true })) - 188)).toBeLessThanOrEqual(1);
  });

  it('has the pixels of Lanczos in float64 on linear light', async () => {
    const found = await made(png, { width: 90, linear: true });
    expect(worst(found, scaled(picture, 90, 60, [decode, encode]))).toBeLessThanOrEqual(2);
  });

  it('converts a profile before', async () => {
    const p3 = await encoded(picture).withIccProfile('p3').png().toBuffer();
    const upright = await rgb(await sharp(p3).png().toBuffer());
    const found = await made(p3, { width: 90, linear: true });
    expect(worst(found, scaled(upright, 90, 60, [decode, encode]))).toBeLessThanOrEqual(2);
  });

  it('keeps transparency', async () => {
    const clear = await plain(80, 80, { r: 200, g: 100, b: 50, alpha: 0.5 }).png().toBuffer();
    const { bytes } = await rendered(folder, clear, [exact({ width: 40, linear: true })]);
    const { data } = await sharp(bytes[0]).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(40 * 4 * 20, 40 * 4 * 20 + 4)]).toEqual([200, 100, 50, 128]);
  });
});

const completed = (old: Variant) => [...withNewerFields({ name: 'old', variants: [old] }).variants];

describe('a variant of a batch that an earlier version recorded', () => {
  it('is rendered without the fields that were not there yet', async () => {
    const { name, width, height, fit, position, format, quality, effort, lossless } = exact({ width: 60 });
    const old = { name, width, height, fit, position, format, quality, effort, lossless } as Variant;
    const { bytes } = await rendered(folder, png, completed(old));
    expect(worst(await rgb(bytes[0]!), await made(png, { width: 60 }))).toBe(0);
  });

  const fields = FIELD_KEYS.filter((key) => FIELD_TABLE[key].off !== undefined);
  it.each(fields)('is rendered with %s off, if it lacks that field', async (key) => {
    for (const format of FORMATS) {
      const off = { ...fullVariant({ name: 'v', format, effort: 1 }), [key]: FIELD_TABLE[key].off };
      const { [key]: _, ...old } = off;
      const { bytes } = await rendered(folder, png, [off]);
      expect((await rendered(folder, png, completed(old as Variant))).bytes, format).toEqual(bytes);
    }
  });
});
