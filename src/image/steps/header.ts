import type { Metadata } from 'sharp';
import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import { chunksOf } from '../chunks.ts';
import { impossible } from '../claims.ts';
import { type Corrections, correctionsOf, makeDecodable } from '../corrections.ts';
import type { SourceFormat } from '../formats.ts';
import { type Carried, carriedBy, carriedIn } from '../metadata.ts';
import type { Source } from '../open.ts';
import type { Size } from '../plan.ts';
import type { TiffReading } from '../tiff/examine.ts';
import { allowSvg, sharp } from '../vips.ts';
import { corrupt } from './corrupt.ts';

/** Frames or pages of a picture; only the first is rendered, but all of them are looked for. */
const FRAMES = 500;

/**
 * Bytes of metadata, which decoders hold several times over and nothing here shows: what the largest profile that a
 * JPEG can carry (255 segments of 64 KiB) comes to. Cameras and editors stay below 5 MB.
 */
const METADATA = 16 * 2 ** 20;

/** What a picture's header says; nothing is decoded yet. */
export interface Header extends Size {
  readonly format: string;
  /** Set when its 16-bit colours come with a profile of tables, which sharp takes to P3 rather than to sRGB. */
  readonly wide: boolean;
  readonly alpha: boolean;
  /** Bytes of one pixel as it is decoded. */
  readonly pixelBytes: number;
  /** Samples that a JPEG stores for a pixel on average: its colours may be coarser. */
  readonly samples: number;
  /** Stored in several passes, so that its decoder holds the whole of it. */
  readonly progressive: boolean;
  /** Pixels as they are stored, before they are turned upright. */
  readonly stored: Size;
  /** Stored in another position than it is shown in. */
  readonly turned: boolean;
  /** Set for a WebP without loss. */
  readonly lossless: boolean;
  /** How a TIFF is read; null for all else. */
  readonly tiff: TiffReading | null;
  /** Why it is not whole, where that is to be overlooked. */
  readonly damage: ImgtoolError | null;
  /** What libvips leaves out; null for most pictures. */
  readonly corrections: Corrections | null;
}

/**
 * Reads the header, turned upright, and holds it to the limits. Errors: `corrupt`, `too_large`, `too_many_frames`,
 * `unsupported_format`, `out_of_memory`.
 */
export async function header(source: Source, format: SourceFormat, limits: Limits): Promise<Header> {
  allowSvg(limits);
  const bytes = source.head;
  if (format === 'svg' && typeof source.input === 'string')
    throw new ImgtoolError('too_large', 'an SVG of this size is not read');
  assertLittle(carriedBy(bytes, format, false));
  makeDecodable(source, format);
  const tiff = format === 'tiff' ? await examined(source, limits) : null;
  const found = await read(tiff?.plain?.head ?? source.input, limits);
  assertLittle(carriedIn(found));
  assertFew(tiff?.frames ?? found.pages ?? 1);
  assertWithin(found.autoOrient, limits.pixels);
  const damage = tiff?.damage ?? (bytes.length === source.facts.size ? impossible(bytes, format) : null);
  if (damage !== null && !limits.lenient) throw damage;
  const corrections = correctionsOf(source, format, found, limits.pixels);
  return {
    ...shownSize(found, corrections),
    format: format === 'heif' ? 'avif' : format,
    wide: found.depth === 'ushort' && found.hasProfile && corrections?.ignoreIcc !== true,
    alpha: found.hasAlpha || (corrections !== null && corrections.screen !== null),
    pixelBytes: found.channels * (BYTES[found.depth] ?? 1),
    samples: found.channels * (found.chromaSubsampling?.startsWith('4:2:0') ? 0.5 : 1),
    progressive: found.isProgressive,
    stored: { width: found.width, height: found.height },
    turned: (found.orientation ?? corrections?.orientation ?? 1) > 1,
    lossless: [...chunksOf(bytes, format, false)].some(({ type }) => type === 'VP8L'),
    tiff,
    damage,
    corrections,
  };
}

/** Upright, and for a GIF with all of its screen. */
function shownSize({ autoOrient, width, height }: Metadata, corrections: Corrections | null): Size {
  if (corrections === null) return autoOrient;
  const { screen, orientation } = corrections;
  if (screen !== null) return { width: screen.width, height: screen.height };
  return orientation > 4 ? { width: height, height: width } : autoOrient;
}

/** By libvips' names of what one sample is. */
const BYTES: Readonly<Record<string, number>> = {
  ushort: 2,
  short: 2,
  uint: 4,
  int: 4,
  float: 4,
  complex: 8,
  double: 8,
  dpcomplex: 16,
};

/** Loaded for TIFFs alone. */
async function examined(source: Source, limits: Limits): Promise<TiffReading> {
  const { examine } = await import('../tiff/examine.ts');
  return examine(source, limits);
}

async function read(input: Buffer | string, { lenient }: Limits): Promise<Metadata> {
  try {
    // As strict as the decoder is, which says at once what it cannot read.
    const failOn = lenient ? 'none' : 'error';
    return await sharp(input, { failOn, limitInputPixels: false }).metadata();
  } catch (error) {
    throw corrupt(error, lenient);
  }
}

function assertLittle(carried: Carried): void {
  const bytes = [...carried.values()].reduce((sum, each) => sum + each, 0);
  if (bytes <= METADATA) return;
  const mega = (n: number): string => `${(n / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
  const names = [...carried.keys()].join(', ');
  throw new ImgtoolError(
    'too_large',
    `${mega(bytes)} of metadata (${names}) is over the limit of ${mega(METADATA)}`,
    {
      fix: 'save it without its metadata first, or leave it out with {{exclude}}',
    },
  );
}

function assertFew(frames: number): void {
  if (frames <= FRAMES) return;
  throw new ImgtoolError(
    'too_many_frames',
    `${frames.toLocaleString('en')} frames are over the limit of ${FRAMES}`,
    {
      fix: 'save its first frame as a picture of its own, or leave it out with {{exclude}}',
    },
  );
}

function assertWithin({ width, height }: Size, pixels: number): void {
  if (width * height > pixels) throw tooManyPixels(width, height, pixels);
}
