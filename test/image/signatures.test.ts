import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detect } from '../../src/image/detect.ts';

const bytes = (text: string, length = 200): Buffer => Buffer.from(text.padEnd(length, '\0'), 'latin1');

/** A Targa header: kind of colour map, image type, colour map's entries and bits, depth, descriptor. */
function targa(kind: number, type: number, entries: number, bits: number, depth: number, descriptor = 0) {
  const header = Buffer.from([
    0,
    kind,
    type,
    0,
    0,
    entries,
    0,
    bits,
    0,
    0,
    0,
    0,
    4,
    0,
    4,
    0,
    depth,
    descriptor,
  ]);
  return Buffer.concat([header, Buffer.alloc(200, 7)]);
}

const pcx = bytes(
  `\x0a\x05\x01\x08\0\0\0\0\x03\0\x03\0${'\x48'.repeat(4)}${'\0'.repeat(48)}\0\x03\x04\0\x01\0`,
);
const at = (offset: number, text: string): Buffer => bytes('\0'.repeat(offset) + text, offset + 200);

describe('a picture that other programs open', () => {
  it.each<[string, Buffer]>([
    ['Targa (TGA)', targa(0, 2, 0, 0, 24)],
    ['Targa (TGA)', targa(0, 2, 0, 0, 32, 0x28)],
    ['Targa (TGA)', targa(0, 10, 0, 0, 24)],
    ['Targa (TGA)', targa(0, 3, 0, 0, 8)],
    ['Targa (TGA)', targa(1, 1, 16, 24, 8)],
    ['Targa (TGA)', targa(1, 9, 16, 24, 8)],
    ['Targa (TGA)', Buffer.concat([Buffer.alloc(60, 1), Buffer.from('TRUEVISION-XFILE.\0')])],
    ['PCX', pcx],
    ['DCX', bytes('\xb1\x68\xde\x3a')],
    ['PBM', bytes('P1\n# by hand\n4 4\n0 1 0 1\n')],
    ['PBM', bytes('P4 4 4\n\xf0')],
    ['PGM', bytes('P2\n4 4\n255\n0 1')],
    ['PGM', bytes('P5\n4 4 65535\n')],
    ['PPM', bytes('P3\n4 4\n#one\n255\n')],
    ['PPM', bytes('P6\n4 4\n255\n')],
    ['PAM', bytes('P7\nWIDTH 4\nHEIGHT 4\n')],
    ['PFM', bytes('PF\n4 4\n-1.0\n')],
    ['PFM', bytes('Pf\n4 4\n1\n')],
    ['XV thumbnail', bytes('P7 332\n#XVVERSION')],
    ['DirectDraw surface (DDS)', bytes('DDS \x7c\0\0\0')],
    ['SGI', bytes('\x01\xda\x01\x01\0\x03')],
    ['SGI', bytes('\x01\xda\0\x02\0\x02')],
    ['OpenEXR', bytes('v/1\x01\x02\0\0\0')],
    ['Radiance HDR', bytes('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n')],
    ['Radiance HDR', bytes('#?RGBE\n')],
    ['Photoshop (PSD)', bytes('8BPS\0\x01')],
    ['Photoshop (PSB)', bytes('8BPS\0\x02')],
    ['GIMP (XCF)', bytes('gimp xcf v011\0')],
    ['PDF', bytes('%PDF-1.7\n%\xe2\xe3')],
    ['PDF', bytes('\r\n%PDF-1.4\n')],
    ['EPS', bytes('%!PS-Adobe-3.0 EPSF-3.0\n')],
    ['EPS', bytes('\xc5\xd0\xd3\xc6\x1e\0\0\0')],
    ['PostScript', bytes('%!PS-Adobe-3.0\n')],
    ['Adobe Illustrator (AI)', bytes('%!PS-Adobe-3.0\n%%Creator: Adobe Illustrator(R) 8.0\n')],
    ['JPEG XL', bytes('\xff\x0a')],
    ['JPEG XL', bytes('\0\0\0\x0cJXL \r\n\x87\n')],
    ['JPEG 2000', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
    ['JPEG 2000', bytes('\xff\x4f\xff\x51\0\x2f')],
    ['JPEG XR', bytes('II\xbc\x01')],
    ['JPEG-LS', bytes('\xff\xd8\xff\xf7\0\x0b\x08')],
    ['HEIF with a minimized header (mif3)', bytes('\0\0\0\x10ftypmif3avif')],
    ['HEIF with JPEG 2000', bytes('\0\0\0\x18ftypj2ki\0\0\0\0mif1j2ki')],
    ['FITS', bytes('SIMPLE  =                    T')],
    ['XPM', bytes('/* XPM */\nstatic char *x[] = {')],
    ['XBM', bytes('/* by hand */\n#define x_width 8\n#define x_height 8\n')],
    ['Windows metafile (WMF)', bytes('\xd7\xcd\xc6\x9a')],
    ['Windows metafile (EMF)', bytes(`\x01\0\0\0${'\0'.repeat(36)} EMF`)],
    ['Sun raster', bytes('\x59\xa6\x6a\x95')],
    ['QOI', bytes('qoif')],
    ['farbfeld', bytes('farbfeld')],
    ['FLIF', bytes('FLIF')],
    ['BPG', bytes('BPG\xfb')],
    ['ICNS', bytes('icns')],
    ['animated cursor (ANI)', bytes('RIFF\0\0\0\0ACON')],
    ['MNG', bytes('\x8aMNG\r\n\x1a\n')],
    ['JNG', bytes('\x8bJNG\r\n\x1a\n')],
    ['PICT', at(522, '\0\x11\x02\xff')],
    ['DICOM', at(128, 'DICM')],
    ['NIfTI', at(344, 'n+1\0')],
    ['DjVu', bytes('AT&TFORM\0\0\0\0DJVU')],
    ['Canon CR3 camera raw', bytes('\0\0\0\x18ftypcrx \0\0\0\x01crx isom')],
    ['Canon CRW camera raw', bytes('II\x1a\0\0\0HEAPCCDR')],
    ['Fujifilm RAF camera raw', bytes('FUJIFILMCCD-RAW ')],
    ['Panasonic RW2 camera raw', bytes('IIU\0')],
    ['Olympus ORF camera raw', bytes('IIRO\x08\0\0\0')],
    ['Sigma X3F camera raw', bytes('FOVb')],
    ['Minolta MRW camera raw', bytes('\0MRM')],
    ['compressed SVG (SVGZ)', gzipSync('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('is reported under its common name with a suggestion: %s', async (name, content) => {
    await expect(detect(content, false)).rejects.toMatchObject({
      code: 'unsupported_format',
      message: `the decoder cannot read ${name}`,
      fix: expect.stringMatching(/JPEG|PNG|gunzip/),
    });
  });
});

describe('a file that is not a picture', () => {
  it.each<[string, string, Buffer]>([
    ['text', 'text', Buffer.from('P6 is the largest of them, P5 12 a smaller one.\n')],
    ['text about PDF', 'text', Buffer.from('see %PDF-1.4 in the specification\n')],
    ['C source', 'text', Buffer.from('#define SIZE 8\n#define COUNT 9\n')],
    ['HTML', 'HTML', Buffer.from('<!doctype html><p>8BPS</p>')],
    ['a compressed text', 'GZ', gzipSync('<p>no picture</p>')],
    ['a ZIP', 'ZIP', bytes('PK\x05\x06')],
    ['a video', 'MP4', bytes('\0\0\0\x18ftypisom\0\0\x02\0isomiso2')],
    ['zeros', 'nothing but zeros', Buffer.alloc(500)],
    [
      'a Targa header without a size',
      'not recognised',
      Buffer.concat([Buffer.from([1, 0, 2]), Buffer.alloc(40)]),
    ],
  ])('is reported as such: %s', async (_, said, content) => {
    await expect(detect(content, false)).rejects.toMatchObject({
      code: 'not_an_image',
      message: expect.stringContaining(`content is ${said}`),
    });
  });
});

describe('a text that begins like a picture', () => {
  it.each<[string, string]>([
    ['a Netpbm of comments', `P1${' #'.repeat(20_000)}`],
    ['a Netpbm of lines of comments', `P5\n${'# x\n'.repeat(10_000)}x`],
    ['a bitmap of comments', '/**/'.repeat(20_000)],
    ['a bitmap of spaces', ' '.repeat(60_000)],
    ['a PostScript of stars', `%!PS-Adobe${'%%Creator: '.repeat(5_000)}`],
  ])('is rejected without a long search: %s', async (_, text) => {
    // An exponential pattern would exceed the test's time limit.
    await expect(detect(Buffer.from(text, 'latin1'), false)).rejects.toMatchObject({
      code: expect.stringMatching(/^(not_an_image|unsupported_format)$/),
    });
  });

  it('is a picture when comments separate its words', async () => {
    const text = '/* one * */ /* two **/\n#define x_width 8\n#define x_height 8\n';
    await expect(detect(bytes(text), false)).rejects.toMatchObject({ message: /XBM/ });
    const netpbm = 'P5 # a # b\n# c\n4 # d\r\n 4\n255\n0 1';
    await expect(detect(bytes(netpbm), false)).rejects.toMatchObject({ message: /PGM/ });
  });
});
