import { describe, expect, it } from 'vitest';
import type { Region } from '../../../src/image/region.ts';
import { enlarge } from '../../../src/image/steps/enlarge.ts';
import { type Frames, STILL } from '../../../src/image/steps/frames.ts';
import type { PixelSize } from '../../../src/model.ts';

/** Pixels from a fixed sequence, with every value from black to white. */
function noise(width: number, height: number, channels: Frames['channels']): Frames {
  let state = 7;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 256;
  });
  return { data: Buffer.from(data), width, height, channels, ...STILL };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The weights of all source pixels for one pixel, by the definition: its centre is at its half. */
function weights(from: number, to: number, at: number): number[] {
  const centre = ((at + 0.5) * from) / to;
  const found = Array.from({ length: from }, () => 0);
  for (let x = Math.floor(centre) - 4; x <= Math.floor(centre) + 4; x++) {
    const distance = x + 0.5 - centre;
    const weight = Math.abs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0;
    found[Math.min(from - 1, Math.max(0, x))]! += weight;
  }
  const total = found.reduce((sum, weight) => sum + weight, 0);
  return found.map((weight) => weight / total);
}

type Curve = (value: number) => number;
const SAME: Curve = (value) => value;
const LIGHT: Curve = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const BYTES: Curve = (v) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/** Lanczos in float64 over both sides at once, of colours times alpha. */
function exactly(page: Frames, whole: PixelSize, part: Region, to: Curve, back: Curve): number[] {
  const { data, width, height, channels } = page;
  const colors = channels < 3 ? 1 : 3;
  const made: number[] = [];
  for (let y = part.top; y < part.top + part.height; y++) {
    const down = weights(height, whole.height, y);
    for (let x = part.left; x < part.left + part.width; x++) {
      const across = weights(width, whole.width, x);
      const sums = Array.from({ length: channels }, () => 0);
      let alpha = 0;
      for (let j = 0; j < height; j++) {
        for (let i = 0; i < width; i++) {
          const at = (j * width + i) * channels;
          const weight = down[j]! * across[i]! * (channels > colors ? data[at + colors]! / 255 : 1);
          alpha += weight;
          for (let c = 0; c < colors; c++) sums[c]! += weight * to(data[at + c]! / 255);
        }
      }
      const clip = (value: number): number => Math.min(1, Math.max(0, value));
      const opacity = clip(alpha);
      for (let c = 0; c < colors; c++) made.push(opacity === 0 ? 0 : 255 * back(clip(sums[c]! / opacity)));
      if (channels > colors) made.push(255 * opacity);
    }
  }
  return made;
}

async function worst(page: Frames, whole: PixelSize, part?: Region, linear = false): Promise<number> {
  const kept = part ?? { left: 0, top: 0, ...whole };
  const found = await enlarge(page, whole, kept, linear);
  const { width, height, channels } = found;
  expect({ width, height, channels }).toEqual({
    width: kept.width,
    height: kept.height,
    channels: page.channels,
  });
  const [to, back] = linear ? [LIGHT, BYTES] : [SAME, SAME];
  const wanted = exactly(page, whole, kept, to, back);
  expect(found.data).toHaveLength(wanted.length);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found.data[i]!)), 0);
}

/** Rounding alone, and what 32-bit numbers add to it. */
const ROUNDED = 0.51;

describe('an enlarged page', () => {
  it.each([
    ['of RGB', noise(9, 7, 3), { width: 31, height: 20 }],
    ['of grey', noise(9, 7, 1), { width: 20, height: 33 }],
    ['of another width alone', noise(9, 7, 3), { width: 26, height: 7 }],
    ['of another height alone', noise(4, 5, 3), { width: 4, height: 11 }],
    ['of one pixel', noise(1, 1, 3), { width: 12, height: 9 }],
    ['of one column', noise(1, 6, 3), { width: 5, height: 13 }],
    ['hardly enlarged', noise(40, 30, 3), { width: 41, height: 31 }],
  ] as const)(
    '%s has the pixels of Lanczos in float64, with their centres in place',
    async (_, page, whole) => {
      expect(await worst(page, whole)).toBeLessThan(ROUNDED);
    },
  );

  it('is the same where only a part of it is kept', async () => {
    const part = { left: 11, top: 6, width: 9, height: 14 };
    expect(await worst(noise(9, 7, 3), { width: 31, height: 20 }, part)).toBeLessThan(ROUNDED);
  });

  it.each([2, 4] as const)('of %i channels has colours by their opacity', async (channels) => {
    expect(await worst(noise(8, 8, channels), { width: 19, height: 21 })).toBeLessThan(ROUNDED);
  });

  it('has mixed light in linear light', async () => {
    expect(await worst(noise(9, 7, 3), { width: 20, height: 15 }, undefined, true)).toBeLessThan(ROUNDED);
  });

  it('lets other work go on between its rows', async () => {
    const whole = { width: 1300, height: 1100 };
    const order: string[] = [];
    setImmediate(() => order.push('other work'));
    await enlarge(noise(4, 4, 3), whole, { left: 0, top: 0, ...whole }, false);
    expect([...order, 'enlarged']).toEqual(['other work', 'enlarged']);
  });
});
