import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { isAdobeRgb } from '../../src/image/exif.ts';
import { openPicture } from '../../src/image/picture.ts';
import { meanDeltaE } from './delta-e.ts';
import { rgbProfile } from './icc-writer.ts';
import { exact, file, LIMITS, rendered, rgb, scratch, shared } from './pictures.ts';
import { chunk, gama, iccp, png } from './png-writer.ts';
import { gamma, SIDE, samplesOf, WANTED } from './signals.ts';

const folder = scratch();
const cases = shared('cases/colour');

interface Made {
  readonly order?: 'II' | 'MM';
  readonly colorSpace?: number;
  readonly index?: string;
  readonly orientation?: number;
}

/** Three directories: the orientation, the colour space, and the interoperability index (Exif 2.32, 4.6). */
function exif({ order = 'MM', colorSpace = 0xffff, index = 'R03', orientation = 1 }: Made = {}): Buffer {
  const bytes = Buffer.alloc(8 + 30 + 30 + 18);
  const number = (value: number, at: number, length: number) =>
    order === 'II' ? bytes.writeUIntLE(value, at, length) : bytes.writeUIntBE(value, at, length);
  bytes.write(order, 'latin1');
  number(42, 2, 2);
  number(8, 4, 4);
  const entries: readonly (readonly [number, number, number, number])[] = [
    [10, 0x112, 3, orientation],
    [22, 0x8769, 4, 38],
    [40, 0xa001, 3, colorSpace],
    [52, 0xa005, 4, 68],
    [70, 1, 2, 0],
  ];
  for (const [at, count] of [
    [8, 2],
    [38, 2],
    [68, 1],
  ] as const) {
    number(count, at, 2);
  }
  for (const [at, tag, type, value] of entries) {
    number(tag, at, 2);
    number(type, at + 2, 2);
    number(type === 2 ? 4 : 1, at + 4, 4);
    number(value, at + 8, type === 3 ? 2 : 4);
  }
  bytes.write(`${index}\0`, 78, 'latin1');
  return bytes;
}

/** A JPEG with this EXIF block as its first segment. */
function withExif(jpeg: Buffer, block: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(block.length + 8, 2);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    head,
    Buffer.from('Exif\0\0', 'latin1'),
    block,
    jpeg.subarray(2),
  ]);
}

const ADOBE = samplesOf('adobe', gamma(563 / 256)).map((v) => Math.round(v * 255));

const picture = (samples: ArrayLike<number>) =>
  sharp(Uint8Array.from(samples), { raw: { width: SIDE, height: SIDE, channels: 3 } });

const jpeg = (samples: ArrayLike<number> = ADOBE) =>
  picture(samples).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();

async function shown(source: Buffer, width = SIDE): Promise<Uint8Array> {
  const { bytes } = await rendered(folder, source, [exact({ width })]);
  return (await rgb(bytes[0]!)).data;
}

/** The expected picture at half size: each pixel is the mean of four. */
const HALF = Uint8Array.from({ length: (SIDE / 2) ** 2 * 3 }, (_, i) => {
  const [x, y] = [(Math.floor(i / 3) % (SIDE / 2)) * 2, Math.floor(i / 3 / (SIDE / 2)) * 2];
  const at = (dx: number, dy: number): number => WANTED[((y + dy) * SIDE + x + dx) * 3 + (i % 3)]!;
  return (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4;
});

describe('a picture with Adobe RGB in its EXIF', () => {
  it.each(['II', 'MM'] as const)('becomes sRGB as a JPEG, at full size and scaled: %s', async (order) => {
    const source = withExif(await jpeg(), exif({ order }));
    expect(meanDeltaE(await shown(await jpeg()), WANTED)).toBeGreaterThan(2);
    expect(meanDeltaE(await shown(source), WANTED)).toBeLessThan(1);
    expect(meanDeltaE(await shown(source, SIDE / 2), HALF)).toBeLessThan(1);
  });

  it('becomes sRGB as a WebP and as a PNG of 8 or 16 bits', async () => {
    const webp = await picture(ADOBE)
      .webp({ lossless: true })
      .withExif({ IFD0: { Artist: 'x' } })
      .toBuffer();
    const at = webp.indexOf('EXIF');
    const block = exif();
    const riff = Buffer.concat([webp.subarray(0, at + 8), block]);
    riff.writeUInt32LE(block.length, at + 4);
    riff.writeUInt32LE(riff.length - 8, 4);
    expect(meanDeltaE(await shown(riff), WANTED)).toBeLessThan(1);
    for (const bits of [8, 16] as const) {
      const data = samplesOf('adobe', gamma(563 / 256)).map((v) => Math.round(v * (2 ** bits - 1)));
      const samples = { data, width: SIDE, height: SIDE, channels: 3, bits } as const;
      expect(meanDeltaE(await shown(png(samples, [chunk('eXIf', block)])), WANTED)).toBeLessThan(1);
      expect(meanDeltaE(await shown(png(samples, [], [chunk('eXIf', block)])), WANTED)).toBeLessThan(1);
    }
  });

  it('also becomes upright', async () => {
    const source = withExif(await jpeg(), exif({ orientation: 3 }));
    const wanted = Uint8Array.from(
      WANTED,
      (_, i) => WANTED[(SIDE * SIDE - 1 - Math.floor(i / 3)) * 3 + (i % 3)]!,
    );
    expect(meanDeltaE(await shown(source), wanted)).toBeLessThan(1);
  });

  it('keeps its samples when a profile or a chunk states other colours', async () => {
    const samples = { data: WANTED, width: SIDE, height: SIDE, channels: 3, bits: 8 } as const;
    const srgb = chunk('sRGB', Buffer.from([0]));
    expect(meanDeltaE(await shown(png(samples, [srgb, chunk('eXIf', exif())])), WANTED)).toBe(0);
    const p3 = samplesOf('p3', gamma(2.19921875)).map((v) => Math.round(v * 255));
    const profile = iccp(rgbProfile('p3', 2.2));
    const tagged = png({ ...samples, data: p3 }, [profile, chunk('eXIf', exif())]);
    expect(meanDeltaE(await shown(tagged), WANTED)).toBeLessThan(1);
  });

  it('is scaled before conversion and never completely in memory', async () => {
    const estimate = async (source: Buffer): Promise<number> => {
      const opened = await openPicture(file(folder, source), LIMITS, [exact({ width: 8 })]);
      await opened.close();
      return opened.facts.memory;
    };
    const large = await sharp({ create: { width: 3000, height: 2000, channels: 3, background: '#a05030' } })
      .jpeg()
      .toBuffer();
    const [plain, adobe] = [await estimate(large), await estimate(withExif(large, exif()))];
    expect(adobe - plain).toBeLessThan((3000 * 2000 * 3) / 4);
  });

  it.skipIf(cases === null)('looks like base.png in the shared case', async () => {
    const { data } = await rgb(await readFile(join(cases!, 'base.png')));
    const found = await shown(await readFile(join(cases!, 'exif-adobergb-r03.jpg')), 4000);
    expect(meanDeltaE(found, data)).toBeLessThan(1.5);
  });
});

describe('a PNG that is too large for memory', () => {
  /** Opens the picture like a large one: only 1 MiB of its file is in memory. */
  async function opened(source: Buffer): Promise<{ width: number; height: number; data: Uint8Array }> {
    const picture = await openPicture(file(folder, source), LIMITS, [exact()], 100);
    const path = join(folder, `${source.length}.png`);
    const rendered = await picture.render([{ variant: exact(), path }]);
    await picture.close();
    expect(rendered.outputs).toHaveLength(1);
    return rgb(await readFile(path));
  }

  /** Random samples, which do not compress: more than 1 MiB. */
  const noise = (width: number, height: number): Uint8Array => {
    let seed = 1;
    return Uint8Array.from({ length: width * height * 3 }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed >>> 24;
    });
  };

  it('becomes upright by EXIF after its pixels', async () => {
    const [width, height] = [800, 600];
    const data = noise(width, height);
    const source = png(
      { data, width, height, channels: 3, bits: 8 },
      [],
      [chunk('eXIf', exif({ orientation: 6, colorSpace: 1 }))],
    );
    expect(source.length).toBeGreaterThan(1.2e6);
    const found = await opened(source);
    expect([found.width, found.height]).toEqual([height, width]);
    // The first stored row is the last column.
    expect([...found.data.subarray((height - 1) * 3, height * 3)]).toEqual([...data.subarray(0, 3)]);
    expect([...found.data.subarray((found.width * width - 1) * 3)]).toEqual([
      ...data.subarray((width - 1) * 3, width * 3),
    ]);
  });

  it('has the colours that it states after 1 MiB of other chunks', async () => {
    const data = samplesOf('srgb', gamma(1)).map((v) => Math.round(v * 65_535));
    const filler = chunk('teSt', Buffer.alloc(1.2e6));
    const source = png({ data, width: SIDE, height: SIDE, channels: 3, bits: 16 }, [filler, gama(100_000)]);
    expect(meanDeltaE((await opened(source)).data, WANTED)).toBeLessThan(1);
  });
});

describe('EXIF does not mean Adobe RGB', () => {
  it.each<[string, Buffer]>([
    ['with the index of sRGB', exif({ index: 'R98' })],
    ['with the colour space sRGB', exif({ colorSpace: 1 })],
    ['when it is empty', Buffer.alloc(0)],
    ['when it is not EXIF', Buffer.from('Exif\0\0 no EXIF here', 'latin1')],
    ['when its first directory lies beyond its end', Buffer.from('MM\0*\xff\xff\xff\xff', 'latin1')],
  ])('%s', (_, block) => {
    expect(isAdobeRgb(block)).toBe(false);
  });

  it('when it is truncated anywhere', () => {
    const block = exif();
    expect(isAdobeRgb(block)).toBe(true);
    for (let length = 0; length < 81; length++) expect(isAdobeRgb(block.subarray(0, length))).toBe(false);
  });
});
