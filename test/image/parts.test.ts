import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../src/image/picture.ts';
import { contentOf } from '../../src/image/steps/trim.ts';
import type { Variant } from '../../src/model.ts';
import { colour, exact, file, LIMITS, near, plain, rendered, rgb, scratch } from './pictures.ts';
import { type Picture, writeTiffs } from './tiff/write.ts';

const folder = scratch();
const red = await plain(50, 20, '#ff0000').png().toBuffer();
const DRAWINGS = { ...LIMITS, allowSvg: true };

async function sizeOf(source: Uint8Array, asked: Partial<Variant>, limits = LIMITS) {
  const { result, bytes } = await rendered(folder, source, [exact({ width: null, ...asked })], limits);
  const { width, height } = result.outputs[0]!;
  return { size: `${width}x${height}`, bytes: bytes[0]! };
}

describe('trim', () => {
  const framed = (background: string, format: 'png' | 'jpeg') =>
    plain(120, 80, background)
      .composite([{ input: red, left: 30, top: 40 }])
      .toFormat(format, { quality: 90 })
      .toBuffer();

  it('keeps exactly what differs from the edges', async () => {
    const { size, bytes } = await sizeOf(await framed('#ffffff', 'png'), { trim: true });
    expect(size).toBe('50x20');
    const { data } = await rgb(bytes);
    expect(data.every((byte, i) => byte === (i % 3 === 0 ? 255 : 0))).toBe(true);
  });

  it('accepts the noise of a JPEG', async () => {
    const { size } = await sizeOf(await framed('#204060', 'jpeg'), { trim: true });
    const [width = 0, height = 0] = size.split('x').map(Number);
    // The blocks at the picture's edge differ more: 16 pixels with subsampled colours.
    expect([width >= 50, width <= 66, height >= 20, height <= 36]).toEqual([true, true, true, true]);
  });

  it('comes after the crop and before the size', async () => {
    const source = await framed('#ffffff', 'png');
    expect((await sizeOf(source, { trim: true, crop: [0, 0, 60, '100%'] })).size).toBe('30x20');
    expect((await sizeOf(source, { trim: true, crop: [0, 0, '100%', 50], width: 25 })).size).toBe('25x5');
    expect((await sizeOf(source, { trim: true, ratio: [1, 1] })).size).toBe('20x20');
  });

  it('leaves a picture of one colour and a full picture as they are', async () => {
    expect((await sizeOf(red, { trim: true })).size).toBe('50x20');
    const noise = await sharp(Buffer.from([...Array(300).keys()].map((i) => (i * 97) % 256)), {
      raw: { width: 10, height: 10, channels: 3 },
    });
    expect((await sizeOf(await noise.png().toBuffer(), { trim: true })).size).toBe('10x10');
  });

  it('cuts transparent edges, whatever colour they hide', async () => {
    const clear = await plain(40, 40, { r: 9, g: 200, b: 7, alpha: 0 })
      .composite([{ input: await plain(10, 5, '#112233').png().toBuffer(), left: 3, top: 4 }])
      .png()
      .toBuffer();
    expect((await sizeOf(clear, { trim: true })).size).toBe('10x5');
  });

  it('finds the same region as a search of all pixels', () => {
    let state = 7;
    const next = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let round = 0; round < 200; round++) {
      const [width, height] = [1 + next(12), 1 + next(12)];
      const data = Buffer.alloc(width * height * 3, 100);
      const marks = Array.from({ length: next(4) }, () => [next(width), next(height)] as const);
      for (const [x, y] of marks) data[(y * width + x) * 3 + next(3)] = 100 + 9 + next(4);
      const far = (x: number, y: number) =>
        [0, 1, 2].some((i) => Math.abs(data[(y * width + x) * 3 + i]! - data[i]!) > 10);
      const all = Array.from(
        { length: width * height },
        (_, i) => [i % width, Math.floor(i / width)] as const,
      );
      const seen = all.filter(([x, y]) => far(x, y));
      const [xs, ys] = [seen.map(([x]) => x), seen.map(([, y]) => y)];
      const [left, top] = [Math.min(...xs), Math.min(...ys)];
      const box = { left, top, width: Math.max(...xs) - left + 1, height: Math.max(...ys) - top + 1 };
      const isAll = seen.length === 0 || (box.width === width && box.height === height);
      const frames = { data, width, height, channels: 3, pages: 1, delays: [], loop: 0 } as const;
      expect(contentOf(frames)).toEqual(isAll ? null : box);
    }
  });
});

describe('the page of a TIFF', () => {
  const page = (width: number, grey: number, more: Partial<Picture> = {}): Picture => ({
    ...{ width, height: 10, photometric: 1, bits: 8, samples: 1 },
    value: () => grey,
    ...more,
  });
  // libvips misreads the layout of the third page.
  const planes = { photometric: 2, samples: 3, bits: 32, planar: true } as const;
  const tiff = writeTiffs([page(11, 50), page(12, 100), page(13, 150 * 2 ** 24, planes)], []);
  const CLOSED = 4_000_000_000;

  it.each([
    [1, '11x10', 50],
    [2, '12x10', 100],
    [3, '13x10', 150],
  ])('is page %i', async (number, size, grey) => {
    const found = await sizeOf(tiff, { page: number });
    expect(found.size).toBe(size);
    expect(await colour(found.bytes)).toEqual(near([grey, grey, grey], 1));
  });

  it('can differ from variant to variant, in any order', async () => {
    const asked = [3, 1, 2, 3].map((number) => exact({ width: null, page: number, name: `p${number}` }));
    const { result, picture } = await rendered(folder, tiff, asked);
    expect(result.outputs.map(({ width }) => width)).toEqual([13, 11, 12, 13]);
    expect(picture).toMatchObject({ width: 11, height: 10 });
  });

  it.each([
    [[3, 2], 2],
    [[3, 1, 2], 1],
    [[3], 3],
  ])('gives the size and colour of the source: of pages %j, page %i', async (asked, first) => {
    const variants = asked.map((number) => exact({ width: null, page: number, name: `p${number}` }));
    const { result, picture } = await rendered(folder, tiff, variants);
    const grey = Number.parseInt(result.dominantColor.slice(-2), 16);
    expect([picture.width, grey]).toEqual([10 + first, ...near([first * 50], 1)]);
  });

  it('can be read before a damaged one', async () => {
    const broken = writeTiffs([page(11, 50), page(12, 100)], [], CLOSED);
    expect((await sizeOf(broken, { page: 2 })).size).toBe('12x10');
    const both = [1, 2].map((number) => exact({ width: null, page: number, name: `p${number}` }));
    const { result } = await rendered(folder, broken, both);
    expect(result.outputs.map(({ width }) => width)).toEqual([11, 12]);
  });

  it('that is not there fails with the number of pages', async () => {
    await expect(sizeOf(tiff, { page: 4 })).rejects.toMatchObject({
      ...{ code: 'outside_picture', message: 'it has no page 4: the TIFF has 3' },
    });
    await expect(sizeOf(red, { page: 2 })).rejects.toMatchObject({
      ...{ code: 'outside_picture', message: 'it has no page 2: only a TIFF has pages, and this is png' },
    });
  });

  it('is read from a file that is too large for the memory', async () => {
    const path = file(folder, tiff);
    const variants = [2, 3].map((number) => exact({ width: null, page: number, name: `p${number}` }));
    const picture = await openPicture(path, LIMITS, variants, 10);
    const orders = variants.map((variant) => ({ variant, path: `${path}.${variant.name}` }));
    const { outputs } = await picture.render(orders);
    await picture.close();
    expect(outputs.map(({ width }) => width)).toEqual([12, 13]);
  });
});

describe('a drawing', () => {
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="12">' +
      '<rect width="24" height="12" fill="#ffffff"/><rect x="7" y="3" width="10" height="6" fill="#000000"/></svg>',
  );

  /** The share of pixels that are neither black nor white: the blur of the four edges. */
  async function greys(bytes: Uint8Array): Promise<number> {
    const { data } = await rgb(bytes);
    return data.filter((byte) => byte > 8 && byte < 247).length / data.length;
  }

  it('is rendered at the size of the variant, with sharp edges', async () => {
    const { size, bytes } = await sizeOf(svg, { width: 1200 }, DRAWINGS);
    expect(size).toBe('1200x600');
    expect(await greys(bytes)).toBeLessThan(0.001);
    const png = await sharp(svg).png().toBuffer();
    expect(await greys((await sizeOf(png, { width: 1200, enlarge: true })).bytes)).toBeGreaterThan(0.03);
  });

  it('keeps its own size without another, and scales by per cent', async () => {
    expect((await sizeOf(svg, {}, DRAWINGS)).size).toBe('24x12');
    expect((await sizeOf(svg, { scale: '50%' }, DRAWINGS)).size).toBe('12x6');
    expect((await sizeOf(svg, { scale: '1000%', enlarge: true }, DRAWINGS)).size).toBe('240x120');
  });

  it('stays sharp in a crop and where its edges are trimmed', async () => {
    const cropped = await sizeOf(svg, { crop: [0, 0, '50%', '100%'], width: 600 }, DRAWINGS);
    expect(cropped.size).toBe('600x600');
    expect(await greys(cropped.bytes)).toBeLessThan(0.005);
    const trimmed = await sizeOf(svg, { trim: true, width: 1000 }, DRAWINGS);
    expect(trimmed.size).toBe('1000x600');
    expect(await colour(trimmed.bytes)).toEqual(near([0, 0, 0]));
  });

  it('is rendered within the limit of pixels', async () => {
    const attempt = sizeOf(svg, { width: 16_000, format: 'png' }, { ...DRAWINGS, pixels: 100_000_000 });
    await expect(attempt).rejects.toMatchObject({ code: 'too_large' });
  });
});
