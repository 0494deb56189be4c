import { inflateSync } from 'node:zlib';
import { orUndefined } from '../errors.ts';
import { type Chunk, type ChunkSource, PNG_TEXTS, pngChunksOf } from './chunks.ts';
import { type Directory, directoryAt, openTiff } from './tiff/directory.ts';
import { TAG } from './tiff/tags.ts';

/** ColorSpace of a picture that is not sRGB. */
const UNCALIBRATED = 0xffff;

/** The EXIF orientation, 1 to 8; null without one. */
export function orientationOf(exif: Buffer): number | null {
  const found = directoryOf(exif)?.number(TAG.Orientation);
  return [1, 2, 3, 4, 5, 6, 7, 8].find((orientation) => orientation === found) ?? null;
}

/** True for Adobe RGB (1998): an uncalibrated picture of a DCF optional file (DCF 2.0, 5.4). */
export function isAdobeRgb(exif: Buffer): boolean {
  const [details] = directoryOf(exif)?.below(TAG.ExifDirectory, 1) ?? [];
  if (details?.number(TAG.ColorSpace) !== UNCALIBRATED) return false;
  const [interoperability] = details.below(TAG.InteroperabilityDirectory, 1);
  return interoperability?.bytes(TAG.InteroperabilityIndex).toString('latin1', 0, 3) === 'R03';
}

/** The main directory of an EXIF block, which is a small TIFF (Exif 2.32, 4.5 and 4.6); null for a damaged block. */
function directoryOf(exif: Buffer): Directory | null {
  const bytes = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  const readAt = (position: number, length: number): Buffer => bytes.subarray(position, position + length);
  // Without a size, a truncated directory still gives its first entries.
  const tiff = openTiff(readAt, Number.POSITIVE_INFINITY);
  return tiff && directoryAt(tiff, tiff.first);
}

/** The largest profile text to decompress, in bytes: more than twice what EXIF can contain. */
const MAX_TEXT = 8 * 2 ** 20;

/** The most bytes to read from a chunk: the limit of all metadata. */
const MAX_CONTENT = 16 * 2 ** 20;

/** The EXIF of a PNG, or null. libvips misses it after the pixels, and in the texts of ImageMagick and ExifTool. */
export function exifOfPng(source: ChunkSource): Buffer | null {
  let profile: Chunk | undefined;
  for (const chunk of pngChunksOf(source)) {
    if (chunk.type === 'eXIf') return contentOf(source, chunk);
    if (PNG_TEXTS.has(chunk.type) && NAME.test(chunk.start)) profile ??= chunk;
  }
  const text = profile === undefined ? null : textOf(contentOf(source, profile), profile.type);
  return text ? profileBytes(text) : null;
}

const NAME = /^Raw profile type (?:exif|APP1)\0/i;

const contentOf = ({ readAt }: ChunkSource, { at, length }: Chunk): Buffer =>
  readAt(at, Math.min(length, MAX_CONTENT));

/** Returns the text of a text chunk (PNG, third edition, 11.3.3); undefined when it cannot be decompressed. */
function textOf(chunk: Buffer, type: string): string | undefined {
  const behind = chunk.indexOf(0) + 1;
  if (type === 'tEXt') return chunk.toString('latin1', behind);
  if (type === 'zTXt') return unpacked(chunk.subarray(behind + 1));
  // iTXt: compression flag, compression method, language, translated name.
  const language = chunk.indexOf(0, behind + 2) + 1;
  const text = chunk.subarray(chunk.indexOf(0, language) + 1);
  return chunk[behind] === 1 ? unpacked(text) : text.toString('latin1');
}

const unpacked = (packed: Buffer): string | undefined =>
  orUndefined(() => inflateSync(packed, { maxOutputLength: MAX_TEXT }).toString('latin1'));

/** Decodes a profile that is stored as name, length and hexadecimal digits. */
function profileBytes(text: string): Buffer {
  const digits = /^\s*\w+\s+\d+\s+([\da-f\s]*)/i.exec(text)?.[1] ?? '';
  return Buffer.from(digits.replace(/\s/g, ''), 'hex');
}
