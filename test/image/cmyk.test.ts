import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { meanDeltaE } from './delta-e.ts';
import { exact, rendered, scratch } from './pictures.ts';
import { writeTiff } from './tiff/write.ts';

const folder = scratch();

/**
 * Inks, 0 to 255, and their sRGB by lcms 2.19 (Pillow 12.3, perceptual intent) with the CMYK profile that libvips carries,
 * which pictures without a profile get. lcms before 2.19 takes the darkest ink as neutral, and is up to 12 CIEDE2000 away.
 */
const COLOURS = [
  [
    [0, 0, 0, 0],
    [255, 255, 255],
  ],
  [
    [255, 0, 0, 0],
    [0, 153, 227],
  ],
  [
    [0, 255, 0, 0],
    [234, 0, 128],
  ],
  [
    [0, 0, 255, 0],
    [255, 240, 0],
  ],
  [
    [0, 0, 0, 255],
    [20, 5, 0],
  ],
  [
    [128, 64, 32, 16],
    [116, 147, 174],
  ],
  [
    [30, 180, 200, 10],
    [204, 88, 56],
  ],
  [
    [255, 255, 0, 0],
    [32, 6, 117],
  ],
  [
    [60, 50, 50, 100],
    [128, 126, 125],
  ],
] as const;

/** Mean CIEDE2000. */
const WITHIN = 0.5;

const SEPARATED = 5;
const expected = Buffer.from(COLOURS.flatMap(([, rgb]) => rgb));

/** One pixel for each colour. */
function strip(bits: 8 | 16): Buffer {
  const unit = bits === 8 ? 1 : 257;
  return writeTiff({
    ...{ width: COLOURS.length, height: 1, photometric: SEPARATED, samples: 4, bits },
    value: (x, _, sample) => COLOURS[x]![0][sample]! * unit,
  });
}

describe('CMYK without a profile', () => {
  it.each([8, 16] as const)('as a TIFF of %i bits has the colours of lcms', async (bits) => {
    const { bytes } = await rendered(folder, strip(bits), [exact()]);
    const found = await sharp(bytes[0]).toColourspace('srgb').raw().toBuffer();
    expect(meanDeltaE(found, expected)).toBeLessThan(WITHIN);
  });

  it('as a JPEG has the colours of lcms', async () => {
    // Patches of whole blocks, which a JPEG keeps.
    const [width, height] = [COLOURS.length * 16, 16];
    const inks = Buffer.from(
      Array.from({ length: width * height }, (_, i) => COLOURS[Math.floor((i % width) / 16)]![0]).flat(),
    );
    const tiff = writeTiff({
      ...{ width, height, photometric: SEPARATED, samples: 4, bits: 8 },
      value: (x, y, sample) => inks[(y * width + x) * 4 + sample]!,
    });
    // Without conversion: a CMYK pipeline keeps its inks.
    const jpeg = await sharp(tiff)
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
    expect((await sharp(jpeg).metadata()).hasProfile).toBe(false);
    const { bytes } = await rendered(folder, jpeg, [exact()]);
    const row = await sharp(bytes[0])
      .extract({ left: 0, top: 8, width, height: 1 })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    const middles = COLOURS.flatMap((_, i) => [...row.subarray((i * 16 + 8) * 3, (i * 16 + 9) * 3)]);
    expect(meanDeltaE(Buffer.from(middles), expected)).toBeLessThan(WITHIN);
  });
});
