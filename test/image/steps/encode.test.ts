import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/image/steps/encode.ts';
import { directoryAt, openTiff } from '../../../src/image/tiff/directory.ts';
import type { Variant } from '../../../src/model.ts';
import { fullVariant, type LooseVariant } from '../../../src/variants/fields.ts';
import { meanDeltaE } from '../delta-e.ts';

const photograph = readFileSync(new URL('../../fixtures/photos/life.jpg', import.meta.url));

/** Pixels of a photograph, 320 wide. */
const { data: pixels, info } = await sharp(photograph)
  .resize(320)
  .raw()
  .toBuffer({ resolveWithObject: true });

async function encoded(fields: Omit<LooseVariant, 'name'>): Promise<Buffer> {
  const variant = fullVariant({ name: 'any', width: 320, ...fields });
  return (await encode(sharp(pixels, { raw: info }), variant, null)).data;
}

const decoded = (bytes: Buffer): Promise<Buffer> => sharp(bytes).toColourspace('srgb').raw().toBuffer();

/** Mean and largest difference of samples, 0 to 255. */
function differences(one: Buffer, other: Buffer): { mean: number; most: number } {
  let [sum, most] = [0, 0];
  for (const [i, sample] of one.entries()) {
    sum += Math.abs(sample - other[i]!);
    most = Math.max(most, Math.abs(sample - other[i]!));
  }
  return { mean: sum / one.length, most };
}

/** Horizontal and vertical sampling of each component by the frame header of a JPEG, and its marker. */
function frameOf(jpeg: Buffer): { readonly marker: number; readonly sampling: string[] } {
  let at = 2;
  while ((jpeg[at + 1]! & 0xf0) !== 0xc0 || jpeg[at + 1] === 0xc4) at += 2 + jpeg.readUInt16BE(at + 2);
  const sampling = Array.from({ length: jpeg[at + 9]! }, (_, i) => jpeg[at + 11 + i * 3]!.toString(16));
  return { marker: jpeg[at + 1]!, sampling };
}

const [BASELINE, PROGRESSIVE] = [0xc0, 0xc2];

describe('a JPEG', () => {
  it('is progressive, and has the pixels of a baseline JPEG in fewer bytes', async () => {
    const [passes, rows] = [
      await encoded({ format: 'jpeg' }),
      await encoded({ format: 'jpeg', progressive: false }),
    ];
    expect([frameOf(passes).marker, frameOf(rows).marker]).toEqual([PROGRESSIVE, BASELINE]);
    expect(passes.length).toBeLessThan(rows.length);
    expect((await decoded(passes)).equals(await decoded(rows))).toBe(true);
  });

  it.each([0, 1, 2])('is baseline on request, even with effort %i', async (effort) => {
    const bytes = await encoded({ format: 'jpeg', effort, progressive: false });
    expect(frameOf(bytes).marker).toBe(BASELINE);
  });

  it('of few bytes is baseline where that is smaller', async () => {
    const small = await encoded({ format: 'jpeg', quality: 5 });
    expect(small).toEqual(await encoded({ format: 'jpeg', quality: 5, progressive: false }));
  });

  it.each([
    [{ quality: 89 }, ['22', '11', '11']],
    [{ quality: 90 }, ['11', '11', '11']],
    [{ quality: 50, chroma: '444' }, ['11', '11', '11']],
    [{ quality: 95, chroma: '420' }, ['22', '11', '11']],
  ] as const)('of %j samples its colours so', async (fields, sampling) => {
    expect(frameOf(await encoded({ format: 'jpeg', ...fields })).sampling).toEqual(sampling);
  });

  it('is smaller with each step of effort', async () => {
    const sizes = await Promise.all(
      [0, 1, 2].map(async (effort) => (await encoded({ format: 'jpeg', effort })).length),
    );
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => b - a));
  });
});

describe('a WebP', () => {
  it('keeps red text on blue closer to its colours with chroma=sharp', async () => {
    const width = 64;
    const isRed = (x: number, y: number) => (x + y) % 7 < 2;
    const stripes = Buffer.from(
      Array.from({ length: width * width }, (_, i) =>
        isRed(i % width, Math.floor(i / width)) ? [255, 0, 0] : [0, 0, 255],
      ).flat(),
    );
    const made = async (chroma: Variant['chroma']): Promise<number> => {
      const variant = fullVariant({ name: 'any', width, chroma });
      const pipeline = sharp(stripes, { raw: { width, height: width, channels: 3 } });
      return meanDeltaE(await decoded((await encode(pipeline, variant, null)).data), stripes);
    };
    expect(await made('sharp')).toBeLessThan((await made('auto')) * 0.95);
  });

  it('with nearlossless differs by at most one from quality 80 on, and is smaller than lossless', async () => {
    const near = await encoded({ nearlossless: true });
    const { most } = differences(await decoded(near), pixels);
    expect([most > 0, most <= 1]).toEqual([true, true]);
    expect(near.length).toBeLessThan((await encoded({ lossless: true })).length);
  });
});

describe('an AVIF', () => {
  it.each([8, 10, 12] as const)('has %i bits per sample', async (bitdepth) => {
    const bytes = await encoded({ format: 'avif', quality: 90, effort: 0, bitdepth });
    expect((await sharp(bytes).metadata()).bitsPerSample).toBe(bitdepth);
    expect(differences(await decoded(bytes), pixels).mean).toBeLessThan(6);
  });

  it.each([
    ['auto', 0],
    ['420', 1],
  ] as const)('with chroma=%s halves both sides of its colours %i times', async (chroma, halved) => {
    const bytes = await encoded({ format: 'avif', effort: 0, chroma });
    // AV1 Codec ISO Media File Format Binding, 2.3.3: the third byte has both flags.
    const flags = bytes[bytes.indexOf('av1C') + 6]!;
    expect([(flags >> 3) & 1, (flags >> 2) & 1]).toEqual([halved, halved]);
  });
});

describe('a GIF', () => {
  it('keeps a picture of few colours, and what is transparent', async () => {
    const colours = [
      [255, 0, 0, 255],
      [0, 128, 0, 255],
      [0, 0, 0, 0],
    ];
    const [width, height] = [30, 20];
    const data = Buffer.from(Array.from({ length: width * height }, (_, i) => colours[i % 3]!).flat());
    const variant = fullVariant({ name: 'any', width, format: 'gif' });
    const made = await encode(sharp(data, { raw: { width, height, channels: 4 } }), variant, null);
    expect(made).toMatchObject({ width, height });
    const found = await sharp(made.data).metadata();
    expect([found.format, found.pages ?? 1]).toEqual(['gif', 1]);
    expect((await sharp(made.data).ensureAlpha().raw().toBuffer()).equals(data)).toBe(true);
  });

  it('of a photograph has at most 256 colours, near those of the photograph', async () => {
    const made = await decoded(await encoded({ format: 'gif' }));
    const colours = new Set(Array.from({ length: made.length / 3 }, (_, i) => made.readUIntBE(i * 3, 3)));
    expect(colours.size).toBeLessThanOrEqual(256);
    expect(differences(made, pixels).mean).toBeLessThan(12);
  });
});

describe('a TIFF', () => {
  it('keeps every pixel, and claims no density', async () => {
    const bytes = await encoded({ format: 'tiff' });
    const found = await sharp(bytes).metadata();
    expect([found.format, found.channels]).toEqual(['tiff', 3]);
    expect((await decoded(bytes)).equals(pixels)).toBe(true);
    const tiff = openTiff((at, length) => bytes.subarray(at, at + length), bytes.length)!;
    expect(directoryAt(tiff, tiff.first)?.number(296)).toBe(1);
  });

  it('keeps transparency as it is', async () => {
    const [width, height] = [16, 16];
    const data = Buffer.from(
      Array.from({ length: width * height }, (_, i) => [i, 255 - i, 90, (i * 7) & 255]).flat(),
    );
    const variant = fullVariant({ name: 'any', width, format: 'tiff' });
    const made = await encode(sharp(data, { raw: { width, height, channels: 4 } }), variant, null);
    expect((await sharp(made.data).raw().toBuffer()).equals(data)).toBe(true);
  });

  it('of a grey picture has one channel', async () => {
    const variant = fullVariant({ name: 'any', width: 320, format: 'tiff', grayscale: true });
    const made = await encode(sharp(pixels, { raw: info }).grayscale().toColourspace('b-w'), variant, null);
    expect((await sharp(made.data).metadata()).channels).toBe(1);
  });
});
