import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { avifFacts, makeReadable } from '../../src/image/avif.ts';
import { openPicture } from '../../src/image/picture.ts';
import { box, withPremultiplied, withProperty } from './avif-writer.ts';
import { rgbProfile } from './icc-writer.ts';
import { encoded, exact, file, LIMITS, lopsided, rendered, scratch, shared } from './pictures.ts';
import { number } from './png-writer.ts';
import { srgbEncode } from './signals.ts';

const folder = scratch();
const stripped = shared('cases/avif-stripped-by-exiftool');
const canvas = shared('cases/alpha-and-canvas');

const plain = () => encoded(lopsided(60, 40)).avif({ quality: 60, effort: 0 }).toBuffer();
const pixels = async (source: Buffer): Promise<Buffer> =>
  sharp((await rendered(folder, source, [exact()])).bytes[0]!)
    .raw()
    .toBuffer();

describe('an animated AVIF', () => {
  const animated = (avif: Buffer): Buffer => {
    const copy = Buffer.from(avif);
    copy.write('avis', 8, 'latin1');
    return copy;
  };

  it('shows its first picture', async () => {
    const avif = await plain();
    expect(await pixels(animated(avif))).toEqual(await sharp(avif).raw().toBuffer());
  });

  it('has the digest of the bytes in its file', async () => {
    const avif = animated(await plain());
    const { picture } = await rendered(folder, avif, [exact()]);
    expect(picture.digest).toBe(createHash('sha256').update(avif).digest('hex'));
  });

  it('is unsupported when it is too large for memory', async () => {
    const path = file(folder, animated(await plain()));
    await expect(openPicture(path, LIMITS, [], 100)).rejects.toMatchObject({
      code: 'unsupported_format',
      message: expect.stringContaining('animated AVIF'),
      fix: expect.stringContaining('first frame'),
    });
  });
});

describe('an AVIF with an emptied ICC profile', () => {
  it.each(['prof', 'rICC'])('has the same pixels as without the profile: %s', async (type) => {
    const avif = await plain();
    const emptied = withProperty(avif, 'colr', Buffer.from(type));
    await expect(sharp(emptied).raw().toBuffer()).rejects.toThrow();
    expect(await pixels(emptied)).toEqual(await sharp(avif).raw().toBuffer());
  });

  it('is read even when the profile is marked as essential', async () => {
    const avif = await plain();
    const emptied = withProperty(avif, 'colr', Buffer.from('prof'));
    const count = emptied.indexOf('ipma') + 14;
    const last = count + emptied[count]!;
    emptied[last] = emptied[last]! | 0x80;
    expect(await pixels(emptied)).toEqual(await sharp(avif).raw().toBuffer());
  });

  it('loses thousands of emptied profiles and the references to them', () => {
    const [profiles, others, associations] = [9_999, 1, 60_000];
    const properties = [
      ...Array<Buffer>(profiles).fill(box('colr', Buffer.from('prof'))),
      box('irot', Buffer.alloc(1)),
    ];
    const indexes = Array.from({ length: associations }, (_, i) => (i % (profiles + others)) + 1);
    const entries = Array.from({ length: associations / 200 }, (_, item) =>
      Buffer.concat([
        Buffer.concat([number(item, 2), number(200, 1)]),
        ...indexes.slice(item * 200, item * 200 + 200).map((index) => number(index, 2)),
      ]),
    );
    const table = Buffer.concat([number(1, 4), number(entries.length, 4), ...entries]);
    const iprp = box('iprp', Buffer.concat([box('ipco', Buffer.concat(properties)), box('ipma', table)]));
    const bytes = Buffer.concat([
      box('ftyp', Buffer.from('avif')),
      box('meta', Buffer.concat([number(0, 4), iprp])),
    ]);
    makeReadable(bytes);
    expect(bytes.indexOf('colr')).toBe(-1);
    const from = bytes.indexOf('ipma') + 12;
    const left = indexes.map((_, i) =>
      bytes.readUInt16BE(from + Math.floor(i / 200) * 403 + 3 + (i % 200) * 2),
    );
    expect(left).toEqual(indexes.map((index) => (index > profiles ? index : 0)));
  });

  it.skipIf(stripped === null)('has the same pixels as before ExifTool emptied the profile', async () => {
    const [before, after] = await Promise.all(
      ['before.avif', 'stripped.avif'].map(async (name) => pixels(await readFile(join(stripped!, name)))),
    );
    expect(after).toEqual(before);
  });
});

describe('an AVIF with premultiplied colours', () => {
  /** A disc of one colour with a soft edge, on a transparent background. */
  const SIDE = 64;
  const COLOUR = [255, 218, 32];
  const opacity = (i: number): number => {
    const away = Math.hypot((i % SIDE) - 31.5, Math.floor(i / SIDE) - 31.5);
    return Math.round(255 * Math.min(1, Math.max(0, (28 - away) / 16)));
  };
  const premultiplied = async (bitdepth: 8 | 10): Promise<Buffer> => {
    const data = Uint8Array.from({ length: SIDE * SIDE * 4 }, (_, i) => {
      const alpha = opacity(Math.floor(i / 4));
      return i % 4 === 3 ? alpha : Math.round((COLOUR[i % 4]! * alpha) / 255);
    });
    const raw = sharp(data, { raw: { width: SIDE, height: SIDE, channels: 4 } });
    return withPremultiplied(
      await raw.avif({ quality: 100, effort: 0, chromaSubsampling: '4:4:4', bitdepth }).toBuffer(),
    );
  };

  it.each([8, 10] as const)(
    'of %d bits keeps the colour of its edges, at full size and scaled down',
    async (bits) => {
      const { bytes } = await rendered(folder, await premultiplied(bits), [exact(), exact({ width: 23 })]);
      for (const each of bytes) {
        const { data } = await sharp(each).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
        const sums = [0, 0, 0];
        let weight = 0;
        for (let at = 0; at < data.length; at += 4) {
          const alpha = data[at + 3]!;
          if (alpha < 64) continue;
          weight++;
          for (const [i, wanted] of COLOUR.entries()) sums[i]! += Math.abs(data[at + i]! - wanted);
        }
        expect(weight).toBeGreaterThan(100);
        for (const sum of sums) expect(sum / weight).toBeLessThan(3);
      }
    },
  );

  it('becomes sRGB when the decoder has to convert its profile', async () => {
    const p3 = [200, 100, 50];
    const data = Uint8Array.from({ length: 32 * 32 * 4 }, (_, i) => p3[i % 4] ?? (i < 400 ? 0 : 255));
    const raw = sharp(data, { raw: { width: 32, height: 32, channels: 4 } });
    const avif = await raw
      .avif({ quality: 100, effort: 0, chromaSubsampling: '4:4:4', bitdepth: 10 })
      .toBuffer();
    const profile = rgbProfile('p3', 2.19921875);
    // This tag name counts as a table, but lcms does not know it and uses the matrix.
    profile.write('A2B9', profile.indexOf('wtpt'), 'latin1');
    const source = withPremultiplied(
      withProperty(avif, 'colr', Buffer.concat([Buffer.from('prof'), profile])),
    );
    // Linear light of Display P3 to linear light of sRGB (SMPTE RP 177).
    const light = p3.map((v) => (v / 255) ** 2.19921875);
    const wanted = [
      [1.2249401, -0.2249402, 0],
      [-0.0420569, 1.0420571, 0],
      [-0.0196376, -0.0786507, 1.0982884],
    ].map((row) => Math.round(255 * srgbEncode(row.reduce((sum, n, j) => sum + n * light[j]!, 0))));
    const { bytes } = await rendered(folder, source, [exact(), exact({ width: 16 })]);
    for (const each of bytes) {
      const { data: found, info } = await sharp(each).raw().toBuffer({ resolveWithObject: true });
      const at = (info.width * (info.height - 4) + 8) * info.channels;
      for (const [i, value] of wanted.entries()) expect(Math.abs(found[at + i]! - value)).toBeLessThan(4);
    }
  });

  it.skipIf(canvas === null)('has bright edges in the shared case', async () => {
    const data = await pixels(await readFile(join(canvas!, 'avif-premultiplied.avif')));
    const reds: number[] = [];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3]! >= 64 && data[at + 3]! <= 200) reds.push(data[at]!);
    }
    expect(reds.length).toBeGreaterThan(100);
    // Premultiplied, it would be half of that.
    expect(reds.reduce((sum, red) => sum + red, 0) / reds.length).toBeGreaterThan(245);
  });
});

describe('an AVIF with damaged boxes', () => {
  it('stays unchanged wherever it is truncated or overwritten', async () => {
    const avif = await plain();
    for (let at = 0; at < Math.min(avif.length, 400); at++) {
      for (const bytes of [Buffer.from(avif.subarray(0, at)), Buffer.from(avif).fill(0xff, at, at + 4)]) {
        expect(() => makeReadable(bytes)).not.toThrow();
        expect(() => avifFacts(bytes)).not.toThrow();
      }
    }
  });
});
