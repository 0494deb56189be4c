import { describe, expect, it } from 'vitest';
import { signalOfProfile } from '../../src/image/signal/icc.ts';
import { srgbDecode } from './delta-e.ts';
import { greyProfile, parametric, rgbProfile, table } from './icc-writer.ts';

const SAMPLES = Array.from({ length: 101 }, (_, i) => i / 100);
/** sRGB in profiles: exponent, a, b, c, and the end of the straight part. */
const SRGB = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] as const;

describe('an ICC profile of curves and a matrix', () => {
  const POINTS = Array.from({ length: 1024 }, (_, i) => srgbDecode(i / 1023));
  const CURVES: readonly (readonly [string, Buffer, (v: number) => number])[] = [
    ['no points', table([]), (v) => v],
    ['a table', table(POINTS), srgbDecode],
    ['formula 0', parametric(0, 1.8), (v) => v ** 1.8],
    ['formula 1', parametric(1, 2, 1.25, -0.25), (v) => (v >= 0.2 ? (1.25 * v - 0.25) ** 2 : 0)],
    ['formula 2', parametric(2, 2, 0.9, -0.18, 0.1), (v) => (v >= 0.2 ? (0.9 * v - 0.18) ** 2 : 0) + 0.1],
    ['formula 3', parametric(3, ...SRGB), srgbDecode],
    [
      'formula 4',
      parametric(4, 2, 0.9, 0, 0.5, 0.2, 0.1, 0.02),
      (v) => (v >= 0.2 ? (0.9 * v) ** 2 + 0.1 : 0.5 * v + 0.02),
    ],
  ];

  it.each(CURVES)('reads its curve from %s', (_, tag, wanted) => {
    const [red, green, blue] = signalOfProfile(rgbProfile('srgb', tag), 'rgb')!.curves;
    for (const v of SAMPLES) {
      for (const curve of [red, green, blue]) expect(curve(v)).toBeCloseTo(wanted(v), 3);
    }
  });

  it('gives an identity matrix for the primaries of sRGB', () => {
    const { toBt709 } = signalOfProfile(rgbProfile('srgb', 1), 'rgb')!;
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    for (const [i, n] of toBt709.flat().entries()) expect(n).toBeCloseTo(identity[i]!, 3);
  });

  it('keeps white white', () => {
    for (const row of signalOfProfile(rgbProfile('p3', 2.2), 'rgb')!.toBt709) {
      expect(row[0] + row[1] + row[2]).toBeCloseTo(1, 3);
    }
  });

  it('is rejected when it is for grey and the picture is not, or the reverse', () => {
    expect(signalOfProfile(greyProfile(2.2), 'rgb')).toBeNull();
    expect(signalOfProfile(rgbProfile('srgb', 2.2), 'grey')).toBeNull();
  });

  it('is left to the colour engine when it also has tables', () => {
    const profile = rgbProfile('srgb', 2.2);
    profile.write('A2B0', profile.indexOf('wtpt'), 'latin1');
    expect(signalOfProfile(profile, 'rgb')).toBeNull();
  });

  it('converts lightness to light', () => {
    const profile = greyProfile(1);
    profile.write('Lab ', 20, 'latin1');
    const [curve] = signalOfProfile(profile, 'grey')!.curves;
    expect(curve(1)).toBeCloseTo(1, 6);
    // L* of 50 is a luminance of 0.1842 (CIE 15).
    expect(curve(0.5)).toBeCloseTo(0.1842, 4);
  });

  it('gives null or only finite numbers when it is damaged', () => {
    const profile = rgbProfile('srgb', table([0, 0.2, 1]));
    for (let at = 0; at < profile.length; at++) {
      for (const bytes of [
        profile.subarray(0, at),
        Buffer.from(profile).fill(0xff, at, Math.min(at + 4, profile.length)),
      ]) {
        const signal = signalOfProfile(Buffer.from(bytes), 'rgb');
        for (const curve of signal?.curves ?? []) {
          for (const v of [0, 0.3, 1]) expect(curve(v)).toSatisfy((n: number) => n >= 0 && n <= 1);
        }
        expect(signal?.toBt709.flat().every(Number.isFinite) ?? true).toBe(true);
      }
    }
  });
});
