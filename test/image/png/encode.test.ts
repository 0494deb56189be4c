import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../src/image/png/encode.ts';
import { type Frames, STILL } from '../../../src/image/steps/frames.ts';
import { exact, rendered, scratch, shared } from '../pictures.ts';
import { chunk, gama, interlacedPng, png } from '../png-writer.ts';

const folder = scratch();

const EFFORTS = [0, 3, 7, 10];

/** A picture whose samples are a function of the position. */
function picture(
  width: number,
  height: number,
  channels: Frames['channels'],
  sample: (x: number, y: number, channel: number) => number,
): Frames {
  const data = Buffer.alloc(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / channels);
    data[i] = sample(at % width, Math.floor(at / width), i % channels);
  }
  return { data, width, height, channels, ...STILL };
}

/** Deterministic noise. */
function noise(x: number, y: number, channel = 0): number {
  const hash = Math.imul(
    Math.imul(x + 1, 374_761_393) ^ Math.imul(y + 1, 668_265_263) ^ channel,
    1_274_126_177,
  );
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Red, green, blue and opacity of all pixels, from sharp's own decoder. */
async function rgba(input: Buffer | Frames): Promise<Buffer> {
  const opened =
    'channels' in input
      ? sharp(input.data, { raw: { width: input.width, height: input.height, channels: input.channels } })
      : sharp(input);
  return opened.toColourspace('srgb').ensureAlpha().raw().toBuffer();
}

interface Ihdr {
  readonly bits: number;
  readonly type: number;
}

const ihdr = (bytes: Buffer): Ihdr => ({ bits: bytes[24]!, type: bytes[25]! });

const chunkTypes = (bytes: Buffer): string[] => {
  const types: string[] = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    types.push(bytes.toString('latin1', at + 4, at + 8));
  }
  return types;
};

const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGBA = 6;

const colour = (n: number, channel: number): number => (n * (channel * 2 + 3) * 29) & 255;

const KINDS: [string, Frames, Ihdr][] = [
  ['a photograph', picture(90, 60, 3, (x, y, c) => noise(x, y, c) & 255), { bits: 8, type: RGB }],
  [
    'an opaque photograph with transparency',
    picture(90, 60, 4, (x, y, c) => (c === 3 ? 255 : noise(x, y, c) & 255)),
    { bits: 8, type: RGB },
  ],
  [
    'a photograph with transparency',
    picture(90, 60, 4, (x, y, c) => (c === 3 ? x : noise(x, y, c) & 255)),
    { bits: 8, type: RGBA },
  ],
  [
    'a grey photograph of three channels',
    picture(90, 60, 3, (x, y) => noise(x, y) & 255),
    { bits: 8, type: GREY },
  ],
  [
    'a grey photograph of one channel',
    picture(90, 60, 1, (x, y) => noise(x, y) & 255),
    { bits: 8, type: GREY },
  ],
  [
    'a grey photograph with transparency',
    picture(90, 60, 4, (x, y, c) => (c === 3 ? y : noise(x, y) & 255)),
    { bits: 8, type: GREY_ALPHA },
  ],
  ['black and white', picture(91, 60, 3, (x, y) => (noise(x, y) & 1) * 255), { bits: 1, type: GREY }],
  ['four levels of grey', picture(91, 60, 1, (x, y) => (noise(x, y) & 3) * 85), { bits: 2, type: GREY }],
  ['16 levels of grey', picture(91, 60, 3, (x, y) => (noise(x, y) & 15) * 17), { bits: 4, type: GREY }],
  ['two other greys', picture(91, 60, 3, (x, y) => 10 + (noise(x, y) & 1) * 235), { bits: 1, type: PALETTE }],
  ['one colour', picture(90, 60, 3, (_x, _y, c) => colour(5, c)), { bits: 1, type: PALETTE }],
  ['two colours', picture(91, 60, 3, (x, y, c) => colour(noise(x, y) & 1, c)), { bits: 1, type: PALETTE }],
  ['three colours', picture(91, 60, 3, (x, y, c) => colour(noise(x, y) % 3, c)), { bits: 2, type: PALETTE }],
  ['five colours', picture(91, 60, 3, (x, y, c) => colour(noise(x, y) % 5, c)), { bits: 4, type: PALETTE }],
  ['17 colours', picture(91, 60, 3, (x, y, c) => colour(noise(x, y) % 17, c)), { bits: 8, type: PALETTE }],
  ['256 colours', picture(91, 60, 3, (x, y, c) => colour(noise(x, y) & 255, c)), { bits: 8, type: PALETTE }],
  [
    '257 colours',
    picture(300, 9, 3, (x, _y, c) => (c === 0 ? (x % 257) & 255 : c === 1 ? (x % 257 === 256 ? 1 : 0) : 7)),
    { bits: 8, type: RGB },
  ],
  [
    'colours that differ by transparency alone',
    picture(91, 60, 4, (x, y, c) => (c === 3 ? (noise(x, y) % 3) * 127 : 200)),
    { bits: 2, type: PALETTE },
  ],
  ['one pixel', picture(1, 1, 4, (_x, _y, c) => c * 60), { bits: 1, type: PALETTE }],
];

describe('a PNG', () => {
  it.each(KINDS)(
    'of %s has exactly the source’s pixels with the fewest channels and bits',
    async (_, pixels, expected) => {
      const before = await rgba(pixels);
      for (const effort of EFFORTS) {
        const bytes = await encodePng(pixels, effort, null);
        expect((await rgba(bytes)).equals(before)).toBe(true);
        expect(ihdr(bytes)).toEqual(expected);
        expect(chunkTypes(bytes).filter((type) => !/^(?:IHDR|PLTE|tRNS|IDAT|IEND)$/.test(type))).toEqual([]);
      }
    },
  );

  it('lists opacities only for transparent colours', async () => {
    const pixels = picture(64, 64, 4, (x, y, c) => (c === 3 ? (x === 0 ? 0 : 255) : noise(x, y) & 7));
    const bytes = await encodePng(pixels, 7, null);
    const at = bytes.indexOf('tRNS', 0, 'latin1');
    expect(bytes.readUInt32BE(at - 4)).toBeLessThan(9);
  });

  it('does not grow with more effort', async () => {
    for (const [, pixels] of KINDS) {
      const lengths = await Promise.all(
        EFFORTS.map(async (each) => (await encodePng(pixels, each, null)).length),
      );
      expect(lengths.at(-1)).toBeLessThanOrEqual(lengths[0]!);
    }
  });
});

/** Smaller than with any one filter: the upper half is unfiltered, the lower half uses the left filter. */
function wellCompressed(): Buffer {
  const [width, height] = [256, 256];
  const value = (x: number, y: number, c: number): number =>
    y < height / 2 ? noise(x, y % 4, c) & 255 : (x * 3 + noise(0, y, c)) & 255;
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0, at = 0; y < height; y++) {
    rows[at++] = y < height / 2 ? 0 : 1;
    for (let i = 0; i < width * 3; i++) {
      const [x, c] = [Math.floor(i / 3), i % 3];
      const left = y < height / 2 || x === 0 ? 0 : value(x - 1, y, c);
      rows[at++] = value(x, y, c) - left;
    }
  }
  const whole = png({ data: [0, 0, 0], width: 1, height: 1, channels: 3, bits: 8 });
  const header = Buffer.from(whole.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    whole.subarray(0, 8),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from('Author\0someone')),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Rows after their filter bytes. */
function idat(bytes: Buffer): Buffer {
  const packed: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    if (bytes.toString('latin1', at + 4, at + 8) !== 'IDAT') continue;
    packed.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  return inflateSync(Buffer.concat(packed));
}

describe('an output of the same size as its PNG source', () => {
  const source = wellCompressed();

  it('keeps the compressed pixels of a smaller source, without its texts', async () => {
    const { bytes } = await rendered(folder, source, [exact({ effort: 7 })]);
    expect(bytes[0]!.length).toBeLessThan(source.length);
    expect(idat(bytes[0]!).equals(idat(source))).toBe(true);
    expect(chunkTypes(bytes[0]!)).toEqual(['IHDR', 'IDAT', 'IEND']);
    expect((await rgba(bytes[0]!)).equals(await rgba(source))).toBe(true);
  });

  it('is never larger than a tiny interlaced source', async () => {
    const tiny = interlacedPng();
    expect(
      (
        await encodePng(
          picture(3, 3, 1, (_x, y) => (y === 1 ? 255 : 0)),
          10,
          null,
        )
      ).length,
    ).toBeGreaterThan(tiny.length);
    const { bytes } = await rendered(folder, tiny, [exact({ effort: 10 })]);
    expect(bytes[0]).toEqual(tiny);
  });

  it.each([
    [
      'a source in other colours',
      Buffer.concat([source.subarray(0, 33), gama(100_000), source.subarray(33)]),
      {},
    ],
    ['a variant in grey', source, { grayscale: true }],
    ['a sharpened variant', source, { sharpen: true }],
    ['a smaller variant', source, { width: 255 }],
  ])('does not keep them for %s', async (_, bytes, changes) => {
    const { bytes: made } = await rendered(folder, bytes, [exact({ effort: 7, ...changes })]);
    expect(idat(made[0]!).equals(idat(source))).toBe(false);
  });
});

describe('the shared folder of encoders', () => {
  const cases = shared('cases/encoders');
  const names = cases === null ? [] : readdirSync(cases);

  it.runIf(cases !== null).each(names)('has %s, and its PNG output is no larger', async (name) => {
    const source = readFileSync(join(cases!, name));
    const { bytes } = await rendered(folder, source, [exact({ effort: 7 })]);
    expect(bytes[0]!.length).toBeLessThanOrEqual(source.length);
    expect((await rgba(bytes[0]!)).equals(await rgba(source))).toBe(true);
  });
});
