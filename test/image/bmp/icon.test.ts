import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../../src/image/picture.ts';
import { encoded, exact, file, LIMITS, lopsided, rendered, scratch } from '../pictures.ts';
import { icoOf, type Kind, SIZE } from './bmp-writer.ts';

const folder = scratch();

const isMasked = (x: number, y: number): boolean => (x + 2 * y) % 5 === 0;

async function rgbaOf(source: Buffer): Promise<Uint8Array> {
  const { bytes, picture } = await rendered(folder, source, [exact()]);
  expect(picture).toMatchObject({ format: 'ico', ...SIZE });
  return await sharp(bytes[0]!).toColourspace('srgb').ensureAlpha().raw().toBuffer();
}

/** Colours of invisible pixels do not matter. */
function visible(pixels: Uint8Array): number[] {
  return [...pixels].map((sample, i) => (pixels[i - (i % 4) + 3] === 0 ? 0 : sample));
}

describe('an icon or a cursor', () => {
  const kinds: Kind[] = [
    { bits: 1 },
    { bits: 4 },
    { bits: 8 },
    { bits: 24 },
    { bits: 32 },
    { bits: 32, alpha: true },
  ];
  it.each(kinds)(
    'has the pixels that were drawn, and is transparent by its mask or its alpha: %j',
    async (kind) => {
      for (const type of [1, 2] as const) {
        const { bytes, pixels } = icoOf([{ kind, isMasked }], type);
        expect(visible(await rgbaOf(bytes))).toEqual(visible(pixels));
      }
    },
  );

  it('is its largest picture, and of several the one with most bits', async () => {
    const small = { png: await encoded(lopsided(16, 16)).png().toBuffer(), width: 16, height: 16 };
    const { bytes, pixels } = icoOf([
      small,
      { kind: { bits: 4 }, isMasked },
      { kind: { bits: 24 }, isMasked },
    ]);
    expect(visible(await rgbaOf(bytes))).toEqual(visible(pixels));
  });

  it('is not a PNG without bytes', async () => {
    const large = { png: await encoded(lopsided(300, 280)).png().toBuffer(), width: 0, height: 0 };
    const { bytes, pixels } = icoOf([large, { kind: { bits: 24 }, isMasked }]);
    bytes.writeUInt32LE(0, 14);
    expect(visible(await rgbaOf(bytes))).toEqual(visible(pixels));
  });

  it('is a PNG when that is its largest picture, also above 256 pixels', async () => {
    const drawn = lopsided(300, 280);
    const png = { png: await encoded(drawn).png().toBuffer(), width: 0, height: 0 };
    const { bytes } = icoOf([{ kind: { bits: 32 }, isMasked }, png]);
    const { bytes: made, picture } = await rendered(folder, bytes, [exact()]);
    expect(picture).toMatchObject({ format: 'ico', width: 300, height: 280 });
    expect([...(await sharp(made[0]!).raw().toBuffer())]).toEqual([...drawn.data]);
  });
});

describe('a damaged icon', () => {
  const opened = (bytes: Buffer) => openPicture(file(folder, bytes), LIMITS);
  const { bytes: sound } = icoOf([{ kind: { bits: 8 }, isMasked }]);

  it('is damaged when its only entry points at the icon itself', async () => {
    const looped = Buffer.from(sound);
    looped.writeUInt32LE(0, 18);
    await expect(opened(looped)).rejects.toMatchObject({ code: 'corrupt', message: /none of its pictures/ });
  });

  it('is damaged when it claims 65,535 entries and has none', async () => {
    const many = Buffer.from(sound.subarray(0, 22));
    many.writeUInt16LE(65_535, 4);
    await expect(opened(many)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('is too large when a PNG in it claims more pixels than the limit', async () => {
    const png = await encoded(lopsided(16, 16)).png().toBuffer();
    png.writeUInt32BE(100_000, 16);
    png.writeUInt32BE(100_000, 20);
    const { bytes } = icoOf([{ png, width: 16, height: 16 }]);
    await expect(opened(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^(too_large|corrupt)$/),
    });
  });

  it('is damaged wherever its bitmap is cut short', async () => {
    for (const length of [30, 60, 500, 1200]) {
      await expect(opened(sound.subarray(0, length))).rejects.toMatchObject({ code: 'corrupt' });
    }
  });
});
