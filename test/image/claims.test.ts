import { crc32, deflateSync } from 'node:zlib';
import type { Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { impossible } from '../../src/image/claims.ts';
import { openPicture } from '../../src/image/picture.ts';
import { encoded, exact, file, LIMITS, lopsided, plain, rendered, scratch } from './pictures.ts';

const folder = scratch();

function chunk(type: string, content: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + content.length);
  bytes.writeUInt32BE(content.length);
  bytes.write(type, 4, 'latin1');
  content.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

interface Claim {
  readonly width: number;
  readonly height: number;
  readonly bits?: number;
  readonly colour?: number;
  readonly interlaced?: boolean;
}

/** A PNG of this size with these compressed bytes as pixels. */
function png({ width, height, bits = 8, colour = 2, interlaced = false }: Claim, idat: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, bits, colour, 0, 0, interlaced ? 1 : 0]);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const parts = [chunk('IHDR', header), chunk('IDAT', idat), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

describe('a PNG with too few bytes for its stated size', () => {
  it('is refused before decoding with its actual and required bytes', async () => {
    const source = png({ width: 786_464, height: 32 }, Buffer.alloc(0)).subarray(0, 41);
    await expect(openPicture(file(folder, source), LIMITS)).rejects.toMatchObject({
      code: 'corrupt',
      // 32 rows of 1 + 3 * 786,464 bytes; deflate compresses 1,032 of them to one byte.
      message:
        'the picture is damaged or cut short ' +
        '(786,464 x 32 px take at least 73,160 bytes of compressed pixels, and it holds 0)',
      fix: 'copy the file again',
    });
  });

  it('is opened with lenient', async () => {
    const source = png({ width: 1000, height: 1000 }, deflateSync(Buffer.alloc(10)));
    const lenient = { ...LIMITS, lenient: true };
    expect((await openPicture(file(folder, source), lenient)).facts).toMatchObject({ width: 1000 });
    await expect(openPicture(file(folder, source), LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it.each<[string, Claim, number]>([
    ['RGB', { width: 1000, height: 1000 }, 1000 * 3001],
    ['RGBA in 16 bits', { width: 1000, height: 1000, colour: 6, bits: 16 }, 1000 * 8001],
    ['grey in one bit', { width: 1001, height: 1000, colour: 0, bits: 1 }, 1000 * 127],
    // The passes have 126, 125, 251, 250, 501, 500 and 1,001 pixels per row.
    [
      'an interlaced one of odd sides',
      { width: 1001, height: 1001, colour: 0, interlaced: true },
      126 * 127 + 126 * 126 + 125 * 252 + 251 * 251 + 250 * 502 + 501 * 501 + 500 * 1002,
    ],
  ])('is refused when it is one byte short at the best ratio: %s', (_, claim, unpacked) => {
    const least = Math.ceil(unpacked / 1032);
    expect(impossible(png(claim, Buffer.alloc(least)), 'png')).toBeNull();
    expect(impossible(png(claim, Buffer.alloc(least - 1)), 'png')?.message).toContain(
      `${least.toLocaleString('en')} bytes of compressed pixels`,
    );
  });
});

describe('a GIF with too few bytes for its stated size', () => {
  const gif = (width: number, height: number, data: number): Buffer => {
    const size = Buffer.from([width & 255, width >> 8, height & 255, height >> 8]);
    const blocks: Buffer[] = [];
    for (let left = data; left > 0; left -= 255) {
      const length = Math.min(255, left);
      blocks.push(Buffer.concat([Buffer.from([length]), Buffer.alloc(length)]));
    }
    const place = Buffer.from([0x2c, 0, 0, 0, 0]);
    return Buffer.concat([
      ...[Buffer.from('GIF89a', 'latin1'), size, Buffer.from([0x80, 0, 0, 0, 0, 0, 9, 9, 9])],
      ...[place, size, Buffer.from([0, 2]), ...blocks, Buffer.from([0, 0x3b])],
    ]);
  };

  it('is refused with its actual and required bytes', async () => {
    // 4,096 pixels per 12 bits: 16,000 * 16,000 * 12 / 8 / 4096.
    await expect(openPicture(file(folder, gif(16_000, 16_000, 1000)), LIMITS)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(
        '16,000 x 16,000 px take at least 93,750 bytes of compressed pixels, and it holds 1,000',
      ),
    });
    expect(impossible(gif(16_000, 16_000, 93_749), 'gif')?.message).toContain('93,750');
    expect(impossible(gif(16_000, 16_000, 93_750), 'gif')).toBeNull();
  });
});

describe('a sound picture with the best compression', () => {
  it.each<[string, () => Sharp]>([
    ['black RGB', () => plain(4000, 2000, '#000000').png({ compressionLevel: 9 })],
    [
      'black RGB, interlaced',
      () => plain(4000, 2000, '#000000').png({ compressionLevel: 9, progressive: true }),
    ],
    ['one bit', () => plain(3000, 3000, '#000000').png({ palette: true, colours: 2, compressionLevel: 9 })],
    [
      'RGBA in 16 bits',
      () =>
        plain(2000, 2000, { r: 0, g: 0, b: 0, alpha: 0 }).toColourspace('rgb16').png({ compressionLevel: 9 }),
    ],
    ['a GIF of one colour', () => plain(3000, 3000, '#336699').gif()],
    [
      'a GIF of one colour that repeats none of its codes',
      () => plain(2000, 2000, '#000000').gif({ effort: 10 }),
    ],
  ])('passes: %s', async (_, make) => {
    const bytes = await make().toBuffer();
    const format = bytes[0] === 0x89 ? 'png' : 'gif';
    expect(impossible(bytes, format)).toBeNull();
  });

  it('passes at the best ratio of deflate', () => {
    // zlib reaches 1,030 to 1 on zeros.
    const rows = Buffer.alloc(3000 * (1 + 3 * 4000));
    const packed = deflateSync(rows, { level: 9 });
    expect(rows.length / packed.length).toBeGreaterThan(1000);
    expect(impossible(png({ width: 4000, height: 3000 }, packed), 'png')).toBeNull();
  });

  it('passes when only its metadata is large or its first frame is small', async () => {
    const photo = await encoded(lopsided(40, 30))
      .withXmp(`<x>${'x'.repeat(90_000)}</x>`)
      .png()
      .toBuffer();
    expect((await rendered(folder, photo, [exact()])).picture.width).toBe(40);
  });
});
