import type { Sharp } from 'sharp';
import { ImgtoolError } from '../../errors.ts';
import type { Variant } from '../../model.ts';
import type { Geometry, Size } from '../plan.ts';
import { sharp } from '../vips.ts';

/** Uncompressed 8-bit sRGB, row by row. 1 or 2 channels are grey; with 2 or 4, the last is alpha. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
}

export function from({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Runs a pipeline. `ushort` samples take 2 bytes in this machine's byte order. Errors: `unsupported_format`. */
export async function raw(pipeline: Sharp, depth: 'uchar' | 'ushort' = 'uchar'): Promise<Pixels> {
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels <= 4) return { data, width, height, channels };
  const message = `the picture has ${channels} colour channels, at most 4 can be read`;
  const fix = 'save it as an RGB picture without extra channels first';
  throw new ImgtoolError('unsupported_format', message, { fix });
}

/** Resizes the base with Lanczos and crops to the box. Returns the base itself when it already fits. */
export async function resize(base: Pixels, { width, height, whole, cut }: Geometry): Promise<Pixels> {
  if (cut === null && base.width === width && base.height === height) return base;
  // Both sides are exact, from the source's ratio; the base's ratio is rounded.
  const scaled = from(base).resize({ ...whole, fit: 'fill', kernel: 'lanczos3' });
  const pixels = await raw(scaled);
  return cut === null ? pixels : raw(from(pixels).resize({ width, height, fit: 'cover', position: cut }));
}

/** Puts a background under transparent pixels. JPEG has no transparency and gets white. */
export function flatten(pipeline: Sharp, { background, format }: Variant): Sharp {
  const under = background ?? (format === 'jpeg' ? '#ffffff' : null);
  return under === null ? pipeline : pipeline.flatten({ background: under });
}

/** Converts colours to one channel of luminance; keeps transparency. */
export function grayscale(pipeline: Sharp, variant: Variant): Sharp {
  return variant.grayscale ? pipeline.grayscale().toColourspace('b-w') : pipeline;
}

/** Radius in pixels. Compensates for the softness of scaling down, without halos. */
const SIGMA = 0.6;

export function sharpen(pipeline: Sharp, variant: Variant): Sharp {
  return variant.sharpen ? pipeline.sharpen({ sigma: SIGMA }) : pipeline;
}
