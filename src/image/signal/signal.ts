import type { CodePoints } from '../av1.ts';
import { BT709, luminance, type Matrix, type Primaries, toBt709, type Vector } from './matrix.ts';

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

export const power =
  (exponent: number): Curve =>
  (v) =>
    v ** exponent;

/** IEC 61966-2-1. */
export const srgb: Curve = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** Logarithmic over this many decades. */
const logarithmic =
  (decades: number): Curve =>
  (v) =>
    v <= 0 ? 0 : 10 ** (decades * (v - 1));

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
const TRANSFERS: Readonly<Record<number, Curve>> = {
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

const UNSPECIFIED = 2;

const D65 = BT709.white;
const C = [0.31, 0.316] as const;

/** ITU-T H.273, table 2. */
const PRIMARIES: Readonly<Record<number, Primaries>> = {
  1: BT709,
  4: { red: [0.67, 0.33], green: [0.21, 0.71], blue: [0.14, 0.08], white: C },
  5: { red: [0.64, 0.33], green: [0.29, 0.6], blue: [0.15, 0.06], white: D65 },
  6: { red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07], white: D65 },
  7: { red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07], white: D65 },
  8: { red: [0.681, 0.319], green: [0.243, 0.692], blue: [0.145, 0.049], white: C },
  9: { red: [0.708, 0.292], green: [0.17, 0.797], blue: [0.131, 0.046], white: D65 },
  11: { red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: [0.314, 0.351] },
  12: { red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: D65 },
  22: { red: [0.63, 0.34], green: [0.295, 0.605], blue: [0.155, 0.077], white: D65 },
};

/**
 * Transfer curves that count as sRGB: sRGB itself, unspecified, and the camera curves of BT.709, BT.601, xvYCC, BT.1361
 * and BT.2020. Screens, players and browsers show the camera curves like sRGB, and many encoders write them for sRGB.
 */
const SRGB_LIKE = new Set([1, UNSPECIFIED, 6, 11, 12, 13, 14, 15]);

/**
 * Returns the signal of code points (ITU-T H.273); null for reserved or meaningless ones. When only one of the two is
 * specified, the other defaults to sRGB (ISO/IEC 23000-22, 7.3.6.4).
 */
export function signalOfCodePoints({ primaries, transfer }: CodePoints): Signal | 'srgb' | null {
  const colours = primaries === UNSPECIFIED ? BT709 : PRIMARIES[primaries];
  const curve = SRGB_LIKE.has(transfer) ? srgb : TRANSFERS[transfer];
  if (colours === undefined || curve === undefined) return null;
  if (primaries === UNSPECIFIED && transfer === UNSPECIFIED) return null;
  if (colours === BT709 && curve === srgb) return 'srgb';
  return signalOf(colours, curve);
}

/** sRGB with a sample range of its own, which needs conversion. */
export const SRGB_SIGNAL = signalOf(BT709, srgb)!;

/** Adobe RGB (1998), 4.3: the exponent is 563/256. */
const ADOBE_PRIMARIES: Primaries = { ...BT709, green: [0.21, 0.71] };
export const ADOBE_RGB = signalOf(ADOBE_PRIMARIES, power(563 / 256))!;
