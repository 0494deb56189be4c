import { type ChunkSource, pngChunksOf } from '../chunks.ts';
import { BT709, type Chromaticity, type Primaries } from './matrix.ts';
import { type Curve, power, type Signal, SRGB_SIGNAL, signalOf, signalOfCodePoints, srgb } from './signal.ts';

/** The colour chunks of a PNG, except its ICC profile. */
export interface PngSignal {
  readonly signal: Signal | 'srgb';
  /** True when the signal takes precedence over an ICC profile. */
  readonly isFirst: boolean;
  /** True for the narrow range of video: 16 to 235 of 255. */
  readonly narrow: boolean;
}

const SRGB: PngSignal = { signal: 'srgb', isFirst: false, narrow: false };

/** Returns the signal by the precedence of the PNG specification (third edition, 4.3); null without such chunks. */
export function signalOfPng(source: ChunkSource): PngSignal | null {
  const chunks = new Map<string, Buffer>();
  for (const { type, at, length } of pngChunksOf(source)) {
    // Colour chunks after the pixels are invalid.
    if (type === 'IDAT') break;
    if (LENGTHS[type] === length && !chunks.has(type)) chunks.set(type, source.readAt(at, length));
  }
  return codePoints(chunks.get('cICP')) ?? olderChunks(chunks);
}

/** Required content length in bytes. */
const LENGTHS: Readonly<Record<string, number>> = { cICP: 4, sRGB: 1, gAMA: 4, cHRM: 32 };

function codePoints(cicp: Buffer | undefined): PngSignal | null {
  if (cicp === undefined) return null;
  const [primaries, transfer, matrix, fullRange] = cicp;
  const signal = signalOfCodePoints({ primaries: primaries!, transfer: transfer! });
  // A PNG contains RGB: no other matrix is allowed.
  if (signal === null || matrix !== 0) return null;
  const narrow = fullRange === 0;
  return { signal: narrow && signal === 'srgb' ? SRGB_SIGNAL : signal, isFirst: true, narrow };
}

function olderChunks(chunks: ReadonlyMap<string, Buffer>): PngSignal | null {
  const [gama, chrm] = [chunks.get('gAMA'), chunks.get('cHRM')];
  if (chunks.has('sRGB')) return SRGB;
  if (gama === undefined && chrm === undefined) return null;
  const colours = chrm === undefined ? BT709 : primariesOf(chrm);
  const isSrgb = closeToSrgb(colours);
  const curve = curveOf(gama === undefined ? 0 : gama.readUInt32BE(0), isSrgb);
  if (isSrgb && curve === srgb) return SRGB;
  const signal = signalOf(isSrgb ? BT709 : colours, curve);
  return signal && { signal, isFirst: false, narrow: false };
}

/** Valid values of gAMA, in 100,000ths, as in libpng since 1.6.47. Others make the whole picture black or white. */
const GAMMA = { from: 1000, to: 10_000_000 };

/** Values of gAMA, in 100,000ths, that mean sRGB's curve: 1/2.2, which programs round in many ways. */
const SRGB_GAMMA = { from: 45_000, to: 46_000 };

/** A sample is light to the power of gAMA; without a valid gAMA, the curve is that of sRGB. */
function curveOf(gamma: number, isSrgb: boolean): Curve {
  if (gamma < GAMMA.from || gamma > GAMMA.to) return srgb;
  if (isSrgb && gamma >= SRGB_GAMMA.from && gamma <= SRGB_GAMMA.to) return srgb;
  return power(100_000 / gamma);
}

/** Reads white, red, green and blue, each as x and y in 100,000ths. */
function primariesOf(chrm: Buffer): Primaries {
  const part = (at: number): number => chrm.readUInt32BE(at) / 100_000;
  const colour = (at: number): Chromaticity => [part(at), part(at + 4)];
  return { white: colour(0), red: colour(8), green: colour(16), blue: colour(24) };
}

/** Programs also round cHRM in many ways. */
const ROUNDING = 0.003;

function closeToSrgb(colours: Primaries): boolean {
  return (['red', 'green', 'blue', 'white'] as const).every((name) =>
    colours[name].every((n, i) => Math.abs(n - BT709[name][i]!) <= ROUNDING),
  );
}
