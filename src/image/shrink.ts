import type { Size } from './plan.ts';
import type { Header } from './steps/header.ts';

/**
 * How many times larger than the output a decoder's scaled result must be; Lanczos does the rest. Measured (libvips
 * 8.18.7) as SSIM against Lanczos in float64: text as JPEG, 3600 to 800 pixels across, 0.989 with 1 and 0.999 with 2;
 * text as WebP, 4800 to 1200, 0.995 with 1, 0.9992 with 2 and 0.9996 with 3; fine stems, 4800 to 800, 0.994 with 2 and
 * above 0.995 with 3.
 */
const MARGIN = { jpeg: 2, webp: 3, largeWebp: 2 };

/** The factor (1, 2, 4 or 8) by which sharp has a JPEG decoder scale down for this size. */
function sharpShrink({ width, height }: Size, to: Size): number {
  const by = Math.min(width / to.width, height / to.height) / MARGIN.jpeg;
  return [8, 4, 2].find((each) => each <= by) ?? 1;
}

/** The factor by which a JPEG decoder scales down for this size. */
export const jpegShrink = (header: Header, to: Size): number =>
  mayShrink(header, to) ? sharpShrink(header, to) : 1;

/**
 * True when a JPEG decoder can scale down for this size. Where a side is no multiple of the factor, the last column or row
 * stands for less than the others, and the picture shifts by up to 0.4 pixels.
 */
export function mayShrink(header: Header, to: Size): boolean {
  const shrink = sharpShrink(header, to);
  return header.stored.width % shrink === 0 && header.stored.height % shrink === 0;
}

/** For a WebP of more pixels, decoding at full size takes too much memory. */
const LARGE = 32_000_000;

/** The size to request from a WebP decoder for this output size; null to decode the whole picture. */
export function webpShrink({ format, corrections, alpha, ...from }: Header, to: Size): Size | null {
  // Each resize of transparent pixels loses a little of their colour.
  if (format !== 'webp' || corrections !== null || alpha) return null;
  const least = from.width * from.height > LARGE ? MARGIN.largeWebp : MARGIN.webp;
  const by = [MARGIN.webp, least].find(
    // A decoder that scales by little blurs.
    (each) => to.width * each * 1.3 < from.width && to.height * each * 1.3 < from.height,
  );
  return by === undefined ? null : { width: to.width * by, height: to.height * by };
}
