import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compressed } from '../../../src/image/png/compress.ts';
import type { Frames } from '../../../src/image/steps/frames.ts';
import { random } from '../../random.ts';

const SIDE = 400;

/** A square of pixels whose samples are a function of the position. */
function square(channels: Frames['channels'], sample: (x: number, y: number, channel: number) => number) {
  const data = Buffer.from(
    Array.from({ length: SIDE * SIDE * channels }, (_, i) => {
      const at = Math.floor(i / channels);
      return sample(at % SIDE, Math.floor(at / SIDE), i % channels);
    }),
  );
  return { data, width: SIDE, height: SIDE, channels };
}

/** All rows behind filter byte 0. */
function unfiltered({ data, channels }: ReturnType<typeof square>): Buffer {
  const row = SIDE * channels;
  const rows = Array.from({ length: SIDE }, (_, y) => data.subarray(y * row, (y + 1) * row));
  return Buffer.concat(rows.flatMap((each) => [Buffer.from([0]), each]));
}

describe('the rows of a PNG', () => {
  const next = random(7);
  const noise = square(1, () => 200 + Math.floor(next() * 16));
  const tiles = Array.from({ length: 40 }, () => Math.floor(next() * 200));
  const graphic = square(3, (x, y, c) => tiles[(Math.floor(x / 9) * 7 + Math.floor(y / 5) * 3 + c) % 40]!);
  const gradient = square(3, (x, y, c) => (x * (c + 1) + y * 2) & 255);

  it('of noise take hardly more than the information in them', async () => {
    const made = await compressed(noise, 7);
    expect(made.length).toBeLessThan(((SIDE * SIDE * 4) / 8) * 1.02);
    expect(inflateSync(made).equals(unfiltered(noise))).toBe(true);
  });

  it('of a graphic take at most as much as zlib at its highest level needs for them', async () => {
    const made = await compressed(graphic, 7);
    expect(made.length).toBeLessThanOrEqual(deflateSync(unfiltered(graphic), { level: 9 }).length);
  });

  it('of a gradient are filtered at high effort', async () => {
    const made = await compressed(gradient, 7);
    expect(made.length).toBeLessThan(deflateSync(unfiltered(gradient), { level: 9 }).length / 2);
  });

  it.each([1, 3, 6, 7, 10])('have the length of the picture at effort %i', async (effort) => {
    for (const rows of [noise, graphic, gradient]) {
      expect(inflateSync(await compressed(rows, effort))).toHaveLength(unfiltered(rows).length);
    }
  });
});
