// What each output format has and allows. The children load this file too, so it imports nothing.

/** Formats of outputs, the default first. */
export const FORMATS = ['webp', 'jpeg', 'png', 'avif', 'gif', 'tiff'] as const;
export type Format = (typeof FORMATS)[number];

/** One value for each format. */
export type PerFormat<T> = Readonly<Record<Format, T>>;

/** Extension of an output's name. */
export const EXTENSIONS: PerFormat<string> = {
  webp: 'webp',
  jpeg: 'jpg',
  png: 'png',
  avif: 'avif',
  gif: 'gif',
  tiff: 'tif',
};

/** Formats of outputs that can be animations. */
export const MOVING: ReadonlySet<string> = new Set<Format>(['webp', 'gif']);

/**
 * The number of the way in which outputs of a format are made. The index records it, and `--outdated` renders outputs with
 * a lower number again. An output without a number has 1: since then, pixels changed for some sources of every format.
 * With each change of pixels or bytes, raise what it changes to the next number that is not used here. 6: text keeps its
 * edges when it is reduced, and enlarged pictures keep their place.
 */
const RECIPES: PerFormat<number> = { webp: 6, jpeg: 6, png: 6, avif: 6, gif: 6, tiff: 6 };

/**
 * The same for sources of a format, whose decoding changed. The higher number counts. 3: an SVG is rendered at the size of
 * its variant.
 */
const SOURCE_RECIPES: Readonly<Record<string, number>> = { svg: 3 };

/** The same for the outputs of an animation that can be animations too. An older output is a still picture. */
export const MOVING_RECIPE = 5;

/** What recipes depend on in a source. */
interface SourceKind {
  readonly format: string;
  readonly pages: number | null;
}

/** The recipe for outputs of this format of a source; of any picture if the source is not known. */
export function recipeOf(format: Format, source: SourceKind | undefined): number {
  if (source === undefined) return RECIPES[format];
  const moving = isAnimation(source) && MOVING.has(format) ? MOVING_RECIPE : 1;
  return Math.max(RECIPES[format], SOURCE_RECIPES[source.format] ?? 1, moving);
}

/** Whether all frames of a source can be read. Animations are read from the formats in which they are written. */
export const isAnimation = ({ format, pages }: SourceKind): boolean =>
  MOVING.has(format) && pages !== null && pages > 1;

/**
 * Longest side of an output, in pixels. A variant cannot ask for more, and a larger picture is scaled down. These are the
 * limits of libwebp, libvips (for AVIF) and libjpeg, and of the headers of PNG, GIF and TIFF.
 */
export const LONGEST_SIDE: PerFormat<number> = {
  webp: 16383,
  avif: 16384,
  jpeg: 65500,
  png: 2 ** 31 - 1,
  gif: 65535,
  tiff: 2 ** 31 - 1,
};

/** A range of efforts. */
interface Efforts {
  readonly least: number;
  readonly most: number;
  readonly initial: number;
}

/** Effort of each encoder. AVIF at 0, 2 and 4 takes 60, 240 and 1750 ms for 1200 px (two cores, libvips 8.18). */
export const EFFORTS: PerFormat<Efforts | null> = {
  webp: { least: 0, most: 6, initial: 4 },
  jpeg: { least: 0, most: 2, initial: 0 },
  png: { least: 1, most: 10, initial: 7 },
  avif: { least: 0, most: 9, initial: 2 },
  gif: { least: 1, most: 10, initial: 7 },
  tiff: null,
};

/** The highest effort of any encoder; the lowest is 0. */
export const MOST_EFFORT = Math.max(...Object.values(EFFORTS).map((efforts) => efforts?.most ?? 0));

/** The default quality; null where an encoder has no quality. */
export const QUALITIES: PerFormat<number | null> = {
  webp: 85,
  jpeg: 85,
  avif: 60,
  png: 100,
  gif: null,
  tiff: 100,
};

/** From this quality on, JPEG stores colours at full resolution, like libvips' own choice. */
export const FULL_CHROMA = 90;

/** `webp, jpeg or avif`. */
export function formatsOf(isOne: (format: Format) => boolean): string {
  const words = FORMATS.filter(isOne);
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}
