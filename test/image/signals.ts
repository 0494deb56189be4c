/** One picture in the samples of many signals, by formulas in float64 that share no code with the program. */
import { srgbDecode } from './delta-e.ts';

type Triple = readonly [number, number, number];

/**
 * Linear sRGB to linear light in these primaries (from the chromaticities of each standard, SMPTE RP 177). White is D65, for
 * ProPhoto D50 by Bradford.
 */
const FROM_SRGB: Readonly<Record<string, readonly Triple[]>> = {
  srgb: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  p3: [
    [0.8224621, 0.177538, 0],
    [0.0331941, 0.9668058, 0],
    [0.0170827, 0.0723974, 0.9105199],
  ],
  rec2020: [
    [0.627404, 0.3292823, 0.0433136],
    [0.0690973, 0.9195404, 0.0113612],
    [0.0163916, 0.0880132, 0.8955953],
  ],
  adobe: [
    [0.7151627, 0.2848373, 0],
    [0, 1, 0],
    [0, 0.0411791, 0.9588209],
  ],
  prophoto: [
    [0.5292804, 0.330153, 0.1405666],
    [0.0983662, 0.873464, 0.0281698],
    [0.0168753, 0.1176594, 0.8654652],
  ],
};

/** ITU-R BT.2100, table 4, for light with white at 203 cd/m2. */
export function pqEncode(light: number): number {
  const y = ((light * 203) / 10_000) ** (2610 / 16384);
  return ((3424 / 4096 + (2413 / 128) * y) / (1 + (2392 / 128) * y)) ** (2523 / 32);
}

/** ITU-R BT.2100, table 5: converts light of a 1,000 cd/m2 display to scene light and to its signal. */
export function hlgEncode(display: readonly number[]): number[] {
  const light = display.map((n) => (n * 203) / 1000);
  const y = 0.2627 * light[0]! + 0.678 * light[1]! + 0.0593 * light[2]!;
  return light.map((n) => {
    const scene = y === 0 ? 0 : n * y ** (1 / 1.2 - 1);
    return scene <= 1 / 12
      ? Math.sqrt(3 * scene)
      : 0.17883277 * Math.log(12 * scene - 0.28466892) + 0.55991073;
  });
}

export const srgbEncode = (n: number): number =>
  n <= 0.0031308 ? 12.92 * n : 1.055 * n ** (1 / 2.4) - 0.055;
export const each = (encode: (n: number) => number) => (light: readonly number[]) => light.map(encode);
export const gamma = (exponent: number) => each((n) => n ** (1 / exponent));

/** A smooth picture of many colours: the expected result, in sRGB bytes. */
export const SIDE = 64;
export const WANTED = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
  const [x, y] = [(Math.floor(i / 3) % SIDE) / (SIDE - 1), Math.floor(i / 3 / SIDE) / (SIDE - 1)];
  return 255 * [x, y, (1 - x) * (0.25 + 0.75 * y)][i % 3]!;
});

/** The same picture as samples 0 to 1 of another signal. */
export function samplesOf(primaries: string, encode: (light: readonly number[]) => number[]): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const linear = [...WANTED.subarray(i * 3, i * 3 + 3)].map((v) => srgbDecode(v / 255));
    const light = FROM_SRGB[primaries]!.map((row) => row.reduce((sum, n, j) => sum + n * linear[j]!, 0));
    return encode(light.map((n) => Math.max(0, n)));
  }).flat();
}
