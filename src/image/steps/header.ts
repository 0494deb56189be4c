import type { Metadata } from 'sharp';
import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits, PixelSize, SourceFormat } from '../../model.ts';
import { animationOf, assertFrameCount, assertFramePixels, damageOfFrames } from '../animation/open.ts';
import { framesOf } from '../avif.ts';
import { type Chunk, chunksOf } from '../chunks.ts';
import { impossible } from '../claims.ts';
import { type Corrections, correctionsOf, makeDecodable, profileOf } from '../corrections.ts';
import { READERS } from '../formats.ts';
import { type Carried, carriedBy, carriedIn } from '../metadata.ts';
import type { Source } from '../open.ts';
import type { PageRange } from '../region.ts';
import { corrupt } from '../unreadable.ts';
import { allowSvg, sharp } from '../vips.ts';

/** The most bytes of metadata: the size of the largest profile in a JPEG (255 segments of 64 KiB). */
const MAX_METADATA = 16 * 2 ** 20;

/** The facts in a picture's header; no pixels are decoded yet. */
export type Header = Readonly<Awaited<ReturnType<typeof header>>>;

/**
 * Reads the header, and applies the limits. Width and height are those of the upright picture. Errors: `corrupt`,
 * `too_large`, `too_many_frames`, `outside_picture`, `unsupported_format`, `out_of_memory`. `wantsAll`: all frames of an
 * animation are wanted.
 */
export async function header(
  source: Source,
  format: SourceFormat,
  limits: Limits,
  range: PageRange = { page: 1, last: 1 },
  wantsAll = false,
) {
  allowSvg(limits);
  const bytes = source.head;
  if (format === 'svg' && typeof source.input === 'string') {
    throw new ImgtoolError('too_large', 'an SVG of this size is not read');
  }
  assertMetadataSize(carriedBy(bytes, format, false));
  makeDecodable(source, format);
  const examined = await READERS[format].examine?.(source, limits, range);
  const { plain = null, page = 0 } = examined ?? {};
  const found = await read(plain?.head ?? source.input, limits, page);
  assertMetadataSize(carriedIn(found));
  const frames = examined?.frames ?? found.pages ?? 1;
  const animation = frames > 1 ? animationOf(source, format, wantsAll) : null;
  if (animation === null) {
    const [what, first] = format === 'tiff' ? (['pages', 'page'] as const) : (['frames', 'frame'] as const);
    const fix = `save its first ${first} as a picture of its own, or leave it out with {{exclude}}`;
    assertFrameCount(frames, what, fix);
  }
  const { width, height } = found.autoOrient;
  if (width * height > limits.pixels) throw tooManyPixels(width, height, limits.pixels);
  const damage =
    examined?.damage ??
    (bytes.length === source.facts.size ? impossible(bytes, format) : null) ??
    (animation === null ? null : damageOfFrames(animation));
  if (damage !== null && !limits.lenient) throw damage;
  const corrections = correctionsOf(source, format, found, examined?.colours ?? null, limits.pixels);
  const size = shownSize(found, corrections);
  if (animation !== null) assertFramePixels(animation, size, limits);
  const orientation = found.orientation ?? corrections?.orientation ?? 1;
  return {
    ...size,
    format,
    /** The profile of RGB pixels; null where they can only become sRGB. */
    profile: profileOf(found, corrections),
    /** Bytes of metadata, uncompressed. */
    metadataBytes: sizeOf(carriedIn(found)),
    /** True for 16-bit colours with a table-based profile, which sharp converts to P3 instead of sRGB. */
    wide: found.depth === 'ushort' && found.hasProfile && corrections?.ignoreIcc !== true,
    alpha: found.hasAlpha || (corrections !== null && corrections.screen !== null),
    /** Bytes of one decoded pixel. Every source has samples of 8 or 16 bits, once a TIFF is rewritten. */
    pixelBytes: found.channels * (found.depth === 'ushort' ? 2 : 1),
    /** Average stored samples per pixel of a JPEG, which may subsample colours. */
    samples: found.channels * (found.chromaSubsampling?.startsWith('4:2:0') ? 0.5 : 1),
    /** True when the pixels are stored in several passes, which the decoder must hold in full. */
    progressive: found.isProgressive,
    stored: { width: found.width, height: found.height },
    /** Number of frames or pages that are decoded, and number of those in the file. */
    pages: animation?.frames.length ?? 1,
    pagesInFile:
      examined?.pages ?? ((wantsAll && animation?.frames.length) || framesIn(bytes, format, found)),
    /** True when the picture needs rotation or mirroring. */
    turned: orientation > 1,
    /** EXIF orientation, 1 to 8. */
    orientation,
    /** The frames that are decoded; null to decode one still picture. */
    animation,
    lossless: format === 'webp' && firstChunk(bytes, format, 'VP8L') !== undefined,
    /** The replacement for a picture that libvips cannot read; null when libvips reads the original. */
    plain,
    /** The number of the page that libvips reads, from 0. */
    page,
    /** libvips' `failOn` in strict mode. */
    failOn: examined?.failOn ?? ('error' as const),
    /** Why the picture is incomplete, when `lenient` accepts that. */
    damage,
    /** Corrections that libvips does not make; null for most pictures. */
    corrections,
  };
}

/** The upright size; for a GIF, the size of its screen. */
function shownSize({ autoOrient, width, height }: Metadata, corrections: Corrections | null): PixelSize {
  const { screen, orientation } = corrections ?? { screen: null, orientation: 1 };
  if (screen !== null) return { width: screen.width, height: screen.height };
  return orientation > 4 ? { width: height, height: width } : autoOrient;
}

/** The number of frames of an animation. libvips does not count those of a PNG or an AVIF. */
function framesIn(bytes: Buffer, format: SourceFormat, { pages = 1, format: decoder }: Metadata): number {
  if (decoder === 'heif') return framesOf(bytes);
  const control = firstChunk(bytes, format, 'acTL');
  if (control === undefined) return pages;
  // The chunk begins with the number of frames.
  return Math.max(1, Buffer.from(control.start.padEnd(4, '\0'), 'latin1').readUInt32BE(0));
}

function firstChunk(bytes: Buffer, format: SourceFormat, type: string): Chunk | undefined {
  // A file can have very many chunks: none of the others is kept.
  for (const chunk of chunksOf(bytes, format, false)) if (chunk.type === type) return chunk;
  return undefined;
}

async function read(input: Buffer | string, { lenient }: Limits, page: number): Promise<Metadata> {
  try {
    // The decoder's strictness finds unsupported pictures here, before decoding.
    const failOn = lenient ? 'none' : 'error';
    return await sharp(input, { failOn, limitInputPixels: false, page }).metadata();
  } catch (error) {
    throw corrupt(error, lenient);
  }
}

const sizeOf = (carried: Carried): number => [...carried.values()].reduce((sum, each) => sum + each, 0);

function assertMetadataSize(carried: Carried): void {
  const bytes = sizeOf(carried);
  if (bytes <= MAX_METADATA) return;
  const mega = (n: number): string => `${(n / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
  const what = `${mega(bytes)} of metadata (${[...carried.keys()].join(', ')})`;
  const fix = 'save it without its metadata first, or leave it out with {{exclude}}';
  throw new ImgtoolError('too_large', `${what} is over the limit of ${mega(MAX_METADATA)}`, { fix });
}
