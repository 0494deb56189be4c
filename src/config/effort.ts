import type { Format, Variant } from '../model.ts';

/** The least and the most effort each encoder takes; JPEG's has none. */
export const EFFORTS: Readonly<Record<Exclude<Format, 'jpeg'>, readonly [number, number]>> = {
  webp: [0, 6],
  avif: [0, 9],
  png: [1, 10],
};

/** The most effort any encoder takes; the least is 0. */
export const MOST_EFFORT = Math.max(...Object.values(EFFORTS).map(([, most]) => most));

/** The variant with this effort, cut to what its format has; null leaves it its own, and so does a format without. */
export function withEffort(variant: Variant, effort: number | null): Variant {
  if (effort === null || variant.format === 'jpeg') return variant;
  const [least, most] = EFFORTS[variant.format];
  return { ...variant, effort: Math.min(Math.max(effort, least), most) };
}
