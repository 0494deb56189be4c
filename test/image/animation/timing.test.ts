import { describe, expect, it } from 'vitest';
import { gifMotion, webpMotion } from '../../../src/image/animation/timing.ts';

const motion = (delays: readonly number[], loop = 0) => ({ pages: delays.length, delays, loop });

describe('the timing of a GIF', () => {
  it('is that of a source in hundredths of a second', () => {
    const delays = [10, 20, 100, 70, 2500];
    expect(gifMotion(motion(delays, 6))).toMatchObject({ delay: delays, loop: 6 });
  });

  it('has no growing difference to a source in milliseconds', () => {
    const delays = Array.from({ length: 90 }, () => 33);
    const { delay } = gifMotion(motion(delays));
    let [wanted, made] = [0, 0];
    for (const [i, each] of (delay as number[]).entries()) {
      wanted += delays[i]!;
      made += each;
      expect(Math.abs(wanted - made)).toBeLessThanOrEqual(5);
      expect(each % 10).toBe(0);
    }
  });

  it('keeps browsers from slowing frames of 11 to 19 milliseconds down', () => {
    expect(gifMotion(motion([16, 16, 16]))).toMatchObject({ delay: [20, 20, 20] });
    expect(gifMotion(motion([16, 16, 16, 100]))).toMatchObject({ delay: [20, 20, 20, 90] });
  });

  it('is empty for a still picture', () => {
    expect(gifMotion({ pages: 1, delays: [], loop: 0 })).toEqual({});
    expect(webpMotion({ pages: 1, delays: [], loop: 0 })).toEqual({});
  });
});

describe('the timing of a WebP', () => {
  it('is that of the source, up to the most that sharp takes', () => {
    expect(webpMotion(motion([33, 70_000], 65_536))).toEqual({ delay: [33, 65_535], loop: 65_535 });
  });
});
