import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { codePointsOf } from '../../src/image/av1.ts';
import { avifFacts } from '../../src/image/avif.ts';
import { encoded, lopsided } from './pictures.ts';

/** Concatenates bits, given as pairs of a number and its length in bits. */
function bits(...fields: readonly (readonly [number, number])[]): Buffer {
  const all = fields.map(([value, count]) => value.toString(2).padStart(count, '0')).join('');
  return Buffer.from(all.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
}

/** A unit of a stream with its length (AV1 specification, 5.3). */
const unit = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(type << 3) | 2, content.length]), content]);

const SIZE = [
  [9, 4],
  [7, 4],
  [600, 10],
  [200, 8],
] as const;
/** High bit depth or not, not monochrome, with a description: Rec. 2020, PQ and its matrix. */
const COLOURS = [
  [1, 1],
  [0, 1],
  [1, 1],
  [9, 8],
  [16, 8],
  [9, 8],
] as const;

/** Profile 0, a still picture, the reduced header. */
const SHORT = bits([0, 3], [1, 1], [1, 1], [8, 5], ...SIZE, [0, 3], [0, 3], ...COLOURS);

/** With timing, a decoder model, two operating points, numbered frames, and all tools enabled. */
const LONG = bits(
  ...([
    [0, 3],
    [0, 1],
    [0, 1],
  ] as const),
  ...([
    [1, 1],
    [1, 32],
    [30, 32],
    [1, 1],
    [0b00101, 5],
  ] as const),
  ...([
    [1, 1],
    [9, 5],
    [1, 32],
    [9, 5],
    [9, 5],
  ] as const),
  ...([
    [1, 1],
    [1, 5],
  ] as const),
  ...([
    [1, 12],
    [9, 5],
    [1, 1],
    [1, 1],
    [5, 10],
    [5, 10],
    [0, 1],
    [1, 1],
    [3, 4],
  ] as const),
  ...([
    [2, 12],
    [7, 5],
    [0, 1],
    [0, 1],
  ] as const),
  ...SIZE,
  ...([
    [1, 1],
    [2, 4],
    [1, 3],
  ] as const),
  ...([
    [7, 3],
    [15, 4],
    [1, 1],
    [3, 2],
    [0, 1],
    [1, 1],
    [0, 1],
    [1, 1],
    [6, 3],
  ] as const),
  [7, 3],
  ...COLOURS,
);

describe('the sequence header of an AV1 stream', () => {
  it.each([
    ['short', SHORT],
    ['long', LONG],
  ])('gives its code points, in its %s form', (_, header) => {
    const wanted = { primaries: 9, transfer: 16 };
    expect(codePointsOf(unit(1, header))).toEqual(wanted);
    expect(codePointsOf(Buffer.concat([unit(2, Buffer.alloc(0)), unit(1, header)]))).toEqual(wanted);
  });

  it('gives no code points when they are absent, the header is truncated, or there is no header', () => {
    const plain = bits([0, 3], [1, 1], [1, 1], [8, 5], ...SIZE, [0, 3], [0, 3], [0, 1], [0, 1], [0, 1]);
    expect(codePointsOf(unit(1, plain))).toBeNull();
    expect(codePointsOf(unit(1, SHORT.subarray(0, -3)))).toBeNull();
    expect(codePointsOf(Buffer.concat([unit(2, Buffer.alloc(0)), unit(6, SHORT)]))).toBeNull();
    expect(codePointsOf(Buffer.alloc(0))).toBeNull();
  });

  it('is used for an AVIF without other code points', async () => {
    for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
      const avif = await encoded(lopsided(60, 40)).avif({ chromaSubsampling, effort: 0 }).toBuffer();
      expect(avif.includes('nclx')).toBe(false);
      expect(avifFacts(avif).codePoints).toEqual({ primaries: 1, transfer: 13 });
      expect((await sharp(avif).metadata()).width).toBe(60);
    }
  });
});
