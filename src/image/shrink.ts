import type { Size } from './plan.ts';
import type { Header } from './steps/header.ts';

/**
 * How many times larger a picture stays, at least, when its decoder scales it down; Lanczos does the rest. Measured
 * (libvips 8.18.7) as SSIM against Lanczos in float64: text as JPEG, 3600 to 800 pixels across, 0.989 with 1 and 0.999
 * with 2; text as WebP, 4800 to 1200, 0.995 with 1, 0.9992 with 2 and 0.9996 with 3; fine stems, 4800 to 800, 0.994 with
 * 2 and above 0.995 with 3.
 */
const IN_HAND = { jpeg: 2, webp: 3, largeWebp: 2 };

/** 1, 2, 4 or 8: how much a JPEG's decoder scales down by itself on the way to this size. sharp has the same rule. */
export function jpegShrink({ width, height }: Size, to: Size): number {
  const by = Math.min(width / to.width, height / to.height) / IN_HAND.jpeg;
  return [8, 4, 2].find((each) => each <= by) ?? 1;
}

/** Pixels above which it takes too much memory to decode a WebP whole so that more stays in hand. */
const LARGE = 32_000_000;

/** The size that a WebP's decoder is asked for on the way to this one; null where it decodes the whole picture. */
export function webpShrink({ format, corrections, ...from }: Header, to: Size): Size | null {
  if (format !== 'webp' || corrections !== null) return null;
  const least = from.width * from.height > LARGE ? IN_HAND.largeWebp : IN_HAND.webp;
  const by = [IN_HAND.webp, least].find(
    (each) => to.width * each < from.width && to.height * each < from.height,
  );
  return by === undefined ? null : { width: to.width * by, height: to.height * by };
}
