import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../../src/image/picture.ts';
import { box } from '../avif-writer.ts';
import { exact, file, LIMITS, rendered, scratch } from '../pictures.ts';
import { coded, fixture, grid, heicOf, irot, nclx, TILE } from './heic-writer.ts';

const folder = scratch();

interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

async function pixelsOf(picture: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(picture)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** The picture as heif-convert 1.15 decodes it, with its colours converted to sRGB in float64. */
const expected = (name: string): Promise<Pixels> => pixelsOf(fixture(`${name}.png`));

/** The largest difference of any sample. */
async function farthest(heic: Buffer, { data, ...size }: Pixels): Promise<number> {
  const { bytes, picture } = await rendered(folder, heic, [exact()]);
  expect(picture).toMatchObject({ format: 'heic', ...size });
  const found = await pixelsOf(bytes[0]!);
  return found.data.reduce((most, sample, i) => Math.max(most, Math.abs(sample - data[i]!)), 0);
}

describe('a HEIC', () => {
  it.each([
    ['with 8 bits', 'plain', 1],
    ['with transparency', 'alpha', 1],
    // A difference of one grows where a colour leaves the gamut of sRGB.
    ['with the profile of Display P3', 'p3', 8],
    ['with 10 bits', 'ten', 2],
  ])('has the pixels that libheif’s own tool decodes: %s', async (_, name, most) => {
    expect(await farthest(fixture(`${name}.heic`), await expected(name))).toBeLessThanOrEqual(most);
  });

  it('has the colours of its code points', async () => {
    expect(
      await farthest(heicOf([coded('plain.heic', nclx(12, 13))]), await expected('nclx')),
    ).toBeLessThanOrEqual(8);
  });

  it('is estimated with all memory that the decoder may take', async () => {
    const { width, height } = TILE;
    const [eight, ten] = await Promise.all(
      ['plain', 'ten'].map(async (name) => {
        const { facts, close } = await openPicture(file(folder, fixture(`${name}.heic`)), LIMITS, [exact()]);
        await close();
        return facts.memory;
      }),
    );
    expect(eight).toBeGreaterThan(48 * 2 ** 20 + width * height * 14);
    expect(ten! - eight!).toBeGreaterThanOrEqual(width * height * 10);
  });

  it('is turned upright by its rotation', async () => {
    const turned = sharp(fixture('plain.png')).rotate(270);
    expect(
      await farthest(heicOf([coded('plain.heic', irot(1))]), await pixelsOf(await turned.png().toBuffer())),
    ).toBeLessThanOrEqual(1);
  });

  it('is put together from its tiles, and cropped to its size', async () => {
    const names = ['plain', 'second', 'second', 'plain'];
    const tiles = names.map((name) => ({ ...coded(`${name}.heic`), hidden: true }));
    const heic = heicOf([grid(2, 2, 120, 100), ...tiles], 1, [{ type: 'dimg', from: 1, to: [2, 3, 4, 5] }]);
    const whole = sharp({ create: { width: 128, height: 128, channels: 3, background: 'black' } }).composite(
      names.map((name, i) => ({
        input: fixture(`${name}.png`),
        left: (i % 2) * TILE.width,
        top: Math.floor(i / 2) * TILE.height,
      })),
    );
    const cropped = sharp(await whole.png().toBuffer()).extract({ left: 0, top: 0, width: 120, height: 100 });
    expect(await farthest(heic, await pixelsOf(await cropped.png().toBuffer()))).toBeLessThanOrEqual(1);
  });

  it('is the primary picture of a burst', async () => {
    const burst = heicOf([coded('plain.heic'), coded('second.heic'), coded('plain.heic')], 2);
    expect(await farthest(burst, await expected('second'))).toBeLessThanOrEqual(1);
  });

  it('is the picture beside its depth and its thumbnail', async () => {
    const depth = box('auxC', Buffer.from('\0\0\0\0urn:mpeg:hevc:2015:auxid:2\0', 'latin1'));
    const items = [coded('plain.heic'), coded('second.heic', depth), coded('second.heic')];
    const heic = heicOf(items, 1, [
      { type: 'auxl', from: 2, to: [1] },
      { type: 'thmb', from: 3, to: [1] },
    ]);
    expect(await farthest(heic, await expected('plain'))).toBeLessThanOrEqual(1);
  });
});
