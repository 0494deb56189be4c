import { luminance, type Matrix, type Primaries, toBt709, type Vector } from './matrix.ts';

/** Converts a sample, 0 to 1, to linear light; 1.0 is the white of a screen. */
export type Curve = (sample: number) => number;

/** How to read samples that are not sRGB. */
export interface Signal {
  /** Red, green, blue. */
  readonly curves: readonly [Curve, Curve, Curve];
  /** Matrix from linear light to linear BT.709. */
  readonly toBt709: Matrix;
  /** For HLG only, whose light depends on the luminance of the scene: each colour's share of that luminance. */
  readonly luminance: Vector | null;
}

/** The samples are already sRGB. */
export type Srgb = 'srgb';

/** A signal with the same curve for all its primaries; null for impossible primaries. */
export function signalOf(primaries: Primaries, curve: Curve): Signal | null {
  const matrix = toBt709(primaries);
  const weights = curve === hlg ? luminance(primaries) : null;
  return matrix && { curves: [curve, curve, curve], toBt709: matrix, luminance: weights };
}

/** Luminance of diffuse white in cd/m2, which maps to 1.0 (ITU-R BT.2408). */
const WHITE = 203;

/** Peak luminance of an HLG display in cd/m2, and its system gamma (ITU-R BT.2100, table 5). */
const HLG_PEAK = 1000;
const HLG_GAMMA = 1.2;

export function power(exponent: number): Curve {
  return (v) => v ** exponent;
}

/** IEC 61966-2-1. */
export const srgb: Curve = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** Logarithmic over this many decades. */
function logarithmic(decades: number): Curve {
  return (v) => (v <= 0 ? 0 : 10 ** (decades * (v - 1)));
}

/** PQ, SMPTE ST 2084 (ITU-R BT.2100, table 4): absolute luminance, clipped at white. */
const pq: Curve = (v) => {
  const [m1, m2] = [2610 / 16384, (2523 / 4096) * 128];
  const [c1, c2, c3] = [3424 / 4096, (2413 / 4096) * 32, (2392 / 4096) * 32];
  const p = v ** (1 / m2);
  const light = 10_000 * (Math.max(p - c1, 0) / (c2 - c3 * p)) ** (1 / m1);
  return Math.min(1, light / WHITE);
};

/** HLG, the inverse of its OETF (ITU-R BT.2100, table 5): scene light, 0 to 1. */
const hlg: Curve = (v) => {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return v <= 0.5 ? (v * v) / 3 : (Math.exp((v - c) / a) + b) / 12;
};

/** The factor from scene light to display light in HLG's OOTF, for a scene of this luminance. */
export const hlgSystem = (luminance: number): number =>
  luminance <= 0 ? 0 : (HLG_PEAK / WHITE) * luminance ** (HLG_GAMMA - 1);

/** Transfer curves of ITU-T H.273, table 3, except those that count as sRGB. */
export const TRANSFERS: Readonly<Record<number, Curve>> = {
  4: power(2.2),
  5: power(2.8),
  // SMPTE ST 240.
  7: (v) => (v < 0.0913 ? v / 4 : ((v + 0.1115) / 1.1115) ** (1 / 0.45)),
  8: power(1),
  9: logarithmic(2),
  10: logarithmic(2.5),
  16: pq,
  // SMPTE ST 428-1: white is 48 cd/m2, the peak 52.37.
  17: (v) => (52.37 / 48) * v ** 2.6,
  18: hlg,
};
