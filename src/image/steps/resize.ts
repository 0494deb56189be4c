import type { Geometry } from '../plan.ts';
import { from, type Pixels, raw } from './pixels.ts';

/** Resizes the base with Lanczos and crops to the box. Returns the base itself when it already fits. */
export async function resize(base: Pixels, { width, height, whole, cut }: Geometry): Promise<Pixels> {
  if (cut === null && base.width === width && base.height === height) return base;
  // Both sides are exact, from the source's ratio; the base's ratio is rounded.
  const scaled = from(base).resize({ ...whole, fit: 'fill', kernel: 'lanczos3' });
  const pixels = await raw(scaled);
  return cut === null ? pixels : raw(from(pixels).resize({ width, height, fit: 'cover', position: cut }));
}
