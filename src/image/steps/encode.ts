import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sharp } from 'sharp';
import { writeError } from '../../errors.ts';
import type { Order, PixelSize, RenderedOutput, Variant } from '../../model.ts';
import { encodePng } from '../png/encode.ts';
import { sharp } from '../vips.ts';
import { type Frames, raw } from './frames.ts';

type Encoded = PixelSize & { readonly data: Buffer };

/** Encodes in the variant's format without metadata. `png` is the source when it is a PNG of the variant's size. */
export async function encode(pipeline: Sharp, variant: Variant, png: Buffer | null): Promise<Encoded> {
  const { format, quality, effort, lossless } = variant;
  if (format === 'jpeg') return buffer(pipeline.jpeg({ quality }));
  if (format !== 'png')
    return buffer(pipeline[format](lossless ? { lossless, effort } : { quality, effort }));
  const pixels = await pixelsOf(pipeline, variant);
  const { width, height } = pixels;
  return { data: await encodePng(pixels, effort, png), width, height };
}

/** The pixels of a finished picture. */
export async function pixelsOf(pipeline: Sharp, { grayscale }: Variant): Promise<Frames> {
  if (!grayscale) return raw(pipeline);
  // sharp's raw output of a grey picture has no alpha.
  const png = await pipeline.png({ compressionLevel: 0 }).toBuffer();
  return raw(sharp(png, { limitInputPixels: false }).toColourspace('srgb'));
}

async function buffer(pipeline: Sharp): Promise<Encoded> {
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.pageHeight ?? info.height };
}

/**
 * Writes an output's bytes to a file that must not exist yet; storage syncs and publishes that file. Uses Node instead
 * of sharp to get the system's error codes. Errors: `no_space`, `not_writable`, `io`. Mode 0666 less umask.
 */
export async function write(bytes: Buffer, size: PixelSize, order: Order): Promise<RenderedOutput> {
  const { path, variant } = order;
  try {
    const file = await open(path, 'wx', 0o666);
    await file.writeFile(bytes).finally(() => file.close());
  } catch (error) {
    throw writeError(error, `${dirname(path)} (variant ${variant.name})`);
  }
  const checksum = createHash('sha256').update(bytes).digest('hex');
  return { ...size, bytes: bytes.length, checksum };
}
