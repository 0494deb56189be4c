import { describe, expect, it } from 'vitest';
import { animationOf } from '../../../src/image/animation/open.ts';
import { gifMotion, timeGif, timeWebp, webpMotion } from '../../../src/image/animation/timing.ts';
import { from } from '../../../src/image/steps/frames.ts';

const SIZE = { width: 8, height: 4, channels: 3 } as const;

/** Encodes frames of these colours with these delays, and returns the delays of the result. */
async function delaysIn(
  format: 'gif' | 'webp',
  delays: readonly number[],
  greys = delays.map((_, i) => i * 9),
) {
  const data = Buffer.concat(greys.map((grey) => Buffer.alloc(96, grey)));
  const motion = { pages: delays.length, delays, loop: 0 };
  const pipeline = from({ data, ...SIZE, ...motion });
  const encoded = format === 'gif' ? pipeline.gif(gifMotion(motion)) : pipeline.webp(webpMotion(motion));
  const bytes = await encoded.toBuffer();
  (format === 'gif' ? timeGif : timeWebp)(bytes, delays);
  const made = animationOf({ input: bytes } as Parameters<typeof animationOf>[0], format, true);
  return made?.frames.map(({ delay }) => delay);
}

describe('the timing of a GIF', () => {
  it('is that of a source in hundredths of a second', async () => {
    const delays = [10, 20, 100, 70, 2500, 600_000];
    expect(await delaysIn('gif', delays)).toEqual(delays);
  });

  it('has no growing difference to a source in milliseconds', async () => {
    const delays = Array.from({ length: 90 }, () => 33);
    const made = (await delaysIn('gif', delays)) ?? [];
    expect(made.length).toBe(90);
    let behind = 0;
    for (const each of made) {
      behind += 33 - each;
      expect(Math.abs(behind)).toBeLessThanOrEqual(5);
    }
  });

  it('keeps browsers from slowing frames of 11 to 19 milliseconds down', async () => {
    expect(await delaysIn('gif', [16, 16, 16])).toEqual([20, 20, 20]);
    expect(await delaysIn('gif', [16, 16, 16, 100])).toEqual([20, 20, 20, 90]);
  });

  it('ends at the longest delay of the format', async () => {
    expect(await delaysIn('gif', [700_000, 50])).toEqual([655_350, 50]);
  });
});

describe('the timing of a WebP', () => {
  it('is that of the source, also where it is shorter or longer than sharp and libvips write', async () => {
    const delays = [33, 1, 10, 70_000];
    expect(await delaysIn('webp', delays)).toEqual(delays);
  });

  it('adds up the delays of equal frames, which the encoder joins', async () => {
    expect(await delaysIn('webp', [10, 20, 35, 40, 5], [0, 90, 90, 90, 200])).toEqual([10, 95, 5]);
  });
});

describe('the options for the encoder', () => {
  it('are none for a still picture', () => {
    const still = { pages: 1, delays: [], loop: 0 };
    expect([gifMotion(still), webpMotion(still)]).toEqual([{}, {}]);
  });

  it('have the most plays that sharp takes', () => {
    expect(webpMotion({ pages: 2, delays: [1, 1], loop: 65_536 }).loop).toBe(65_535);
  });
});
