import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/model/histogram.ts';

describe('the histogram of times', () => {
  it('gives quantiles within three percent, and the largest value exactly', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 10_000; ms++) histogram.add(ms);
    expect(Math.abs(histogram.quantile(0.5) / 5000 - 1)).toBeLessThan(0.03);
    expect(Math.abs(histogram.quantile(0.95) / 9500 - 1)).toBeLessThan(0.03);
    expect(histogram.max).toBe(10_000);
    expect(histogram.min).toBe(1);
  });

  it('counts each time once in its shape', () => {
    const histogram = new Histogram();
    for (const ms of [20, 40, 40, 41, 900, 2100]) histogram.add(ms);
    const shape = histogram.shape(12);
    expect(shape).toHaveLength(12);
    expect(shape.reduce((sum, n) => sum + n)).toBe(6);
    expect(shape[0]).toBe(1);
    expect(shape[11]).toBe(1);
  });

  it('is all zeros while empty, and one bar for equal values', () => {
    const histogram = new Histogram();
    expect([histogram.quantile(0.5), histogram.min, histogram.max, histogram.count]).toEqual([0, 0, 0, 0]);
    histogram.add(0);
    expect(histogram.quantile(0.5)).toBe(1);
    expect(histogram.shape(3)).toEqual([1, 0, 0]);
  });
});
