import { describe, expect, it } from 'vitest';
import { detect } from '../../src/image/detect.ts';
import { openPicture } from '../../src/image/picture.ts';
import { jpegOf, type Made, segment } from './jpegs.ts';
import { encoded, exact, file, LIMITS, lopsided, rendered, rgb, scratch, variant } from './pictures.ts';

const folder = scratch();
const COLOURS = [82, 71, 66];

const EIGHT_BITS = 'save it as an 8-bit JPEG or as PNG first';
const BASELINE = 'save it as a baseline JPEG or as PNG first';
const COLOURS_FIX = 'save it as a grey or RGB JPEG or as PNG first';

describe('a sound JPEG of an unsupported kind', () => {
  it.each<[string, Made, string]>([
    ['12-bit JPEG', { precision: 12, frame: 0xc1 }, EIGHT_BITS],
    ['12-bit JPEG', { precision: 12, frame: 0xc2 }, EIGHT_BITS],
    ['12-bit JPEG', { precision: 12, frame: 0xc3 }, EIGHT_BITS],
    ['16-bit JPEG', { precision: 16, frame: 0xc3 }, EIGHT_BITS],
    ['2-bit JPEG', { precision: 2, frame: 0xc3 }, EIGHT_BITS],
    ['lossless JPEG with arithmetic coding', { frame: 0xcb }, BASELINE],
    ['hierarchical JPEG', { frame: 0xc5 }, BASELINE],
    ['hierarchical JPEG', { frame: 0xce }, BASELINE],
    ['JPEG-LS', { frame: 0xf7 }, BASELINE],
    ['JPEG with 2 colour components', { ids: [1, 2] }, COLOURS_FIX],
    ['JPEG with 5 colour components', { ids: [1, 2, 3, 4, 5] }, COLOURS_FIX],
    [
      'JPEG that tells its height behind its first scan (DNL)',
      { statedHeight: 0, tail: Buffer.concat([segment(0xdc, 0, 48), Buffer.from([0xff, 0xd9])]) },
      BASELINE,
    ],
  ])('is named before decoding, even with lenient: %s (%j)', async (name, made, fix) => {
    for (const lenient of [false, true]) {
      await expect(openPicture(file(folder, jpegOf(made)), { ...LIMITS, lenient })).rejects.toMatchObject({
        code: 'unsupported_format',
        message: `the decoder cannot read ${name}`,
        fix,
      });
    }
  });

  it('is named by the decoder’s message when its structure does not show the kind', async () => {
    // The decoder does not convert lossless JPEGs between colours, and JFIF declares luminance and chrominance.
    const jfif = segment(0xe0, ...Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'));
    const plain = jpegOf({ frame: 0xc3, ids: [1, 2, 3] });
    const source = Buffer.concat([plain.subarray(0, 2), jfif, plain.subarray(2)]);
    await expect(rendered(folder, source, [variant()])).rejects.toMatchObject({
      code: 'unsupported_format',
      message: 'the decoder cannot read lossless JPEG in these colours',
      fix: BASELINE,
    });
  });
});

describe('a JPEG of a rare but supported kind', () => {
  it.each<[string, Made]>([
    ['baseline', {}],
    ['extended', { frame: 0xc1 }],
    ['extended, in colour', { frame: 0xc1, ids: COLOURS }],
    ['lossless and grey', { frame: 0xc3 }],
    ['lossless in RGB', { frame: 0xc3, ids: COLOURS }],
  ])('is rendered: %s', async (_, made) => {
    const { bytes } = await rendered(folder, jpegOf(made), [exact()]);
    const { data, width, height } = await rgb(bytes[0]!);
    expect([width, height]).toEqual([64, 48]);
    expect(data.every((sample) => sample === 128)).toBe(true);
  });
});

describe('a JPEG with a contradictory frame header', () => {
  it('is damaged rather than unsupported', async () => {
    const header = jpegOf().indexOf(Buffer.from([0xff, 0xc0])) + 4;
    for (const [at, byte] of [
      [header, 13],
      [header + 5, 2],
    ] as const) {
      const source = jpegOf();
      source[at] = byte;
      expect(await detect(source, false)).toBe('jpeg');
      await expect(rendered(folder, source, [variant()])).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('is damaged when its height is zero and no DNL marker gives one', async () => {
    const source = jpegOf({ statedHeight: 0 });
    await expect(rendered(folder, source, [variant()])).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('a PNG optimised by Xcode', () => {
  it('is named with the command that converts it back', async () => {
    const png = await encoded(lopsided(20, 20)).png().toBuffer();
    const cgbi = Buffer.from('0000000443674249500020062c b87766'.replace(' ', ''), 'hex');
    const source = Buffer.concat([png.subarray(0, 8), cgbi, png.subarray(8)]);
    await expect(detect(source, false)).rejects.toMatchObject({
      code: 'unsupported_format',
      message: expect.stringContaining('CgBI'),
      fix: expect.stringContaining('pngcrush -revert-iphone-optimizations'),
    });
  });
});
