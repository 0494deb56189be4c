import { fileTypeFromBuffer } from 'file-type';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { detect } from '../../src/image/detect.ts';
import { plain } from './pictures.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const ftyp = (brand: string, compatible: string, rest = ''): Buffer => {
  const box = Buffer.from(`\0\0\0\0ftyp${brand}\0\0\0\0${compatible}`, 'latin1');
  box.writeUInt32BE(box.length);
  return Buffer.concat([box, bytes(rest.padEnd(64, '\0'))]);
};

describe('a picture’s format', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'is detected from the bytes of a %s',
    async (format) => {
      expect(await detect(await plain(4, 4, '#336699').toFormat(format).toBuffer(), false)).toBe(format);
    },
  );

  it.each(['ffd8ff', 'ffd8ffe0', 'ffd8ffdb00', 'ffd8fff8', 'ffd8fff7', 'ffd8fe', 'ffd8', 'd8ffe0'])(
    'is jpeg for bytes that begin with %s exactly when file-type says so',
    async (hex) => {
      const start = Buffer.from(hex, 'hex');
      for (const file of [start, Buffer.concat([start, Buffer.alloc(100)])]) {
        const said = (await fileTypeFromBuffer(file))?.ext;
        expect(await detect(file, false).catch(() => undefined)).toBe(said === 'jpg' ? 'jpeg' : undefined);
      }
    },
  );

  it('is tiff when its directory is beyond the bytes in memory', async () => {
    const tiff = await plain(400, 400, '#336699').tiff({ compression: 'none' }).toBuffer();
    expect(await detect(tiff.subarray(0, 1000), false)).toBe('tiff');
  });

  it('is avif for a HEIF container with AV1', async () => {
    expect(await detect(ftyp('mif1', 'mif1avif'), false)).toBe('avif');
    expect(await detect(ftyp('mif1', 'mif1', 'infe av01'), false)).toBe('avif');
  });

  it.each([
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '\u{feff}  \n<?xml version="1.0"?><!-- a > comment --><!DOCTYPE svg [ <!ENTITY a "]<svg>"> ]>\n<svg>',
    '<svg:svg xmlns:svg="http://www.w3.org/2000/svg"></svg:svg>',
  ])('is svg for a text with svg as its first element: %s', async (text) => {
    expect(await detect(Buffer.from(text), true)).toBe('svg');
    await expect(detect(Buffer.from(text), false)).rejects.toMatchObject({
      code: 'unsupported_format',
      fix: expect.stringContaining('{{allowSvg}}'),
    });
  });

  it('is not svg for a page that contains an SVG', async () => {
    await expect(detect(bytes('<!doctype html><body><svg></svg>'), true)).rejects.toMatchObject({
      code: 'not_an_image',
      message: 'not an image: content is HTML (magic bytes 3C 21 64 6F)',
    });
  });
});

describe('a file that is not a picture', () => {
  it.each([
    ['an empty file', '', 'not an image: empty file'],
    ['text', 'Dear diary,\n', 'not an image: content is text (magic bytes 44 65 61 72)'],
    ['zeros', '\0\0\0\0\0', 'not an image: content is nothing but zeros (magic bytes 00 00 00 00)'],
    [
      'anything else',
      '\x01\x02\x03\x04',
      'not an image: content is not recognised (magic bytes 01 02 03 04)',
    ],
  ])('is named: %s', async (_, content, message) => {
    await expect(detect(bytes(content), false)).rejects.toMatchObject({ code: 'not_an_image', message });
  });
});

describe('a picture without a decoder', () => {
  it.each([
    ['JPEG XL', bytes(`\xff\x0a${'\0'.repeat(60)}`)],
    ['Photoshop (PSD)', bytes(`8BPS\0\x01${'\0'.repeat(60)}`)],
    ['Canon CR2 camera raw', bytes(`II*\0\x10\0\0\0CR\x02\0${'\0'.repeat(60)}`)],
    ['Fujifilm RAF camera raw', bytes(`FUJIFILMCCD-RAW ${'\0'.repeat(60)}`)],
  ])('is named with a suggestion: %s', async (name, content) => {
    await expect(detect(content, false)).rejects.toMatchObject({
      code: 'unsupported_format',
      message: `the decoder cannot read ${name}`,
      fix: expect.stringMatching(/JPEG|PNG/),
    });
  });

  it('is also undecodable according to this build of sharp', () => {
    expect(sharp.format.heif.input.fileSuffix).toEqual(['.avif']);
    expect(sharp.format.jp2.input.buffer).toBe(false);
    expect(sharp.format.magick.input.buffer).toBe(false);
  });
});
