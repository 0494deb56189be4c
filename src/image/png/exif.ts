import { inflateSync } from 'node:zlib';
import { type Chunk, type ChunkSource, pngChunksOf } from '../chunks.ts';

/** Bytes of a profile that is written as text, unpacked, at most: twice what EXIF can hold, and more. */
const UNPACKED = 8 * 2 ** 20;

/** Bytes of a chunk that are read at most: as many as the limit of all metadata. */
const CONTENT = 16 * 2 ** 20;

/**
 * The EXIF block that a PNG holds, also in a place where libvips does not look: in an eXIf chunk behind the pixels, or
 * in a text called "Raw profile type exif" or "... APP1", which ImageMagick and ExifTool write. Null where none is held.
 */
export function exifOfPng(source: ChunkSource): Buffer | null {
  let profile: Chunk | undefined;
  for (const chunk of pngChunksOf(source)) {
    if (chunk.type === 'eXIf') return contentOf(source, chunk);
    if (TEXTS.has(chunk.type) && NAME.test(chunk.start)) profile ??= chunk;
  }
  const text = profile === undefined ? null : textOf(contentOf(source, profile), profile.type);
  return text ? unwritten(text) : null;
}

const TEXTS = new Set(['tEXt', 'zTXt', 'iTXt']);
const NAME = /^Raw profile type (?:exif|APP1)\0/i;

const contentOf = ({ readAt }: ChunkSource, { at, length }: Chunk): Buffer =>
  readAt(at, Math.min(length, CONTENT));

/** What a text chunk says behind its name (PNG, third edition, 11.3.3); null when it cannot be unpacked. */
function textOf(chunk: Buffer, type: string): string | null {
  const behind = chunk.indexOf(0) + 1;
  if (type === 'tEXt') return chunk.toString('latin1', behind);
  if (type === 'zTXt') return unpacked(chunk.subarray(behind + 1));
  // Whether it is packed, how, its language and its name in that language.
  const language = chunk.indexOf(0, behind + 2) + 1;
  const text = chunk.subarray(chunk.indexOf(0, language) + 1);
  return chunk[behind] === 1 ? unpacked(text) : text.toString('latin1');
}

function unpacked(packed: Buffer): string | null {
  try {
    return inflateSync(packed, { maxOutputLength: UNPACKED }).toString('latin1');
  } catch {
    return null;
  }
}

/** The bytes of a profile that is written as its name, its length and hexadecimal digits. */
function unwritten(text: string): Buffer {
  const digits = /^\s*\w+\s+\d+\s+([\da-f\s]*)/i.exec(text)?.[1] ?? '';
  return Buffer.from(digits.replace(/\s/g, ''), 'hex');
}
