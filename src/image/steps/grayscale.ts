import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Leaves one channel of luminance, beside transparency. */
export function grayscale(pipeline: Sharp, variant: Variant): Sharp {
  return variant.grayscale ? pipeline.grayscale().toColourspace('b-w') : pipeline;
}
