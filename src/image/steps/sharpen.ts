import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Radius in pixels. Compensates for the softness of scaling down, without halos. */
const SIGMA = 0.6;

export function sharpen(pipeline: Sharp, variant: Variant): Sharp {
  return variant.sharpen ? pipeline.sharpen({ sigma: SIGMA }) : pipeline;
}
