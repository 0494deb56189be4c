import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../src/image/picture.ts';
import { sharp as guarded } from '../../src/image/vips.ts';
import { encoded, file, LIMITS, lopsided, plain, scratch, shared } from './pictures.ts';

const folder = scratch();
const hostile = shared('corpus/hostile');
const opened = async (bytes: Buffer) => openPicture(file(folder, bytes), LIMITS);

describe('too many frames', () => {
  const animation = async (frames: number): Promise<Buffer> =>
    // Adjacent frames differ: an encoder would merge equal ones.
    sharp(Buffer.from(Array.from({ length: 48 * frames }, (_, i) => (Math.floor(i / 48) % 2) * 200)), {
      raw: { width: 4, height: 4 * frames, channels: 3, pageHeight: 4 },
    })
      .gif({ effort: 1 })
      .toBuffer();

  it('are refused with a suggestion', async () => {
    await expect(opened(await animation(501))).rejects.toMatchObject({
      code: 'too_many_frames',
      message: '501 frames are over the limit of 500',
      fix: expect.stringContaining('first frame'),
    });
  });

  it('are accepted up to the limit', async () => {
    const { facts } = await opened(await animation(500));
    expect(facts).toMatchObject({ format: 'gif', width: 4, height: 4 });
  });
});

describe('too much metadata', () => {
  const LARGE = 17 * 2 ** 20;

  it('of a PNG is refused before decompression', async () => {
    const png = await plain(9, 9, '#336699').png().toBuffer();
    const chunk = Buffer.alloc(12 + LARGE);
    chunk.writeUInt32BE(LARGE);
    chunk.write('eXIf', 4);
    await expect(opened(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]))).rejects.toMatchObject(
      {
        code: 'too_large',
        message: '17.8 MB of metadata (exif) is over the limit of 16.8 MB',
        fix: expect.stringContaining('without its metadata'),
      },
    );
  });

  it('of a JPEG is counted in all segments', async () => {
    const jpeg = await encoded(lopsided(30, 20)).jpeg().toBuffer();
    const segment = Buffer.alloc(65_537, 'x');
    segment.writeUInt16BE(0xffed);
    segment.writeUInt16BE(65_535, 2);
    const many = Array.from({ length: 300 }, () => segment);
    const bytes = Buffer.concat([jpeg.subarray(0, 2), ...many, jpeg.subarray(2)]);
    await expect(opened(bytes)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('of a TIFF is refused by the decoder’s report', async () => {
    const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/">${'x'.repeat(LARGE)}</x:xmpmeta>`;
    const tiff = await plain(9, 9, '#336699').withXmp(xmp).tiff().toBuffer();
    await expect(opened(tiff)).rejects.toMatchObject({ code: 'too_large', message: /metadata \(xmp\)/ });
  });

  it('is more than a camera writes', async () => {
    const photo = encoded(lopsided(30, 20))
      .withXmp(`<x>${'x'.repeat(60_000)}</x>`)
      .withIccProfile('p3');
    expect((await opened(await photo.jpeg().toBuffer())).facts.format).toBe('jpeg');
  });
});

describe('an AVIF that states an impossible number of items', () => {
  it('is reported as damaged, not as out of memory', async () => {
    const avif = await plain(9, 9, '#336699').avif().toBuffer();
    // The number of items in its location table.
    avif.writeUInt16BE(50_000, avif.indexOf('iloc') + 10);
    await expect(opened(avif)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('a loader outside the allow-list', () => {
  const bytes = (text: string): Buffer => Buffer.from(text.padEnd(600, '\0'), 'latin1');
  const FOREIGN: [string, string, Buffer][] = [
    ['MATLAB', 'mat', bytes('MATLAB 5.0 MAT-file, Platform: GLNXA64')],
    ['libvips’ own', 'v', bytes('\x08\xf2\xa6\xb6\0\0\0\x04\0\0\0\x04\0\0\0\x03')],
    ['libvips’ own, other end first', 'v', bytes('\xb6\xa6\xf2\x08\x04\0\0\0\x04\0\0\0\x03')],
    ['PDF', 'pdf', bytes('%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\n')],
    ['CSV', 'csv', Buffer.from('1 2\n3 4\n')],
    ['PPM', 'ppm', bytes('P6\n4 4\n255\n')],
    ['PFM', 'pfm', bytes('PF\n4 4\n-1\n')],
    ['FITS', 'fits', bytes('SIMPLE  =                    T')],
    ['OpenEXR', 'exr', bytes('\x76\x2f\x31\x01\x02\0\0\0')],
    ['Radiance', 'hdr', bytes('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 4\n')],
    ['NIfTI', 'nii', bytes(`\x5c\x01${'\0'.repeat(342)}n+1\0`)],
    ['ImageMagick', 'miff', bytes('id=ImageMagick  version=1.0\ncolumns=4 rows=4\n:\x1a')],
    ['MVG', 'mvg', bytes('push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 "/etc/passwd"\n')],
    ['BMP', 'bmp', bytes('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28')],
    ['JPEG 2000', 'jp2', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
    ['JPEG XL', 'jxl', bytes('\xff\x0a')],
    ['TGA', 'tga', bytes('\0\0\x02')],
  ];

  it.each(FOREIGN)('does not run for any file: %s', async (_, extension, content) => {
    const path = file(folder, content, `${FOREIGN.findIndex(([, , each]) => each === content)}.${extension}`);
    await expect(openPicture(path, LIMITS)).rejects.toMatchObject({
      // imgtool decodes BMP itself, and this one is cut off.
      code: expect.stringMatching(extension === 'bmp' ? /^corrupt$/ : /^(not_an_image|unsupported_format)$/),
    });
    // libvips rejects it too.
    for (const input of [content, path]) {
      await expect(guarded(input).metadata()).rejects.toThrow(/unsupported image format/);
    }
  });
});

it.skipIf(hostile === null)('frames and pages of hostile files are counted before decoding', async () => {
  for (const name of ['gif-20000-frames-1x1.gif', 'gif-5000-frames-2000x2000.gif', 'tiff-20000-pages.tif']) {
    await expect(openPicture(join(hostile!, name), LIMITS)).rejects.toMatchObject({
      code: 'too_many_frames',
    });
  }
});
