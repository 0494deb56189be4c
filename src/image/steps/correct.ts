import type { Sharp } from 'sharp';
import type { PixelSize } from '../../model.ts';
import { type Corrections, isWhole } from '../corrections.ts';
import type { GifCanvas } from '../gif.ts';
import { type Frames, from, raw, STILL } from './frames.ts';
import { type Samples, toSrgb } from './to-srgb.ts';

type Scale = (pipeline: Sharp, to: PixelSize) => Sharp;

/**
 * Decodes to upright 8-bit sRGB pixels of this size, with the file's corrections. `scaled` resizes a pipeline. Samples of
 * 16 bits are scaled before conversion, which loses nothing and needs less memory.
 */
export async function corrected(input: Sharp, corrections: Corrections, size: PixelSize, scaled: Scale) {
  const { orientation, screen } = corrections;
  if (!isWhole(corrections)) {
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

const EIGHT_BITS = { black: 0, white: 255, opaque: 255 };

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
const turned = (pipeline: Sharp, orientation: number): Sharp =>
  pipeline
    .flip(orientation === 4 || orientation === 5)
    .flop(orientation === 2 || orientation === 7)
    .rotate(ANGLES[orientation] ?? 0);
