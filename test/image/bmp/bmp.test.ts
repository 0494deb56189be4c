import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../../src/image/picture.ts';
import { rgbProfile } from '../icc-writer.ts';
import { exact, file, LIMITS, rendered, scratch } from '../pictures.ts';
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

describe('the profile in a BMP', () => {
  it('is applied', async () => {
    const kind = { bits: 24, header: 124, profile: rgbProfile('srgb', 1) } as const;
    const { bytes } = await rendered(folder, bmpOf(kind).bytes, [exact()]);
    const found = await sharp(bytes[0]!).removeAlpha().raw().toBuffer();
    const linear = bmpOf({ bits: 24 }).pixels.filter((_, i) => i % 4 < 3);
    const expected = [...linear].map((v) =>
      v / 255 <= 0.0031308 ? v * 12.92 : (1.055 * (v / 255) ** (1 / 2.4) - 0.055) * 255,
    );
    expect(Math.max(...expected.map((v, i) => Math.abs(v - found[i]!)))).toBeLessThan(1.5);
  });
});

describe('a damaged BMP', () => {
  const opened = (bytes: Buffer, limits = LIMITS) => openPicture(file(folder, bytes), limits);
  /** A copy whose header states another value at this offset. */
  function stating(bytes: Buffer, at: number, value: number): Buffer {
    const changed = Buffer.from(bytes);
    changed.writeInt32LE(value, at);
    return changed;
  }
  const sound = bmpOf({ bits: 24 }).bytes;

  it.each([
    ['2^31 rows', 22, -(2 ** 31), 'too_large'],
    ['2^31 - 1 columns', 18, 2 ** 31 - 1, 'too_large'],
    ['no column', 18, 0, 'corrupt'],
    ['negative columns', 18, -5, 'corrupt'],
    ['more rows than it has', 22, 24, 'corrupt'],
    ['pixels behind its end', 10, 2 ** 31 - 1, 'corrupt'],
    ['17 bits', 28, 17, 'unsupported_format'],
    ['JPEG inside', 30, 4, 'unsupported_format'],
    ['a compression that does not exist', 30, 77, 'unsupported_format'],
  ])('is refused with a code when it claims %s', async (_, at, value, code) => {
    await expect(opened(stating(sound, at, value))).rejects.toMatchObject({ code });
  });

  it('keeps to the limit of pixels', async () => {
    const small = { ...LIMITS, pixels: SIZE.width * SIZE.height - 1 };
    await expect(opened(sound, small)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('is refused when it is cut short, and read in part with lenient', async () => {
    for (const kind of [{ bits: 24 }, { bits: 8, runs: true }] as const) {
      const { bytes, pixels } = bmpOf(kind);
      // The lowest rows are stored first.
      const cut = bytes.subarray(0, bytes.length - 300);
      await expect(rendered(folder, cut, [exact()])).rejects.toMatchObject({
        code: 'corrupt',
        fix: /lenient/,
      });
      const { bytes: made, result } = await rendered(folder, cut, [exact()], { ...LIMITS, lenient: true });
      const found = await sharp(made[0]!).toColourspace('srgb').ensureAlpha().raw().toBuffer();
      expect(result.degraded).toBe(true);
      expect([...found.subarray(-SIZE.width * 4)]).toEqual([...pixels.subarray(-SIZE.width * 4)]);
    }
  });

  it('does not write beyond the picture, whatever its runs say', async () => {
    const { bytes } = bmpOf({ bits: 8, runs: true });
    const start = bytes.readUInt32LE(10);
    for (let seed = 1; seed <= 200; seed++) {
      const changed = Buffer.from(bytes);
      for (let at = start; at < changed.length; at += 1 + ((seed * 31) % 17))
        changed[at] = (seed * 7919 + at * 104_729) >> 3;
      const made = await rendered(folder, changed, [exact({ effort: 0 })], { ...LIMITS, lenient: true });
      expect(made.picture).toMatchObject(SIZE);
    }
  });
});

describe('a BMP that is far too short for its size', () => {
  it.each([
    ['in runs', { bits: 8, runs: true }, false],
    ['with plain pixels, even if damage is accepted', { bits: 24 }, true],
  ] as const)('is refused before its pixels take memory: %s', async (_, kind, lenient) => {
    const bytes = Buffer.from(bmpOf(kind).bytes);
    bytes.writeInt32LE(4_000_000, 18);
    const opened = openPicture(file(folder, bytes), { ...LIMITS, lenient }, [exact()]);
    await expect(opened).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('it is too short for its size'),
    });
  });
});
