import type { Geometry } from '../plan.ts';
import { from, type Pixels, raw } from './pixels.ts';

/** Brings the base to a variant's size, by Lanczos, and cuts it to its box. Returns the base where it fits already. */
export async function resize(base: Pixels, { width, height, whole, cut }: Geometry): Promise<Pixels> {
  if (cut === null && base.width === width && base.height === height) return base;
  // Both sides are given, since they come from the source's ratio and not from the base's rounded one.
  const scaled = from(base).resize({ ...whole, fit: 'fill', kernel: 'lanczos3' });
  const pixels = await raw(scaled);
  return cut === null ? pixels : raw(from(pixels).resize({ width, height, fit: 'cover', position: cut }));
}
