import type { ImgtoolError } from '../errors.ts';
import type { PixelSize, SourceFormat } from '../model.ts';
import { chunksOf } from './chunks.ts';
import { firstFrame } from './gif.ts';
import { passesOf, SAMPLES, unpackedLength } from './png/file.ts';
import { damagedPicture } from './unreadable.ts';

/** The most bytes per byte of deflate: 258 bytes take two codes of one bit each (RFC 1951, section 3.2.5). */
const DEFLATE_RATIO = 1032;

/**
 * The most pixels that one byte of GIF LZW expands to. Each new code stands for at most one pixel more than the
 * previous code. A code of n bits is one of at most 2^n, and so stands for fewer than 2^n pixels. The ratio is best for
 * the longest codes, n = 12.
 */
const LZW_RATIO = (4096 * 8) / 12;

/** The error when a picture has fewer bytes than its size needs at best, or a GIF frame ends early; else null. */
export function impossible(bytes: Buffer, format: SourceFormat): ImgtoolError | null {
  if (format === 'png') return impossiblePng(bytes);
  return format === 'gif' ? impossibleGif(bytes) : null;
}

function impossiblePng(bytes: Buffer): ImgtoolError | null {
  let header = '';
  let held = 0;
  for (const { type, start, length } of chunksOf(bytes, 'png', false)) {
    if (type === 'IHDR') header = start;
    if (type === 'IDAT') held += length;
  }
  const fields = Buffer.from(header, 'latin1');
  // The decoder reports a header this short.
  if (fields.length < 13) return null;
  const size = { width: fields.readUInt32BE(0), height: fields.readUInt32BE(4) };
  const passes = passesOf(size, fields[8]! * (SAMPLES[fields[9]!] ?? 0), fields[12] === 1);
  return tooFewBytes(held, unpackedLength(passes) / DEFLATE_RATIO, size);
}

function impossibleGif(bytes: Buffer): ImgtoolError | null {
  const frame = firstFrame(bytes);
  if (frame === undefined) return null;
  const lack = tooFewBytes(frame.bytes, (frame.width * frame.height) / LZW_RATIO, frame);
  return lack ?? (frame.isWhole ? null : damagedPicture('its first frame ends before its last pixel'));
}

function tooFewBytes(held: number, needed: number, { width, height }: PixelSize): ImgtoolError | null {
  if (held >= needed) return null;
  const [there, least] = [held, Math.ceil(needed)].map((bytes) => bytes.toLocaleString('en'));
  const size = [width, height].map((side) => side.toLocaleString('en')).join(' x ');
  return damagedPicture(
    `${size} px take at least ${least} bytes of compressed pixels, and it holds ${there}`,
  );
}
