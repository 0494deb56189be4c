import { ImgtoolError } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import type { SourceFormat } from '../formats.ts';
import type { Source } from '../open.ts';
import type { Size } from '../plan.ts';
import { allowSvg, sharp } from '../vips.ts';
import { corrupt } from './corrupt.ts';

/** What a picture's header says; nothing is decoded yet. */
export interface Header extends Size {
  readonly format: string;
  /** Set when its 16-bit colours come with a profile, which sharp takes to P3 rather than to sRGB. */
  readonly wide: boolean;
}

/** Reads the header, turned upright, and holds it to the limits. Errors: `corrupt`, `too_large`. */
export async function header(source: Source, format: SourceFormat, limits: Limits): Promise<Header> {
  allowSvg(limits);
  if (format === 'svg' && source.bytes === null)
    throw new ImgtoolError('too_large', 'an SVG of this size is not read');
  const { width, height, ...found } = await read(source, limits);
  assertWithin({ width, height }, limits.pixels);
  const wide = found.depth === 'ushort' && found.hasProfile;
  return { ...found.autoOrient, format: format === 'heif' ? 'avif' : format, wide };
}

async function read(source: Source, { lenient }: Limits) {
  try {
    return await sharp(source.bytes ?? source.path, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw corrupt(error, lenient);
  }
}

function assertWithin({ width, height }: Size, pixels: number): void {
  if (width * height <= pixels) return;
  const mega = (n: number): string => `${(n / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} Mpx`;
  const needed = Math.ceil((width * height) / 1e6);
  const size = [width, height].map((side) => side.toLocaleString('en')).join(' x ');
  throw new ImgtoolError('too_large', `${size} px is over the limit of ${mega(pixels)}`, {
    fix: `raise it with --limit-pixels ${needed}M if you trust the picture`,
  });
}
