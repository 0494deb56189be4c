import type { Range } from '../corrections.ts';
import { type Curve, hlgSystem, type Signal, srgb } from '../signal/signal.ts';
import type { Frames } from './frames.ts';

/** Decoded pixels of 8 or 16 bits, in sRGB or another signal. */
export interface Samples extends Omit<Frames, 'data'> {
  readonly data: Uint8Array | Uint16Array;
  readonly range: Range;
}

/** Steps of linear light from black to white: fine enough for the steepest part of sRGB's curve. */
const STEPS = 65_535;

/**
 * Converts to 8-bit sRGB (IEC 61966-2-1) through linear light, with the OOTF of ITU-R BT.2100 for HLG. Values outside the
 * range are clipped. The result overwrites the samples: written bytes never reach unread samples.
 */
export function toSrgb(samples: Samples, signal: Signal): Frames {
  const { data, range: _, ...rest } = samples;
  const out = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (rest.channels < 3) greys(samples, signal, out);
  else colours(samples, signal, out);
  return { ...rest, data: out };
}

function greys({ data, channels, range }: Samples, { curves, luminance }: Signal, out: Uint8Array): void {
  const encoded = encoder();
  const bytes = linear(curves[0], range).map(
    (light) => encoded[step(luminance === null ? light : light * hlgSystem(light))]!,
  );
  const opacity = 255 / range.opaque;
  for (let i = 0; i < data.length; i += channels) {
    out[i] = bytes[data[i]!]!;
    if (channels === 2) out[i + 1] = Math.round(data[i + 1]! * opacity);
  }
}

function colours({ data, channels, range }: Samples, signal: Signal, out: Uint8Array): void {
  const encoded = encoder();
  const [first, second, third] = signal.curves;
  const red = linear(first, range);
  // Most signals have the same curve for all channels.
  const green = second === first ? red : linear(second, range);
  const blue = third === first ? red : linear(third, range);
  const [[a, b, c], [d, e, f], [g, h, j]] = signal.toBt709;
  const weights = signal.luminance;
  // The HLG OOTF factor at each step of scene luminance.
  const gains = new Float32Array(weights === null ? 0 : STEPS + 1).map((_, i) => hlgSystem(i / STEPS));
  const opacity = 255 / range.opaque;
  for (let i = 0; i < data.length; i += channels) {
    let r = red[data[i]!]!;
    let v = green[data[i + 1]!]!;
    let u = blue[data[i + 2]!]!;
    if (weights !== null) {
      const gain = gains[step(weights[0] * r + weights[1] * v + weights[2] * u)]!;
      r = Math.min(1, r * gain);
      v = Math.min(1, v * gain);
      u = Math.min(1, u * gain);
    }
    out[i] = encoded[step(a * r + b * v + c * u)]!;
    out[i + 1] = encoded[step(d * r + e * v + f * u)]!;
    out[i + 2] = encoded[step(g * r + h * v + j * u)]!;
    if (channels === 4) out[i + 3] = Math.round(data[i + 3]! * opacity);
  }
}

/** The linear light of each possible sample. */
function linear(curve: Curve, { black, white, opaque }: Range): Float32Array {
  const samples = new Float32Array(opaque < 256 ? 256 : 65_536);
  return samples.map((_, sample) => curve(Math.min(1, Math.max(0, (sample - black) / (white - black)))));
}

const step = (light: number): number => (light <= 0 ? 0 : light >= 1 ? STEPS : (light * STEPS + 0.5) | 0);

/** The sRGB byte for each step of linear light, rounded to the nearest encoded value. */
function encoder(): Uint8Array {
  const bytes = new Uint8Array(STEPS + 1);
  for (let byte = 1; byte < 256; byte++) bytes.fill(byte, Math.ceil(srgb((byte - 0.5) / 255) * STEPS));
  return bytes;
}
