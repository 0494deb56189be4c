import { ImgtoolError } from '../errors.ts';
import { chunksOf } from './chunks.ts';
import type { SourceFormat } from './formats.ts';
import { firstFrame } from './gif-frame.ts';
import type { Size } from './plan.ts';

/**
 * Bytes that a byte of deflate gives at most: the longest match, 258 bytes, takes a length code and a distance code of
 * one bit each (RFC 1951, section 3.2.5).
 */
const DEFLATE = 1032;

/**
 * Pixels that a byte of LZW gives at most in a GIF: each new code stands for at most one pixel more than the one before,
 * so that a code of n bits, one of at most 2^n, stands for fewer than 2^n pixels. The best is n = 12, the longest.
 */
const LZW = (4096 * 8) / 12;

/**
 * Why a picture cannot be whole, as the error `corrupt`: it holds fewer bytes of compressed pixels than its size takes
 * at the format's best compression, or a GIF's frame ends in the middle. Null where nothing speaks against it; nothing
 * is decoded.
 */
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
  // What is not even that long is the decoder's to refuse.
  if (fields.length < 13) return null;
  const size = { width: fields.readUInt32BE(0), height: fields.readUInt32BE(4) };
  return tooLittle(held, unpackedPng(size, fields) / DEFLATE, size);
}

/** Samples of a pixel by the type of its colours. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Where the seven passes of an interlaced PNG begin, and their steps: x, y, across, down. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Bytes of all rows, each with the byte that names its filter; empty passes have none. */
function unpackedPng({ width, height }: Size, header: Buffer): number {
  const bits = header[8]! * (SAMPLES[header[9]!] ?? 0);
  const rows = (across: number, down: number) =>
    across <= 0 || down <= 0 ? 0 : down * (1 + Math.ceil((across * bits) / 8));
  if (header[12] !== 1) return rows(width, height);
  return PASSES.reduce(
    (sum, [x, y, dx, dy]) => sum + rows(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

function impossibleGif(bytes: Buffer): ImgtoolError | null {
  const frame = firstFrame(bytes);
  if (frame === undefined) return null;
  const { area } = frame;
  const lack = tooLittle(frame.bytes, (area.width * area.height) / LZW, area);
  return lack ?? (frame.isWhole ? null : damaged('its first frame ends before its last pixel'));
}

function tooLittle(held: number, needed: number, { width, height }: Size): ImgtoolError | null {
  if (held >= needed) return null;
  const [there, least] = [held, Math.ceil(needed)].map((bytes) => bytes.toLocaleString('en'));
  const size = [width, height].map((side) => side.toLocaleString('en')).join(' x ');
  return damaged(`${size} px take at least ${least} bytes of compressed pixels, and it holds ${there}`);
}

function damaged(why: string): ImgtoolError {
  return new ImgtoolError('corrupt', `the picture is damaged or cut short (${why})`, {
    fix: 'copy the file again',
  });
}
