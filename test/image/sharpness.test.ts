import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { scaleDown } from '../bench/lanczos.js';
import { ssim } from '../bench/ssim.js';
import { exact, rendered, scratch, shared } from './pictures.ts';

const folder = scratch();

interface Plane {
  readonly plane: Float64Array;
  readonly width: number;
  readonly height: number;
}

/** Luminance by ITU-R BT.601, 0 to 255. */
async function luminance(bytes: Uint8Array): Promise<Plane> {
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const plane = Float64Array.from(
    { length: width * height },
    (_, i) => 0.299 * data[i * channels]! + 0.587 * data[i * channels + 1]! + 0.114 * data[i * channels + 2]!,
  );
  return { plane, width, height };
}

/** SSIM of each output, by width in pixels, against Lanczos in float64 of the picture decoded at full size. */
async function likeness(source: Uint8Array, widths: number[]): Promise<number[]> {
  const whole = await luminance(source);
  const variants = widths.map((width) => exact({ name: `w${width}`, width }));
  const { bytes } = await rendered(folder, source, variants);
  return Promise.all(
    bytes.map(async (each) => {
      const { plane, ...size } = await luminance(each);
      return ssim(plane, scaleDown(whole.plane, whole, size), size);
    }),
  );
}

/** Black stems of letters on white: bars of 2 to 7 pixels in rows of 9 to 40 pixels, from a fixed sequence. */
function stems(width: number, height: number) {
  const data = Buffer.alloc(width * height, 255);
  let state = 1;
  const next = (from: number, to: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return from + (state % (to - from + 1));
  };
  for (let y = 6; y < height; ) {
    const bottom = Math.min(height, y + next(9, 40));
    for (let x = 4; x < width; ) {
      const right = Math.min(width, x + next(2, 7));
      for (let row = y; row < bottom; row++) data.fill(0, row * width + x, row * width + right);
      x = right + next(4, 15);
    }
    y = bottom + next(6, 20);
  }
  return sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('srgb');
}

const table: Record<string, string | number>[] = [];
afterAll(() => {
  if (process.env.SHOW_TABLES !== undefined) console.table(table);
});

describe('scaled-down text', () => {
  it.each([
    [1800, 'jpeg'],
    [2400, 'jpeg'],
    [3600, 'jpeg'],
    [4800, 'jpeg'],
    [3601, 'jpeg'],
    [4001, 'jpeg'],
    [3602, 'webp'],
    [1800, 'webp'],
    [2600, 'webp'],
    [4800, 'webp'],
    [2600, 'png'],
  ] as const)('keeps stems even, from %i pixels across as %s', async (width, format) => {
    const source = await stems(width, width % 2 === 0 ? 400 : 403)
      .toFormat(format, { quality: 95 })
      .toBuffer();
    const [large = 0, medium = 0, half = 0, small = 0] = await likeness(source, [1200, 800, 600, 150]);
    table.push({ source: `${width} px, ${format}`, 1200: large, 800: medium, 600: half, 150: small });
    expect(Math.min(large, medium)).toBeGreaterThan(0.995);
    expect(half).toBeGreaterThan(0.993);
    expect(small).toBeGreaterThan(0.99);
  });
});

describe('the shared folder of sharpness', () => {
  const cases = shared('cases/sharpness');

  it.runIf(cases !== null).each(['jpeg-text-dct-halved.jpg', 'webp-source-soft.webp'])(
    'has %s, and its output is as sharp as Lanczos in float64',
    async (name) => {
      const source = readFileSync(join(cases!, name));
      for (const found of await likeness(source, [1200, 800])) expect(found).toBeGreaterThan(0.995);
    },
  );
});
