import type { CodePoints } from '../av1.ts';
import { BT709, type Chromaticity, type Primaries } from './matrix.ts';
import { power, type Signal, type Srgb, signalOf, srgb, TRANSFERS } from './signal.ts';

/**
 * Returns the signal of code points (ITU-T H.273); null for reserved or meaningless ones. When only one of the two is
 * specified, the other defaults to sRGB (ISO/IEC 23000-22, 7.3.6.4).
 */
export function signalOfCodePoints({ primaries, transfer }: CodePoints): Signal | Srgb | null {
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

const UNSPECIFIED = 2;

const D65: Chromaticity = BT709.white;
const C: Chromaticity = [0.31, 0.316];

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
