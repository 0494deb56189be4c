import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Converts colours to one channel of luminance; keeps transparency. */
export function grayscale(pipeline: Sharp, variant: Variant): Sharp {
  return variant.grayscale ? pipeline.grayscale().toColourspace('b-w') : pipeline;
}
