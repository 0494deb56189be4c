import { join } from 'node:path';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/image/inspect.ts';
import type { Variant } from '../../src/model.ts';
import { encoded, file, lopsided, plain, rendered, scratch, shared, variant } from './pictures.ts';

const folder = scratch();
const hostile = shared('corpus/hostile');
const picture = () => encoded(lopsided(60, 40));
const inspected = async (bytes: Buffer | Sharp) =>
  inspect(file(folder, Buffer.isBuffer(bytes) ? bytes : await bytes.toBuffer()));

/** A PNG with one more chunk after its header. */
function withChunk(png: Buffer, type: string, content: string): Buffer {
  const chunk = Buffer.alloc(12 + content.length);
  chunk.writeUInt32BE(content.length);
  chunk.write(type + content, 4, 'latin1');
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** A JPEG with one more segment at its start. */
function withSegment(jpeg: Buffer, marker: number, content: string): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from(content, 'latin1'), jpeg.subarray(2)]);
}

describe('a rendered picture', () => {
  const kinds: Partial<Variant>[] = [
    { format: 'webp' },
    { format: 'webp', lossless: true },
    { format: 'webp', grayscale: true },
    { format: 'jpeg' },
    { format: 'jpeg', grayscale: true },
    { format: 'png', lossless: true },
    { format: 'png', lossless: true, grayscale: true },
    { format: 'avif' },
    { format: 'avif', lossless: true },
    { format: 'avif', grayscale: true },
  ];

  it.each(kinds)('has no metadata: %o', async (kind) => {
    const source = picture()
      .withMetadata({ orientation: 6, exif: { IFD0: { Copyright: 'somebody' } } })
      .withIccProfile('p3')
      .jpeg();
    for (const from of [source, picture().ensureAlpha(0.5).withIccProfile('p3').png()]) {
      const { bytes, result } = await rendered(folder, await from.toBuffer(), [variant(kind)]);
      const { width, height } = result.outputs[0]!;
      expect(await inspected(bytes[0]!)).toMatchObject({ format: kind.format, width, height, metadata: [] });
    }
  });
});

describe('metadata', () => {
  const full = () =>
    picture()
      .withExif({ IFD0: { Copyright: 'somebody' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta>')
      .withIccProfile('p3');

  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('is named in a %s', async (format) => {
    const { metadata } = await inspected(full().toFormat(format));
    expect(metadata).toEqual(['exif', 'xmp', 'icc']);
  });

  it.each([
    ['tEXt', 'Author\0me', ['comment']],
    ['zTXt', 'Author\0\0', ['comment']],
    ['iTXt', 'Title\0\0\0\0\0x', ['comment']],
    ['iTXt', 'XML:com.adobe.xmp\0\0\0\0\0<x/>', ['xmp']],
    ['zTXt', 'Raw profile type iptc\0\0', ['iptc']],
    ['tIME', '1234567', ['time']],
    ['caBX', 'provenance', ['caBX']],
    ['gAMA', '\0\0\xb1\x8f', []],
  ])('is seen in the chunks of a PNG: %s', async (type, content, metadata) => {
    const png = withChunk(await picture().png().toBuffer(), type, content);
    expect((await inspected(png)).metadata).toEqual(metadata);
  });

  it.each([
    [0xfe, 'a comment', ['comment']],
    [0xed, 'Photoshop 3.0\0', ['iptc']],
    [0xe0, 'JFXX\0\x13', ['thumbnail']],
    [0xe0, `JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01${'\0'.repeat(3)}`, ['thumbnail']],
    [0xe2, 'MPF\0', ['APP2']],
    [0xe1, 'http://ns.adobe.com/xmp/extension/\0', ['xmp']],
  ])('is seen in the segments of a JPEG: %i %j', async (marker, content, metadata) => {
    const jpeg = withSegment(await picture().jpeg().toBuffer(), marker, content);
    expect((await inspected(jpeg)).metadata).toEqual(metadata);
  });

  it.each(['jpeg', 'png', 'webp'] as const)('includes the bytes after the end of a %s', async (format) => {
    const bytes = Buffer.concat([await picture().toFormat(format).toBuffer(), Buffer.from('and a film')]);
    expect((await inspected(bytes)).metadata).toEqual(['trailer']);
  });

  it('is found after the first scan of a progressive JPEG', async () => {
    const jpeg = await picture().jpeg({ progressive: true }).toBuffer();
    const at = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
    const late = Buffer.concat([Buffer.from([0xff, 0xfe, 0, 6]), Buffer.from('late')]);
    const { metadata } = await inspected(Buffer.concat([jpeg.subarray(0, at), late, jpeg.subarray(at)]));
    expect(metadata).toEqual(['comment']);
  });

  it.skipIf(hostile === null)('of a picture full of secrets is reported', async () => {
    const { metadata } = await inspect(join(hostile!, 'private-all-metadata.jpg'));
    expect(metadata).toEqual(expect.arrayContaining(['exif', 'xmp', 'iptc', 'icc', 'comment']));
  });
});

describe('a stored picture', () => {
  const noisy = () =>
    sharp({
      create: {
        width: 300,
        height: 200,
        channels: 3,
        background: 'grey',
        noise: { type: 'gaussian', mean: 128, sigma: 40 },
      },
    });

  it.each(['jpeg', 'png', 'webp', 'avif'] as const)(
    'is corrupt when it is truncated anywhere: %s',
    async (format) => {
      const whole = await noisy().toFormat(format).toBuffer();
      expect((await inspected(whole)).metadata).toEqual([]);
      for (const part of [0.3, 0.6, 0.9, 0.99]) {
        const cut = inspected(whole.subarray(0, Math.floor(whole.length * part)));
        await expect(cut, `${part}`).rejects.toMatchObject({ code: 'corrupt' });
      }
      await expect(inspected(whole.subarray(0, -20))).rejects.toMatchObject({ code: 'corrupt' });
    },
  );

  it('is corrupt with a bad byte in its pixels', async () => {
    const png = await noisy().png().toBuffer();
    png[Math.floor(png.length / 2)]! ^= 0xff;
    await expect(inspected(png)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it.each([
    ['not_an_image', 'Dear diary'],
    ['not_an_image', ''],
  ])('is refused with %s when it is not a picture', async (code, content) => {
    await expect(inspected(Buffer.from(content))).rejects.toMatchObject({ code });
  });

  it('has its stored size', async () => {
    const turned = plain(30, 20, '#336699').withMetadata({ orientation: 6 }).jpeg();
    expect(await inspected(turned)).toMatchObject({ width: 30, height: 20 });
  });
});
