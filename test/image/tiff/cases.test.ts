import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { meanDeltaE } from '../delta-e.ts';
import { difference, exact, file, rendered, rgb, scratch, shared } from '../pictures.ts';
import { pictureOf } from './colours.ts';
import { type Picture, writeTiff } from './write.ts';

const folder = scratch();
const cases = shared('cases');
const at = (name: string): string => join(cases!, name);
const output = async (name: string) => (await rendered(folder, at(name), [exact()])).bytes[0]!;

describe.skipIf(cases === null)('the TIFFs of users', () => {
  it('include a camera raw file with a preview first, which is refused', async () => {
    await expect(output('raw-thumbnail-completed/photo.nef')).rejects.toMatchObject({
      code: 'unsupported_format',
      message: /Nikon NEF camera raw/,
    });
  });

  it.each(['printim.tif', 'tags28.tif'])(
    'include an ordinary picture with camera tags, which is read: %s',
    async (name) => {
      expect(await sharp(await output(`tiff-taken-for-raw/${name}`)).metadata()).toMatchObject({ width: 80 });
    },
  );

  it('include a truncated tiled picture, which is refused unlike its complete copy', async () => {
    await expect(output('tiled-tiff-cut/cut.tif')).rejects.toMatchObject({ code: 'corrupt' });
    expect(await sharp(await output('tiled-tiff-cut/whole.tif')).metadata()).toMatchObject({ width: 320 });
  });

  it('include one with ZSTD compression, which the error names', async () => {
    await expect(output('unsupported-called-damaged/zstd.tif')).rejects.toMatchObject({
      code: 'unsupported_format',
      message: /ZSTD/,
    });
  });

  it('include floating-point grey, which becomes its values times 255', async () => {
    const bytes = readFileSync(at('tiff-silently-wrong/float-gray.tif'));
    expect(bytes.readUInt32LE(4)).toBe(8);
    const found = await rgb(await output('tiff-silently-wrong/float-gray.tif'));
    // A gradient from left to right, as its author created it.
    const row = [0, 80, 160, 240].map((x) => found.data[(100 * 320 + x) * 3]);
    expect(row).toEqual([0, 63, 127, 191]);
  });

  it.each(['colour/float-srgb-icc.tif', 'colour/lab8.tif'])(
    'include other sample formats, which show the same picture: %s',
    async (name) => {
      const base = await rgb(readFileSync(at('colour/base.png')));
      expect(difference(await rgb(await output(name)), base)).toBeLessThan(1);
    },
  );
});

describe('floating-point RGB', () => {
  const value = (x: number, y: number, sample: number): number => [x / 40, y / 30, 0.4][sample]!;
  const picture: Picture = {
    width: 40,
    height: 30,
    photometric: 2,
    samples: 3,
    bits: 32,
    format: 'float',
    value,
  };

  it('with an sRGB profile becomes its values times 255', async () => {
    const profile = (
      await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
        .withIccProfile('srgb')
        .png()
        .toBuffer()
        .then((png) => sharp(png).metadata())
    ).icc!;
    const tags = [{ tag: 34_675, type: 7, values: [...profile] }];
    const { bytes } = await rendered(folder, file(folder, writeTiff({ ...picture, tags })), [exact()]);
    const expected = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return Math.round(value(pixel % 40, Math.floor(pixel / 40), i % 3) * 255);
    });
    expect(difference(await rgb(bytes[0]!), { data: expected, width: 40, height: 30 })).toBeLessThan(1);
  });

  it('with a Display P3 profile is converted to sRGB', async () => {
    const { icc } = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .withIccProfile('p3')
      .png()
      .toBuffer()
      .then((png) => sharp(png).metadata());
    const tags = [{ tag: 34_675, type: 7, values: [...icc!] }];
    const bytes = writeTiff({ ...picture, tags, value: (_x, _y, sample) => [0.9, 0.4, 0.3][sample]! });
    const { bytes: outputs } = await rendered(folder, file(folder, bytes), [exact()]);
    const { data } = await rgb(outputs[0]!);
    // By the matrices of SMPTE EG 432-1 and IEC 61966-2-1 in double precision.
    [...data.subarray(0, 3)].forEach((found, i) => {
      expect(Math.abs(found - [247.5, 91.3, 66][i]!)).toBeLessThan(2);
    });
  });
});

describe('floating-point Lab', () => {
  const layout = { kind: 'Lab', bits: 32, format: 'float', alpha: 'no' } as const;
  const { picture, expected } = pictureOf(layout);

  it('shows the same picture as its conversion in double precision', async () => {
    const { bytes } = await rendered(folder, file(folder, writeTiff(picture)), [exact()]);
    const wanted = Uint8Array.from({ length: picture.width * picture.height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return Math.round(expected(pixel % picture.width, Math.floor(pixel / picture.width))[i % 3]! * 255);
    });
    expect(meanDeltaE((await rgb(bytes[0]!)).data, wanted)).toBeLessThan(0.1);
  });

  it.each(['none', 'lzw'] as const)(
    'written by libvips with %s compression shows its picture',
    async (compression) => {
      const data = Buffer.alloc(40 * 30 * 4).map((_, i) => 60 + ((i * 7) % 190));
      const written = sharp(data, { raw: { width: 40, height: 30, channels: 4 } }).toColourspace('lab');
      const bytes = await written.tiff({ compression, predictor: 'horizontal' }).toBuffer();
      const { bytes: made } = await rendered(folder, file(folder, bytes), [exact()]);
      const found = await sharp(made[0]!).raw().toBuffer();
      expect(Math.max(...found.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThanOrEqual(1);
    },
  );

  it('can have colours outside sRGB', async () => {
    const value = (_x: number, _y: number, sample: number): number => [60, -100, 90][sample]!;
    const { bytes } = await rendered(folder, file(folder, writeTiff({ ...picture, value })), [exact()]);
    expect([...(await rgb(bytes[0]!)).data.subarray(0, 3)]).toEqual([0, 177, 0]);
  });

  it.each([
    ['0 to 1', 1, '0 to 1'],
    ['0 to 255', 255, '0 to 255'],
  ])('with a lightness of %s is refused', async (_, most, range) => {
    const value = (x: number, _y: number, sample: number): number =>
      sample === 0 ? (x / 39) * most : most / 2;
    await expect(
      rendered(folder, file(folder, writeTiff({ ...picture, value })), [exact()]),
    ).rejects.toMatchObject({
      code: 'unsupported_format',
      message: expect.stringContaining(`a lightness that is not 0 to 100 (but ${range})`),
    });
  });
});
