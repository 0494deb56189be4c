import sharp, { type Metadata } from 'sharp';
import { describe, expect, it } from 'vitest';
import { embed } from '../../../src/image/kept/embed.ts';
import { ascii, exifBlock, exifIn, NO_EXIF } from '../../../src/image/kept/exif.ts';
import { rdfText, xmpPacket } from '../../../src/image/kept/xml.ts';
import { TAG } from '../../../src/image/tiff/tags.ts';
import type { Format } from '../../../src/variants/formats.ts';
import { rgbProfile } from '../icc-writer.ts';
import { encoded, lopsided, rgb } from '../pictures.ts';

const SIZE = { width: 61, height: 40 };
const exif = exifBlock({ ...NO_EXIF, main: new Map([[TAG.Artist, ascii(TAG.Artist, 'Anna')]]) });
const xmp = xmpPacket([rdfText('photoshop:Credit', 'Ödön')]);
const icc = rgbProfile('p3', 2.2);

const picture = () => encoded(lopsided(SIZE.width, SIZE.height));
const ways: [string, Format, () => Promise<Buffer>][] = [
  ['jpeg', 'jpeg', () => picture().jpeg().toBuffer()],
  ['png', 'png', () => picture().png().toBuffer()],
  ['webp', 'webp', () => picture().webp().toBuffer()],
  [
    'lossless webp with transparency',
    'webp',
    () => picture().ensureAlpha(0.5).webp({ lossless: true }).toBuffer(),
  ],
  ['avif', 'avif', () => picture().avif().toBuffer()],
  ['avif with transparency', 'avif', () => picture().ensureAlpha(0.5).avif().toBuffer()],
];

describe('metadata in an encoded picture', () => {
  it.each(ways)('is found, and leaves the pixels alone: %s', async (_, format, encode) => {
    const bytes = await encode();
    const made = embed(bytes, format, { exif, xmp, icc, density: 300 }, SIZE);
    const found = await sharp(made).metadata();
    expect(exifIn(found.exif!).main.get(TAG.Artist)?.bytes.toString('latin1')).toBe('Anna\0');
    expect([found.xmp, found.icc]).toEqual([xmp, icc]);
    expect(found.hasAlpha).toBe((await sharp(bytes).metadata()).hasAlpha);
    const pixels = (data: Buffer) => sharp(data, { ignoreIcc: true }).raw().toBuffer();
    expect(await pixels(made)).toEqual(await pixels(bytes));
    if (format === 'jpeg' || format === 'png') expect(found.density).toBe(300);
  });

  it('leaves an animated WebP an animation with the same frames', async () => {
    const { width, height } = SIZE;
    const raw = { width, height: height * 3, channels: 4, pageHeight: height } as const;
    const data = Buffer.from(Array.from({ length: width * height * 12 }, (_, i) => (i * i) % 251));
    const bytes = await sharp(data, { raw })
      .webp({ lossless: true, delay: [80, 90, 100], loop: 5 })
      .toBuffer();
    const made = embed(bytes, 'webp', { exif, xmp, icc: null, density: null }, SIZE);
    const [before, after] = await Promise.all(
      [bytes, made].map((one) => sharp(one, { pages: -1 }).metadata()),
    );
    expect([after?.exif?.includes('Anna'), after?.xmp]).toEqual([true, xmp]);
    const motion = ({ pages, delay, loop, hasAlpha }: Metadata) => [pages, delay, loop, hasAlpha];
    expect(motion(after!)).toEqual(motion(before!));
    expect(motion(after!)).toEqual([3, [80, 90, 100], 5, true]);
    const pixels = (from: Buffer) => sharp(from, { pages: -1 }).raw().toBuffer();
    expect(await pixels(made)).toEqual(await pixels(bytes));
  });

  it('is only XMP in a TIFF', async () => {
    const bytes = await picture().tiff({ compression: 'deflate' }).toBuffer();
    const made = embed(bytes, 'tiff', { exif: null, xmp, icc: null, density: null }, SIZE);
    expect((await sharp(made).metadata()).xmp).toEqual(xmp);
    expect(await rgb(made)).toEqual(await rgb(bytes));
  });

  it('is refused where it does not fit a JPEG', async () => {
    const bytes = await picture().jpeg().toBuffer();
    const large = xmpPacket([rdfText('photoshop:Credit', 'x'.repeat(66_000))]);
    const blocks = { exif: null, xmp: large, icc: null, density: null };
    expect(() => embed(bytes, 'jpeg', blocks, SIZE)).toThrow(
      /its XMP takes 66,\d+ bytes, more than the 65,504 that fit/,
    );
  });
});
