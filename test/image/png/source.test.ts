import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { rebuiltPng } from '../../../src/image/png/source.ts';
import { chunk, number } from '../png-writer.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const END = chunk('IEND', Buffer.alloc(0));
const SECRET = Buffer.from('SECRET');

const ihdr = (width: number, height: number, bits: number, type: number, interlace = 0): Buffer =>
  chunk(
    'IHDR',
    Buffer.concat([number(width, 4), number(height, 4), Buffer.from([bits, type, 0, 0, interlace])]),
  );

const file = (...chunks: Buffer[]): Buffer => Buffer.concat([SIGNATURE, ...chunks]);
const idat = (...bytes: number[]): Buffer => chunk('IDAT', deflateSync(Buffer.from(bytes)));

/** Two pixels in a row: red and green. */
const RGB = ihdr(2, 1, 8, 2);
const PIXELS = [0, 255, 0, 0, 0, 255, 0];
const keyed = (header: Buffer, ...key: number[]): Buffer =>
  file(header, chunk('tRNS', Buffer.from(key)), idat(...PIXELS), END);
/** Four pixels of 4 bits. */
const INDEXED = ihdr(4, 1, 4, 3);
const PALETTE = chunk('PLTE', Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255]));
/** Three by three pixels of 8 bits with a palette. Each row of a pass starts with its filter. Two passes are empty. */
const INTERLACED = ihdr(3, 3, 8, 3, 1);
const PASSES = [...[0, 0], ...[0, 1], ...[0, 2, 0], ...[0, 1, 0, 1], ...[0, 2, 0, 1]];

describe('a rebuilt PNG', () => {
  it('has the compressed pixels of the other file, and no other bytes of it', async () => {
    const source = file(RGB, chunk('tEXt', SECRET), idat(...PIXELS), chunk('tIME', SECRET), END, SECRET);
    const made = rebuiltPng(source);
    expect(made).toEqual(file(RGB, idat(...PIXELS), END));
    expect(await sharp(made!).raw().toBuffer()).toEqual(await sharp(source).raw().toBuffer());
  });

  it('joins pixel data that lie in several chunks', () => {
    const packed = deflateSync(Buffer.from(PIXELS));
    const parts = [packed.subarray(0, 5), packed.subarray(5)].map((part) => chunk('IDAT', part));
    expect(rebuiltPng(file(RGB, ...parts, END))).toEqual(file(RGB, idat(...PIXELS), END));
  });

  it('writes the end and its checksum anew', () => {
    const source = file(RGB, idat(...PIXELS), chunk('IEND', SECRET));
    expect(rebuiltPng(source.subarray(0, -2))).toEqual(file(RGB, idat(...PIXELS), END));
  });

  it('keeps a palette whose colours serve all indexes', () => {
    const source = file(INDEXED, PALETTE, chunk('tRNS', Buffer.from([9])), idat(0, 0x01, 0x22), END);
    expect(rebuiltPng(source)).toEqual(source);
  });

  it('keeps the passes of an interlaced picture', () => {
    const source = file(INTERLACED, PALETTE, idat(...PASSES), END);
    expect(rebuiltPng(source)).toEqual(source);
  });

  it('is not made when its pixels take as many bytes as the limit', () => {
    const source = file(RGB, idat(...PIXELS), END);
    const length = deflateSync(Buffer.from(PIXELS)).length;
    expect(rebuiltPng(source, length)).toBeNull();
    expect(rebuiltPng(source, length + 1)).toEqual(source);
  });

  it('keeps the colour key of red', async () => {
    const source = keyed(RGB, 0, 255, 0, 0, 0, 0);
    expect(rebuiltPng(source)).toEqual(source);
    expect([...(await sharp(source).raw().toBuffer())]).toEqual([255, 0, 0, 0, 0, 255, 0, 255]);
  });

  it.each([
    ['an index without a colour', file(INDEXED, PALETTE, idat(0, 0x01, 0x23), END)],
    ['a filtered index without a colour', file(INDEXED, PALETTE, idat(1, 0x11, 0x12), END)],
    [
      'more opacities than colours',
      file(INDEXED, PALETTE, chunk('tRNS', Buffer.alloc(4)), idat(0, 0, 0), END),
    ],
    ['two palettes', file(INDEXED, PALETTE, PALETTE, idat(0, 0, 0), END)],
    ['no palette', file(INDEXED, idat(0, 0, 0), END)],
    ['a palette that is cut', file(INDEXED, chunk('PLTE', Buffer.alloc(4)), idat(0, 0, 0), END)],
    ['a colour key that no pixel can have', keyed(RGB, 1, 0, 0, 0, 0, 0)],
    ['a colour key of too few samples', keyed(RGB, 0, 0)],
    ['a colour key beside opacities', keyed(ihdr(2, 1, 8, 6), 0, 0, 0, 0, 0, 0)],
    ['16 bits', file(ihdr(1, 1, 16, 0), idat(0, 1, 2), END)],
    ['an unknown interlacing', file(ihdr(2, 1, 8, 2, 2), idat(...PIXELS), END)],
    ['too few pixels in its passes', file(INTERLACED, idat(...PASSES.slice(1)), END)],
    [
      'an index without a colour in its last pass',
      file(INTERLACED, PALETTE, idat(...PASSES.slice(0, -1), 0x03), END),
    ],
    ['too few pixels', file(RGB, idat(...PIXELS.slice(1)), END)],
    ['more pixels than its size', file(RGB, idat(...PIXELS, ...SECRET), END)],
    [
      'bytes behind the compressed pixels',
      file(RGB, chunk('IDAT', Buffer.concat([deflateSync(Buffer.from(PIXELS)), SECRET])), END),
    ],
    ['no end', file(RGB, idat(...PIXELS))],
    ['damaged pixels', file(RGB, chunk('IDAT', SECRET), END)],
  ])('is not made of a file with %s', (_, source) => {
    expect(rebuiltPng(source)).toBeNull();
  });
});
