import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';
import type { Size } from '../plan.ts';
import { encodePng } from '../png/encode.ts';
import { sharp } from '../vips.ts';
import { type Pixels, raw } from './pixels.ts';

interface Encoded extends Size {
  readonly data: Buffer;
}

/** Encodes in the variant's format without metadata. `png` is the source when it is a PNG of the variant's size. */
export async function encode(pipeline: Sharp, variant: Variant, png: Buffer | null): Promise<Encoded> {
  const { format, quality, effort, lossless } = variant;
  switch (format) {
    case 'webp':
      return buffer(pipeline.webp(lossless ? { lossless, effort } : { quality, effort }));
    case 'avif':
      return buffer(pipeline.avif(lossless ? { lossless, effort } : { quality, effort }));
    case 'jpeg':
      return buffer(pipeline.jpeg({ quality }));
    case 'png': {
      const pixels = await pixelsOf(pipeline, variant);
      const data = await encodePng(pixels, effort, png);
      return { data, width: pixels.width, height: pixels.height };
    }
  }
}

async function pixelsOf(pipeline: Sharp, { grayscale }: Variant): Promise<Pixels> {
  if (!grayscale) return raw(pipeline);
  // sharp's raw output of a grey picture has no alpha.
  const png = await pipeline.png({ compressionLevel: 0 }).toBuffer();
  return raw(sharp(png, { limitInputPixels: false }).toColourspace('srgb'));
}

async function buffer(pipeline: Sharp): Promise<Encoded> {
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
