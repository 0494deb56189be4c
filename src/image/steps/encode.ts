import type { Sharp } from 'sharp';
import { ImgtoolError } from '../../errors.ts';
import type { Format, Variant } from '../../model.ts';
import type { Size } from '../plan.ts';

/** Longest side in pixels that a format's encoder takes. */
const LONGEST: Readonly<Record<Format, number>> = {
  webp: 16_383,
  avif: 16_384,
  jpeg: 65_500,
  png: 2_147_483_647,
};

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

/** Before anything is decoded. Errors: `too_large`. */
export function assertEncodable({ name, format }: Variant, { width, height }: Size): void {
  const longest = LONGEST[format];
  if (Math.max(width, height) <= longest) return;
  const size = [width, height].map((side) => side.toLocaleString('en')).join(' x ');
  const most = longest.toLocaleString('en');
  throw new ImgtoolError('too_large', `variant ${name} would be ${size} px; ${format} ends at ${most} px`, {
    fix: `give the variant a smaller width or a height, or another format`,
  });
}
