import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exact, rendered, scratch } from '../pictures.ts';
import { bmpOf, type Drawn, SIZE } from './bmp-writer.ts';
import { KINDS } from './kinds.ts';

const folder = scratch();

/** The largest difference of any sample between a rendered picture and the drawn one. */
async function farthest({ bytes: source, pixels }: Drawn): Promise<number> {
  const { bytes } = await rendered(folder, source, [exact()]);
  const { data, info } = await sharp(bytes[0]!)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject(SIZE);
  return data.reduce((most, sample, i) => Math.max(most, Math.abs(sample - pixels[i]!)), 0);
}

describe('a BMP', () => {
  it.each(Object.entries(KINDS))('has the pixels that were drawn: %s', async (_, kind) => {
    expect(await farthest(bmpOf(kind))).toBe(0);
  });
});
