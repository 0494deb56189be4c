import { describe, expect, it } from 'vitest';
import type { Header } from '../../src/image/steps/header.ts';
import { corrupt } from '../../src/image/unreadable.ts';
import { encoded, file, LIMITS, lopsided, rendered, scratch, variant } from './pictures.ts';

const folder = scratch();
const LENIENT = /\{\{lenient\}\}/;

const headerOf = (over: Partial<Header>) => ({ format: 'png', progressive: false, ...over }) as Header;
const said = (message: string, header?: Header) => corrupt(new Error(message), false, header);

describe('the quoted message of a decoder', () => {
  it.each([
    ['its only line', 'vipspng: libpng read error', ' (vipspng: libpng read error)'],
    [
      'given once although libvips repeats it',
      'Input buffer has corrupt header: VipsJpeg: Bogus marker length\nVipsJpeg: Bogus marker length',
      ' (VipsJpeg: Bogus marker length)',
    ],
    [
      'the fatal line, not an earlier warning',
      'VipsJpeg: Corrupt JPEG data: 12 extraneous bytes before marker 0xc4\nVipsJpeg: Huffman table 0x00 was not defined',
      ' (VipsJpeg: Huffman table 0x00 was not defined)',
    ],
    [
      'the fatal line, not an earlier attempt',
      'source: bad seek to 1024\nsource: bad seek to 512\nheif: Invalid input: Unexpected end of file (2.100)\n',
      ' (heif: Invalid input: Unexpected end of file (2.100))',
    ],
    [
      'the fatal line even when its repeat is truncated',
      'Input buffer has corrupt header: VipsJpeg: premature end of JPEG image\nVipsJpeg: missing SOS marker\n' +
        'VipsJpeg: premature end of JPEG image\nVipsJpeg: missing SOS marker\nVipsJpeg: premature end of JPEG image',
      ' (VipsJpeg: missing SOS marker)',
    ],
    ['nothing where it said nothing', 'Input buffer has corrupt header: ', ''],
    ['nothing where it did not know either', 'Unknown error', ''],
    ['nothing where sharp found no decoder', 'Input buffer contains unsupported image format', ''],
  ])('is %s', (_, message, quoted) => {
    expect(said(message)).toMatchObject({
      code: 'corrupt',
      message: `the picture is damaged or cut short${quoted}`,
    });
  });
});

describe('a kind of picture that the decoder does not support', () => {
  it.each([
    [
      'VipsJpeg: Unsupported JPEG data precision 12',
      '12-bit JPEG',
      'save it as an 8-bit JPEG or as PNG first',
    ],
    [
      'VipsJpeg: Unsupported JPEG process: SOF type 0xcf',
      'JPEG of this coding process',
      'save it as a baseline JPEG or as PNG first',
    ],
    [
      'tiff2vips: ZSTD compression support is not configured',
      'TIFF with ZSTD compression',
      'save it with LZW or Deflate compression, or without compression',
    ],
    [
      'heif: Unsupported feature: Unsupported codec (4.3000)',
      'this kind of AVIF or HEIF (Unsupported feature: Unsupported codec (4.3000))',
      'convert it to JPEG or PNG first',
    ],
  ])('is not reported as damage: %s', (message, name, fix) => {
    expect(said(`source: bad seek to 9\n${message}`)).toMatchObject({
      code: 'unsupported_format',
      message: `the decoder cannot read ${name}`,
      fix,
    });
  });

  it.each([
    'VipsJpeg: Unsupported marker type 0x5b',
    'VipsJpeg: Unsupported JPEG data precision 77',
    'heif: Unsupported feature: Unsupported data version: meta box data version 32 is not implemented yet (4.3002)',
  ])('is not inferred from words that damage also causes: %s', (message) => {
    expect(said(message).code).toBe('corrupt');
  });
});

describe('--lenient', () => {
  it.each<[string, string, Header | undefined]>([
    ['a JPEG that is cut short', 'VipsJpeg: premature end of JPEG image', headerOf({ format: 'jpeg' })],
    ['a GIF that is cut short', 'gifload_buffer: Unexpected end of GIF source data', undefined],
    ['pixels of a PNG', 'vipspng: libpng read error', headerOf({})],
    ['pixels of a TIFF', 'tiff2vips: Using code not yet in table', headerOf({ format: 'tiff' })],
  ])('is suggested for %s', (_, message, header) => {
    expect(said(message, header).fix).toMatch(LENIENT);
    // The advice is pointless when `lenient` is already set.
    expect(corrupt(new Error(message), true, header).fix).toBe('copy the file again');
  });

  it.each<[string, string, Header | undefined]>([
    ['a header', 'VipsJpeg: Invalid component ID 0 in SOS', undefined],
    ['a header that is cut short', 'VipsJpeg: premature end of JPEG image', undefined],
    ['tables of a JPEG', 'VipsJpeg: Bogus Huffman table definition', headerOf({ format: 'jpeg' })],
    ['an interlaced PNG', 'Unknown error', headerOf({ progressive: true })],
    ['a WebP', 'webp2vips: unable to read pixels', headerOf({ format: 'webp' })],
    [
      'an AVIF',
      'heif: Invalid input: Unspecified: Corrupt frame detected (2.0)',
      headerOf({ format: 'avif' }),
    ],
  ])('is not suggested when it cannot help: %s', (_, message, header) => {
    expect(said(message, header).fix).toBe('copy the file again');
  });

  it.each(['jpeg', 'png'] as const)('works where it is suggested: a truncated %s', async (format) => {
    const whole = await encoded(lopsided(300, 200)).toFormat(format).toBuffer();
    const source = file(folder, whole.subarray(0, Math.floor(whole.length / 2)));
    await expect(rendered(folder, source, [variant()])).rejects.toMatchObject({
      fix: expect.stringMatching(LENIENT),
    });
    const { result } = await rendered(folder, source, [variant()], { ...LIMITS, lenient: true });
    expect(result.degraded).toBe(true);
  });
});

it.each([
  'heif: Memory allocation error: Security limit exceeded: too many tiles',
  'heif: Memory allocation error: Invalid box size: Box size too large',
  'heif: Memory allocation error: Invalid image size: zero width or height',
])('a size that no picture has is damage, not a lack of memory: %s', (message) => {
  expect(said(message).code).toBe('corrupt');
  expect(said('heif: Memory allocation error: Unspecified').code).toBe('out_of_memory');
});
