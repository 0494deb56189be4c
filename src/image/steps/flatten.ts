import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';

/** Lays a background under transparency; JPEG, which has none, gets white. */
export function flatten(pipeline: Sharp, { background, format }: Variant): Sharp {
  const under = background ?? (format === 'jpeg' ? '#ffffff' : null);
  return under === null ? pipeline : pipeline.flatten({ background: under });
}
