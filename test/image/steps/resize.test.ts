import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/image/plan.ts';
import { type Frames, STILL } from '../../../src/image/steps/frames.ts';
import { resize } from '../../../src/image/steps/resize.ts';
import type { PixelSize, Variant } from '../../../src/model.ts';
import { scaleDown } from '../../bench/lanczos.js';
import { variant } from '../pictures.ts';

const RED = [255, 0, 0];
const GREEN = [0, 128, 0];
const BLUE = [0, 0, 255];

async function resized(frames: Frames, asked: Partial<Variant>): Promise<Frames> {
  const [geometry] = plan(frames, 'png', [variant(asked)]);
  return resize(frames, geometry!);
}

describe('frames of several pages', () => {
  const colours = [RED, GREEN, BLUE].map((colour) => Buffer.alloc(8 * 4 * 3, Buffer.from(colour)));
  const three: Frames = {
    data: Buffer.concat(colours),
    ...{ width: 8, height: 4, channels: 3, pages: 3, delays: [100, 40, 1000], loop: 2 },
  };

  it.each([
    { width: 4, height: 2 },
    { width: 3, height: 3, fit: 'cover' },
    { width: 16, height: 8, enlarge: true },
  ] as const)(
    'are resized and cropped to $width x $height, and no page bleeds into the next',
    async (asked) => {
      const { width, height } = asked;
      const made = await resized(three, asked);
      expect(made).toMatchObject({ width, height, pages: 3, delays: three.delays, loop: 2 });
      const wanted = [RED, GREEN, BLUE].map((colour) =>
        Buffer.alloc(width * height * 3, Buffer.from(colour)),
      );
      expect(made.data.equals(Buffer.concat(wanted))).toBe(true);
    },
  );
});

/** Pixels of a fixed sequence: stems of these colours on a ground. */
function stems({ width, height }: PixelSize, channels: 1 | 3, ground: number, ink: number): Frames {
  let state = 1;
  const next = (most: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
  const data = Buffer.alloc(width * height * channels, ground);
  for (let i = 0; i < (width * height) / 150; i++) {
    const [left, top, right, bottom] = [next(width), next(height), 2 + next(5), 3 + next(20)];
    for (let y = top; y < Math.min(height, top + bottom); y++) {
      const start = (y * width + left) * channels;
      data.fill(ink, start, (y * width + Math.min(width, left + right)) * channels);
    }
  }
  return { data, width, height, channels, ...STILL };
}

/** The mean difference to Lanczos in float64. */
async function difference(frames: Frames, width: number): Promise<number> {
  const { data, ...made } = await resized(frames, { width });
  expect(made.channels).toBe(frames.channels);
  const plane = Float64Array.from(
    { length: frames.width * frames.height },
    (_, i) => frames.data[i * frames.channels]!,
  );
  const wanted = scaleDown(plane, frames, made);
  return (
    wanted.reduce((sum, value, i) => sum + Math.abs(value - data[i * made.channels]!), 0) / wanted.length
  );
}

describe('black stems on white', () => {
  const SIZE = { width: 600, height: 420 };

  it.each([1, 3] as const)('of %i channels lose nothing between columns and rows', async (channels) => {
    expect(await difference(stems(SIZE, channels, 255, 0), 300)).toBeLessThan(0.3);
  });

  it('are as near to Lanczos in float64 as grey stems, of which nothing is clipped', async () => {
    const black = await difference(stems(SIZE, 3, 255, 0), 300);
    expect(black).toBeLessThan(await difference(stems(SIZE, 3, 180, 75), 300));
  });
});
