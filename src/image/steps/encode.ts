import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Compresses into the variant's format. No metadata is ever asked for, so none is written. */
export function encode(pipeline: Sharp, { format, quality, effort, lossless }: Variant): Sharp {
  switch (format) {
    case 'webp':
      return pipeline.webp(lossless ? { lossless, effort } : { quality, effort });
    case 'avif':
      return pipeline.avif(lossless ? { lossless, effort } : { quality, effort });
    case 'jpeg':
      return pipeline.jpeg({ quality });
    case 'png':
      // sharp's own `effort` and `quality` would reduce it to a palette; zlib has levels 1 to 9.
      return pipeline.png({
        compressionLevel: Math.max(1, Math.round(effort * 0.9)),
        adaptiveFiltering: effort > 6,
      });
  }
}
