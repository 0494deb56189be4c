import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../../src/image/picture.ts';
import { exact, file, LIMITS, rendered, scratch } from '../pictures.ts';
import { type Entry, type Picture, writeTiff, writeTiffs } from './write.ts';

const folder = scratch();

const value = (x: number, y: number, sample: number): number => (x * 3 + y * 2 + sample * 60) & 255;
const RGB: Picture = { width: 90, height: 60, photometric: 2, samples: 3, bits: 8, packing: 'lzw', value };
const LAYOUTS: Picture[] = [null, 32].flatMap((tile) =>
  [false, true].flatMap((bigEndian) =>
    [false, true].map((bigTiff) => ({ ...RGB, tile, bigEndian, bigTiff })),
  ),
);

/** The greatest difference between an output's samples and the written samples. */
async function maxDifference(bytes: Buffer, expected = value): Promise<number> {
  const { bytes: outputs, result } = await rendered(folder, bytes, [exact()]);
  expect(result.degraded).toBe(false);
  const { data, info } = await sharp(outputs[0]).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return data.reduce((most, sample, i) => {
    const [at, channel] = [Math.floor(i / info.channels), i % info.channels];
    return Math.max(most, Math.abs(sample - expected(at % info.width, Math.floor(at / info.width), channel)));
  }, 0);
}

describe('a sound TIFF', () => {
  const ODD: [string, Entry[]][] = [
    [
      'private tags',
      [
        { tag: 65_000, type: 3, values: [1, 2, 3] },
        { tag: 50_838, type: 4, values: [9, 9, 9] },
      ],
    ],
    ['a text that does not end', [{ tag: 270, type: 2, values: [...Buffer.from('no end')] }]],
    [
      'a resolution of nothing',
      [
        { tag: 282, type: 5, values: [0] },
        { tag: 283, type: 5, values: [0] },
      ],
    ],
    ['EXIF that lies outside', [{ tag: 34_665, type: 4, values: [4_000_000_000] }]],
    ['a tag of an unknown type', [{ tag: 305, type: 99, values: [1, 2, 3, 4, 5] }]],
    [
      'a repeated tag',
      [
        { tag: 274, type: 3, values: [1] },
        { tag: 274, type: 3, values: [1] },
      ],
    ],
    ['a profile that is none', [{ tag: 34_675, type: 7, values: [1, 2, 3, 4, 5, 6, 7] }]],
    ['a description of the wrong type', [{ tag: 271, type: 3, values: [1, 2, 3, 4] }]],
  ];

  it.each(ODD)('with %s is read', async (_, tags) => {
    for (const layout of LAYOUTS) expect(await maxDifference(writeTiff({ ...layout, tags }))).toBe(0);
  });

  it('of single-row strips or a single strip is read', async () => {
    for (const rowsPerStrip of [1, 60]) {
      for (const packing of ['none', 'deflate', 'packbits'] as const)
        expect(await maxDifference(writeTiff({ ...RGB, packing, rowsPerStrip }))).toBe(0);
    }
  });

  it('of uncompressed pixels with a wrong byte count is read', async () => {
    const bytes = writeTiff({ ...RGB, packing: 'none', rowsPerStrip: 60 });
    // The entry of StripByteCounts: 279, one number of 4 bytes.
    const at = bytes.indexOf(Buffer.from([0x17, 1, 4, 0, 1, 0, 0, 0]));
    bytes.writeUInt32LE(77, at + 8);
    expect(await maxDifference(bytes)).toBe(0);
  });
});

describe('the directories after the first', () => {
  const page = (): Picture => ({ ...RGB, width: 20, height: 10 });

  it.each([
    ['lies outside the file', 0x7fff_fff0],
    ['lies among the pixels', 50],
    ['lies in the header', 2],
  ])('do not matter when one of them %s', async (_, next) => {
    for (const layout of LAYOUTS) {
      expect(await maxDifference(writeTiffs([layout], [], next))).toBe(0);
      expect(await maxDifference(writeTiffs([layout, page()], [], next))).toBe(0);
    }
  });

  it('do not matter when one of them is not a picture', async () => {
    const broken: Picture = { ...page(), bits: 8, tags: [{ tag: 256, type: 4, values: [4_000_000_000] }] };
    for (const layout of LAYOUTS) expect(await maxDifference(writeTiffs([layout, broken], []))).toBe(0);
  });

  it('are counted and refused above 500', async () => {
    const pages = (count: number) => writeTiffs([page(), ...Array.from({ length: count - 1 }, page)], []);
    expect((await openPicture(file(folder, pages(500)), LIMITS)).facts.format).toBe('tiff');
    await expect(openPicture(file(folder, pages(501)), LIMITS)).rejects.toMatchObject({
      code: 'too_many_frames',
      message: '501 pages are over the limit of 500',
      fix: expect.stringContaining('first page'),
    });
  });
});

describe('a TIFF that imgtool cannot read', () => {
  const REFUSED: [string, Partial<Picture>, string][] = [
    ['12 bits', { bits: 12, value: () => 0 }, '12-bit RGB samples'],
    ['24 bits', { bits: 24, value: () => 0 }, '24-bit RGB samples'],
    ['64 bits', { bits: 64, value: () => 0 }, '64-bit RGB samples'],
    ['doubles', { bits: 64, format: 'float', value: () => 0 }, '64-bit floating-point RGB samples'],
    ['six channels', { samples: 6, extra: [2, 0, 0] }, '6 channels'],
    [
      'large floats',
      { bits: 32, format: 'float' },
      'floating-point samples that are not 0 to 1 (but 0 to 255)',
    ],
  ];

  it.each(REFUSED)('is unsupported with a message that says why: %s', async (_, changes, reason) => {
    const bytes = writeTiff({ ...RGB, ...changes });
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({
      code: 'unsupported_format',
      message: `cannot decode a TIFF with ${reason}`,
      fix: 'save it as an 8- or 16-bit RGB TIFF or PNG first',
    });
  });

  it('is unsupported with tiles in separate planes, and the fix names other layouts', async () => {
    const bytes = writeTiff({ ...RGB, planar: true, tile: 16 });
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({
      code: 'unsupported_format',
      message: 'cannot decode a TIFF with tiles in separate planes',
      fix: 'save it in strips, or with the samples of a pixel together (chunky)',
    });
  });

  const REPACK = 'save it with LZW or Deflate compression, or without compression';

  it.each<[string, Partial<Picture>, number, string]>([
    ['16 bits as JPEG', { bits: 16 }, 7, '16-bit RGB samples in JPEG compression'],
    ['16 bits as WebP', { bits: 16 }, 50_001, '16-bit RGB samples in WebP compression'],
    ['colours as fax', {}, 4, '8-bit RGB samples in fax compression'],
    ['planes as JPEG', { planar: true }, 7, 'separate planes with this compression'],
    ['alpha in JPEG tiles', { samples: 4, extra: [2], tile: 16 }, 7, 'JPEG tiles with alpha'],
    ['grey as JPEG', { samples: 1, photometric: 1, bits: 4 }, 7, '4-bit grey samples in JPEG compression'],
    ['an unknown compression', {}, 12_345, 'compression 12345'],
  ])('has a fix that names other compressions: %s', async (_, changes, compression, reason) => {
    const bytes = writeTiff({ ...RGB, packing: 'none', ...changes, value: () => 0 });
    bytes.writeUInt16LE(compression, bytes.indexOf(Buffer.from([3, 1, 3, 0, 1, 0, 0, 0, 1, 0])) + 8);
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({
      code: 'unsupported_format',
      message: `cannot decode a TIFF with ${reason}`,
      fix: REPACK,
    });
  });

  it.each([
    [6, 'old-style JPEG'],
    [34_925, 'LZMA'],
    [50_000, 'ZSTD'],
    [34_712, 'JPEG 2000'],
    [34_887, 'LERC'],
  ])('is unsupported by its compression: %i', async (compression, name) => {
    const bytes = writeTiff({ ...RGB, packing: 'none' });
    const at = bytes.indexOf(Buffer.from([3, 1, 3, 0, 1, 0, 0, 0, 1, 0]));
    bytes.writeUInt16LE(compression, at + 8);
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({
      code: 'unsupported_format',
      message: `cannot decode a TIFF with ${name} compression`,
      fix: REPACK,
    });
  });
});

describe('a TIFF with too few bytes for its stated pixels', () => {
  it.each(['none', 'lzw', 'deflate', 'packbits'] as const)(
    'is refused before decoding: %s',
    async (packing) => {
      for (const tile of [null, 16]) {
        const bytes = writeTiff({ ...RGB, width: 16, height: 16, packing, tile, value: () => 0 });
        // The entry of ImageLength: 257, one number of 4 bytes.
        bytes.writeUInt32LE(5_000_000, bytes.indexOf(Buffer.from([1, 1, 4, 0, 1, 0, 0, 0])) + 8);
        const rows = bytes.indexOf(Buffer.from([0x16, 1, 4, 0, 1, 0, 0, 0]));
        if (rows > 0) bytes.writeUInt32LE(5_000_000, rows + 8);
        await expect(openPicture(file(folder, bytes), LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
      }
    },
  );

  it('is read when the bytes suffice: one colour, compressed well', async () => {
    for (const packing of ['lzw', 'deflate', 'packbits'] as const) {
      const bytes = writeTiff({
        ...RGB,
        width: 400,
        height: 400,
        rowsPerStrip: 400,
        packing,
        value: () => 0,
      });
      expect(await maxDifference(bytes, () => 0), packing).toBe(0);
    }
  });
});
