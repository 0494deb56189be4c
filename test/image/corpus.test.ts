import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { asImgtoolError } from '../../src/errors.ts';
import { difference, file, LIMITS, rendered, rgb, scratch, shared, variant } from './pictures.ts';

const folder = scratch();
const pngsuite = shared('corpus/pngsuite');
const hostile = shared('corpus/hostile');
const turned = shared('corpus/exif-orientation');
const samples = shared('corpus/exif-samples');
const photos = shared('photos');

const tiny = [variant({ width: 64, effort: 0 })];
const filesOf = (from: string, end: RegExp): string[] =>
  readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => end.test(name));

async function outcome(path: string, variants = tiny): Promise<string> {
  try {
    await rendered(folder, path, variants);
    return 'rendered';
  } catch (error) {
    return asImgtoolError(error).code;
  }
}

describe('PngSuite', () => {
  it.skipIf(pngsuite === null)(
    'has good files, which are read, and broken files, which are refused',
    async () => {
      const names = filesOf(pngsuite!, /\.png$/);
      const found = await Promise.all(
        names.map(async (name) => [name, await outcome(join(pngsuite!, name))]),
      );
      const refused = found.filter(([, how]) => how !== 'rendered');
      expect(refused.map(([name]) => name)).toEqual(names.filter((name) => name.startsWith('x')));
      expect(found.length - refused.length).toBe(161);
    },
  );
});

describe('the rotated pictures', () => {
  it.skipIf(turned === null).each(['Landscape', 'Portrait'])(
    'look the same in all eight orientations of %s',
    async (name) => {
      const upright = await Promise.all(
        [1, 2, 3, 4, 5, 6, 7, 8].map(async (n) => {
          const { bytes } = await rendered(folder, join(turned!, `${name}_${n}.jpg`), [variant()]);
          return rgb(bytes[0]!, 64);
        }),
      );
      for (const each of upright) expect(difference(each, upright[0]!)).toBeLessThan(3);
    },
  );
});

describe('the photographs', () => {
  it.skipIf(photos === null)('are refused wherever they are truncated', async () => {
    const whole = await sharp(join(photos!, 'Wine_by_Jakkub_Mede.jpg')).resize(600).jpeg().toBuffer();
    for (const length of [whole.length / 2, whole.length - 500, whole.length - 2]) {
      expect(await outcome(file(folder, whole.subarray(0, Math.floor(length))), [variant()])).toBe('corrupt');
    }
  });

  it.skipIf(samples === null)('are read as JPEG and TIFF of every camera', async () => {
    const names = filesOf(samples!, /\.(jpe?g|tiff)$/);
    const refused: string[] = [];
    for (const name of names) if ((await outcome(join(samples!, name))) !== 'rendered') refused.push(name);
    expect(refused).toEqual(['jpg/corrupted.jpg']);
  });
});

describe('the HEIC pictures of phones', () => {
  it.skipIf(samples === null)('are read upright', async () => {
    const names = filesOf(samples!, /\.hei[cf]$/i);
    const sizes: string[] = [];
    for (const name of names) {
      const { picture } = await rendered(folder, join(samples!, name), tiny);
      sizes.push(`${picture.format} ${picture.width}x${picture.height}`);
    }
    expect(sizes.sort()).toEqual(['heic 2566x3313', 'heic 3024x4032', 'heic 4608x3456', 'heic 640x426']);
  });
});

describe('metadata', () => {
  it.skipIf(hostile === null)('of a picture full of secrets does not reach any output', async () => {
    const formats = (['webp', 'jpeg', 'png', 'avif'] as const).map((format) => variant({ format }));
    const { bytes } = await rendered(folder, join(hostile!, 'private-all-metadata.jpg'), formats);
    for (const each of bytes) {
      expect(each.toString('latin1')).not.toMatch(/SECRET|SN12345|Exif\0\0|http:\/\/ns\.adobe|8BIM/);
      const { exif, xmp, iptc, icc, orientation, comments } = await sharp(each).metadata();
      expect({ exif, xmp, iptc, icc, orientation, comments }).toEqual({});
    }
  });
});

describe('the hostile files', () => {
  it.skipIf(hostile === null).each([
    ['empty.jpg', 'not_an_image'],
    ['one-byte.png', 'not_an_image'],
    ['html-named.jpg', 'not_an_image'],
    ['zip-named.jpg', 'not_an_image'],
    ['zeros-1MB.jpg', 'not_an_image'],
    ['csv-matrix-named.png', 'not_an_image'],
    ['vips-header-huge.v', 'not_an_image'],
    ['svg-named.jpg', 'unsupported_format'],
    ['ico-cur-huge-count.ico', 'corrupt'],
    ['heic-ftyp-only.heic', 'corrupt'],
    ['bm-text.txt.bmp', 'not_an_image'],
    ['avif-ftyp-only.avif', 'corrupt'],
    ['jpeg-only-soi.jpg', 'corrupt'],
    ['png-only-signature.png', 'corrupt'],
    ['png-interlaced-truncated.png', 'corrupt'],
    ['webp-vp8x-16384x16384-nodata.webp', 'corrupt'],
    ['png-50000x50000-1bit.png', 'too_large'],
    ['png-16000x16000-rgb-under-limit.png', 'rendered'],
    ['tiff-deflate-16000x16000.tif', 'rendered'],
    ['jpeg-65535x65535-header-only.jpg', 'corrupt'],
    ['gif-65535x65535.gif', 'too_large'],
    ['gif-35-byte.gif', 'too_large'],
    ['gif-frame-outside-canvas.gif', 'too_large'],
    ['gif-20000-frames-1x1.gif', 'too_many_frames'],
    ['gif-5000-frames-2000x2000.gif', 'too_many_frames'],
    ['tiff-20000-pages.tif', 'too_many_frames'],
    ['tiff-4Gx4G.tif', 'corrupt'],
    ['tiff-huge-strip-count.tif', 'corrupt'],
    ['tiff-65535-entries-truncated.tif', 'corrupt'],
    ['gif-jpeg-polyglot.gif', 'corrupt'],
    ['jpeg-exif-loop.jpg', 'corrupt'],
    ['png-1x1-claims-2147483647.png', 'corrupt'],
    ['webp-riff-4GB-size.webp', 'corrupt'],
    // libpng decompresses only the requested pixels and ignores the excess data in these files.
    ['png-iccp-bomb-100MB.png', 'rendered'],
    ['png-ztxt-bomb-100MB.png', 'rendered'],
    ['png-100k-text-chunks.png', 'rendered'],
    ['tiff-ifd-loop.tif', 'rendered'],
  ])('%s is %s', async (name, code) => {
    expect(await outcome(join(hostile!, name))).toBe(code);
  });
});

describe('an allowed SVG', () => {
  const hostileSvg = hostile === null ? [] : filesOf(hostile, /^svg-external/);

  it.skipIf(hostile === null).each(hostileSvg)('does not show other files: %s', async (name) => {
    const limits = { ...LIMITS, allowSvg: true };
    const { bytes } = await rendered(folder, join(hostile!, name), [variant({ format: 'png' })], limits);
    const { data } = await rgb(bytes[0]!);
    // Two of them refer to secret-red.png, which is pure red.
    const red = data.filter((_, i) => i % 3 === 0 && data[i]! > 200 && data[i + 1]! < 50).length;
    expect(red).toBe(0);
  });

  it.skipIf(hostile === null)('is refused with an entity that refers to a file', async () => {
    const path = join(hostile!, 'svg-xxe-etc-passwd.svg');
    await expect(rendered(folder, path, tiny, { ...LIMITS, allowSvg: true })).rejects.toThrow(/not defined/);
  });
});

describe('the fixtures', () => {
  const fixtures = fileURLToPath(new URL('../fixtures/photos', import.meta.url));
  let found: { name: string; longest: number; exif: boolean }[] = [];

  beforeAll(async () => {
    found = await Promise.all(
      filesOf(fixtures, /\.jpg$/).map(async (name) => {
        const { width, height, exif } = await sharp(join(fixtures, name)).metadata();
        return { name, longest: Math.max(width, height), exif: exif !== undefined };
      }),
    );
  });

  it('are small photographs with named authors', () => {
    const licences = readFileSync(join(fixtures, 'LICENCES.md'), 'utf8');
    expect(found).toHaveLength(7);
    for (const { name, longest, exif } of found) {
      expect(licences).toContain(name);
      expect(longest).toBeLessThanOrEqual(2000);
      expect(exif).toBe(false);
    }
  });
});
