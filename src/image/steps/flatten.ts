import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Puts a background under transparent pixels. JPEG has no transparency and gets white. */
export function flatten(pipeline: Sharp, { background, format }: Variant): Sharp {
  const under = background ?? (format === 'jpeg' ? '#ffffff' : null);
  return under === null ? pipeline : pipeline.flatten({ background: under });
}
