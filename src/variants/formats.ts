// What each output format has and allows. The children load this file too, so it imports nothing.

/** Formats of outputs, the default first. */
export const FORMATS = ['webp', 'jpeg', 'png', 'avif'] as const;
export type Format = (typeof FORMATS)[number];

/** One value for each format. */
type PerFormat<T> = Readonly<Record<Format, T>>;

/** Extension of an output's name. */
export const EXTENSIONS: PerFormat<string> = { webp: 'webp', jpeg: 'jpg', png: 'png', avif: 'avif' };

/**
 * Longest side of an output, in pixels. A variant cannot ask for more, and a larger picture is scaled down. These are the
 * limits of libwebp, libvips (for AVIF) and libjpeg, and of the header of PNG.
 */
export const LONGEST_SIDE: PerFormat<number> = { webp: 16383, avif: 16384, jpeg: 65500, png: 2 ** 31 - 1 };

/** Effort of each encoder. AVIF at 0, 2 and 4 takes 60, 240 and 1750 ms for 1200 px (two cores, libvips 8.18). */
export const EFFORTS = {
  webp: { least: 0, most: 6, initial: 4 },
  avif: { least: 0, most: 9, initial: 2 },
  png: { least: 1, most: 10, initial: 7 },
} as const;

/** The highest effort of any encoder; the lowest is 0. */
export const MOST_EFFORT = Math.max(...Object.values(EFFORTS).map(({ most }) => most));

/** Quality of a variant that names none. PNG reduces its colours below 100. */
export const QUALITIES: PerFormat<number> = { webp: 85, jpeg: 85, avif: 60, png: 100 };
