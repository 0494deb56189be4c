import sharp from 'sharp';
import { expect, it } from 'vitest';
import { smallOnes } from './every-kind.ts';
import { processDamaged } from './fuzzing.ts';

/** The short form of test/soak/fuzz.soak.ts, with the same pictures every time. */
const SEED = 4;

it.each([
  ['refused or rendered', []],
  ['rendered as far as they can be decoded with --lenient', ['--lenient']],
])('damaged pictures are %s, and nothing else happens', async (_, args) => {
  const tally = await processDamaged([await smallOnes()], { seed: SEED, first: 0, count: 150 }, ...args);
  expect(Object.keys(tally)).toEqual(expect.arrayContaining(['completed', 'corrupt']));
});

it('each damaged picture matches its description', async () => {
  const kinds = (await smallOnes()).map(async ({ name, bytes }) => {
    const { format, ...found } = await sharp(bytes, { animated: true }).metadata();
    return [name, format === 'heif' ? found.compression : format, found] as const;
  });
  const found = await Promise.all(kinds);
  for (const [name, format] of found) expect(name.split('_')[0]).toBe(format === 'av1' ? 'avif' : format);
  expect(Object.fromEntries(found.map(([name, , facts]) => [name, facts]))).toMatchObject({
    jpeg: { isProgressive: false },
    jpeg_progressive: { isProgressive: true, chromaSubsampling: '4:4:4' },
    jpeg_exif: { orientation: 6, exif: expect.anything(), icc: expect.anything() },
    jpeg_gray: { space: 'b-w' },
    jpeg_cmyk: { space: 'cmyk' },
    png_interlaced: { isProgressive: true },
    png_16: { depth: 'ushort' },
    png_palette: { isPalette: true },
    png_exif: { exif: expect.anything() },
    webp_lossless: { hasAlpha: true },
    webp_animated: { pages: 4 },
    gif_animated: { pages: 4 },
  });
});
