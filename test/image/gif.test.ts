import { describe, expect, it } from 'vitest';
import { firstFrame } from '../../src/image/gif.ts';
import { encoded, lopsided, plain } from './pictures.ts';

/** Packs codes of given widths from the lowest bit on, and splits them into blocks. */
function blocks(codes: readonly (readonly [code: number, bits: number])[]): Buffer {
  const bits = codes.flatMap(([code, size]) => Array.from({ length: size }, (_, i) => (code >> i) & 1));
  const packed = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) packed[i >> 3]! |= bit << (i & 7);
  const pieces: Buffer[] = [];
  for (let from = 0; from < packed.length; from += 255) {
    const piece = packed.subarray(from, from + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return Buffer.concat([...pieces, Buffer.from([0])]);
}

/** A GIF with one frame of these blocks, and bytes after it. */
function gif(width: number, height: number, data: Buffer, ...tail: readonly number[]): Buffer {
  const size = Buffer.from([width & 255, width >> 8, height & 255, height >> 8]);
  return Buffer.concat([
    ...[Buffer.from('GIF89a', 'latin1'), size, Buffer.from([0x80, 0, 0, 0, 0, 0, 9, 9, 9])],
    ...[Buffer.from([0x2c, 0, 0, 0, 0]), size, Buffer.from([0, 2]), data, Buffer.from(tail)],
  ]);
}

/** One colour in runs, each one pixel longer than the previous, up to a full table, then `more` longest runs. */
function oneColour(more: number) {
  const codes: [number, number][] = [
    [4, 3],
    [0, 3],
  ];
  let [bits, pixels, longest] = [3, 1, 1];
  for (let next = 6; next < 4096; next++) {
    codes.push([next, bits]);
    pixels += ++longest;
    if (next + 1 === 1 << bits && bits < 12) bits++;
  }
  for (let i = 0; i < more; i++) codes.push([4095, 12]);
  codes.push([5, 12]);
  return { codes, pixels: pixels + more * longest };
}

describe('the first frame of a GIF', () => {
  it('is found after its extensions, with the bytes of its pixels', async () => {
    const bytes = await plain(30, 20, '#336699').gif({ delay: 100, loop: 3 }).toBuffer();
    const frame = firstFrame(bytes);
    expect(frame).toMatchObject({ left: 0, top: 0, width: 30, height: 20, isWhole: true });
    expect(frame?.bytes).toBeGreaterThan(0);
    expect(frame?.bytes).toBeLessThan(bytes.length);
  });

  it('is complete when all pixels are present, even if other data follows', async () => {
    for (const make of [lopsided(40, 30), lopsided(300, 200)]) {
      const bytes = await encoded(make).gif().toBuffer();
      bytes[bytes.length - 1] = 0;
      expect(firstFrame(bytes)?.isWhole).toBe(true);
    }
  });

  it.each([0, 1, 700])('has every pixel when a full table stays in use, %i times', (more) => {
    const { codes, pixels } = oneColour(more);
    // Both are products of two sides below 65,536.
    const side = (count: number) =>
      Array.from({ length: 4000 }, (_, i) => 4000 - i).find((n) => count % n === 0)!;
    for (const [count, isWhole] of [
      [pixels, true],
      [pixels + side(pixels), false],
    ] as const) {
      const width = side(pixels);
      expect(firstFrame(gif(width, count / width, blocks(codes), 0))?.isWhole, `${count}`).toBe(isWhole);
    }
  });

  it('is incomplete when zeros replace its end', async () => {
    const bytes = await encoded(lopsided(300, 200)).gif().toBuffer();
    for (const part of [0.3, 0.6, 0.9, 0.99]) {
      const damaged = Buffer.from(bytes).fill(0, Math.floor(bytes.length * part));
      expect(firstFrame(damaged)?.isWhole, `${part}`).toBe(false);
    }
  });

  it('is complete when it ends early and the file continues', () => {
    const few = blocks([
      [4, 3],
      [0, 3],
      [5, 3],
    ]);
    expect(firstFrame(gif(9, 9, few, 0x3b))?.isWhole).toBe(true);
    expect(firstFrame(gif(9, 9, few, 0, 0, 0))?.isWhole).toBe(false);
  });

  it('is undefined in a file without a frame', () => {
    expect(firstFrame(Buffer.from('GIF89a'))).toBeUndefined();
    expect(firstFrame(gif(9, 9, Buffer.alloc(0)).fill(0x3b, 19, 20))).toBeUndefined();
  });
});
