import type { Sharp } from 'sharp';
import type { PixelSize } from '../../model.ts';
import { type Corrections, isWhole, type Range } from '../corrections.ts';
import type { GifCanvas } from '../gif.ts';
import type { Base } from '../plan.ts';
import { type Curve, hlgSystem, type Signal, srgb } from '../signal/signal.ts';
import { type Frames, from, raw, STILL } from './frames.ts';

type Scale = (pipeline: Sharp, to: PixelSize) => Sharp;

/** Decodes to upright 8-bit sRGB of this size. 16-bit samples are scaled before conversion: no loss, less memory. */
export async function corrected(
  input: Sharp,
  corrections: Corrections,
  { region, ...size }: PixelSize & Pick<Base, 'region'>,
  scaled: Scale,
) {
  const { orientation, screen } = corrections;
  // A region is one of the upright picture.
  const isCutFirst = region === null || orientation === 1;
  if (!isWhole(corrections) && isCutFirst) {
    // Scale before rotation: rotating the full picture would hold all of it in memory.
    const stored = orientation > 4 ? { width: size.height, height: size.width } : size;
    return converted(turned(scaled(input, stored), orientation), corrections);
  }
  const whole = onScreen(await converted(turned(input, orientation), corrections), screen);
  return whole.width === size.width && whole.height === size.height ? whole : raw(scaled(from(whole), size));
}

/** Decodes with as many bits as the signal needs, and converts to sRGB. */
async function converted(pipeline: Sharp, corrections: Corrections): Promise<Frames> {
  const { signal, premultiplied, deep, range } = corrections;
  if (signal === null || deep === null) {
    const pixels = await raw(pipeline);
    const samples = { ...pixels, range: deep === null ? range : EIGHT_BITS };
    if (premultiplied) unpremultiply(samples);
    return signal === null ? pixels : toSrgb(samples, signal);
  }
  const { data, ...rest } = await raw(pipeline.toColourspace(deep), STILL, 'ushort');
  // A Uint16Array needs an even offset.
  const even = data.byteOffset % 2 === 0 ? data : Buffer.from(data);
  const samples = { ...rest, data: new Uint16Array(even.buffer, even.byteOffset, even.length / 2), range };
  if (premultiplied) unpremultiply(samples);
  return toSrgb(samples, signal);
}

export const EIGHT_BITS = { black: 0, white: 255, opaque: 255 };

/** Divides colours by alpha, in place. */
function unpremultiply({ data, channels, range: { opaque } }: Samples): void {
  const last = channels - 1;
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + last]!;
    if (alpha === opaque || alpha === 0) continue;
    for (let j = i; j < i + last; j++) data[j] = Math.min(opaque, Math.round((data[j]! * opaque) / alpha));
  }
}

/** Draws a GIF's first frame on its screen, which is transparent elsewhere. */
function onScreen(pixels: Frames, screen: GifCanvas | null): Frames {
  if (screen === null) return pixels;
  const { width, height, frame } = screen;
  const { data: decoded, channels } = pixels;
  const data = Buffer.alloc(width * height * 4);
  const right = Math.min(frame.left + frame.width, pixels.width);
  const bottom = Math.min(frame.top + frame.height, pixels.height);
  for (let y = frame.top; y < bottom; y++) {
    let at = (y * pixels.width + frame.left) * channels;
    const end = (y * width + right) * 4;
    for (let to = (y * width + frame.left) * 4; to < end; to += 4, at += channels) {
      data[to] = decoded[at]!;
      data[to + 1] = decoded[at + 1]!;
      data[to + 2] = decoded[at + 2]!;
      data[to + 3] = channels === 4 ? decoded[at + 3]! : 255;
    }
  }
  return { data, width, height, channels: 4, ...STILL };
}

/** Degrees clockwise by EXIF orientation, 0 to 8. */
const ANGLES = [0, 0, 0, 180, 0, 90, 90, 90, 270];

/** Turns a picture upright by its EXIF orientation (Exif 2.32, 4.6.4). sharp mirrors before it rotates. */
export const turned = (pipeline: Sharp, orientation: number): Sharp =>
  pipeline
    .flip(orientation === 4 || orientation === 5)
    .flop(orientation === 2 || orientation === 7)
    .rotate(ANGLES[orientation] ?? 0);

/** Decoded pixels of 8 or 16 bits, in sRGB or another signal. */
type Samples = Omit<Frames, 'data'> & { readonly data: Uint8Array | Uint16Array; readonly range: Range };

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
  const encoded = srgbBytes();
  const bytes = linear(curves[0], range).map(
    (light) => encoded[lightStep(luminance === null ? light : light * hlgSystem(light))]!,
  );
  const opacity = 255 / range.opaque;
  for (let i = 0; i < data.length; i += channels) {
    out[i] = bytes[data[i]!]!;
    if (channels === 2) out[i + 1] = Math.round(data[i + 1]! * opacity);
  }
}

function colours({ data, channels, range }: Samples, signal: Signal, out: Uint8Array): void {
  const encoded = srgbBytes();
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
      const gain = gains[lightStep(weights[0] * r + weights[1] * v + weights[2] * u)]!;
      r = Math.min(1, r * gain);
      v = Math.min(1, v * gain);
      u = Math.min(1, u * gain);
    }
    out[i] = encoded[lightStep(a * r + b * v + c * u)]!;
    out[i + 1] = encoded[lightStep(d * r + e * v + f * u)]!;
    out[i + 2] = encoded[lightStep(g * r + h * v + j * u)]!;
    if (channels === 4) out[i + 3] = Math.round(data[i + 3]! * opacity);
  }
}

/** The linear light of each possible sample. */
function linear(curve: Curve, { black, white, opaque }: Range): Float32Array {
  const samples = new Float32Array(opaque < 256 ? 256 : 65_536);
  return samples.map((_, sample) => curve(Math.min(1, Math.max(0, (sample - black) / (white - black)))));
}

/** The step of linear light from 0 to 1. */
export const lightStep = (light: number): number =>
  light <= 0 ? 0 : light >= 1 ? STEPS : (light * STEPS + 0.5) | 0;

/** The sRGB byte for each step of linear light, rounded to the nearest encoded value. */
export function srgbBytes(): Uint8Array {
  const bytes = new Uint8Array(STEPS + 1);
  for (let byte = 1; byte < 256; byte++) bytes.fill(byte, Math.ceil(srgb((byte - 0.5) / 255) * STEPS));
  return bytes;
}
