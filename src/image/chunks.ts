import type { SourceFormat } from '../model.ts';
import type { Source } from './open.ts';

/** A chunk of a PNG or WebP, or a segment of a JPEG. */
export interface Chunk {
  /** The format's own name: `APP1`, `COM` …, `tEXt` …, `EXIF` …; `trailer` for bytes after the end of the picture. */
  readonly type: string;
  /** The first bytes of the content, as latin1: enough to identify it. */
  readonly start: string;
  /** Offset of the content in the file. */
  readonly at: number;
  /** Length of the content in bytes. */
  readonly length: number;
}

/** Length of `Chunk.start` in bytes: more than the longest name that starts a chunk. */
const START = 40;

/** Yields chunks in order, up to an unreadable one. With `whole`, also those behind the first scan of a JPEG. */
export function chunksOf(bytes: Buffer, format: SourceFormat, whole: boolean): Iterable<Chunk> {
  const readAt = (position: number, length: number): Buffer => bytes.subarray(position, position + length);
  if (format === 'jpeg') return segments(bytes, whole);
  if (format === 'png') return pngChunksOf({ readAt, facts: { size: bytes.length } });
  return format === 'webp' ? riffChunks(bytes) : [];
}

const SOS = 0xda;
const EOI = 0xd9;

function* segments(bytes: Buffer, whole: boolean): Iterable<Chunk> {
  let at = 2;
  while (at + 4 <= bytes.length) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0xff || isBare(marker)) at++;
    else if (marker === EOI) return yield* trailer(bytes, at + 2);
    else {
      yield chunk(bytes, segmentName(marker), at + 4, bytes.readUInt16BE(at + 2) - 2);
      at += 2 + bytes.readUInt16BE(at + 2);
      if (marker === SOS && !whole) return;
    }
    // Skips compressed pixels, padding and damage, which contain no markers.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return;
  }
}

/** Markers without a length: a stuffed zero, a restart, or a start of image. */
const isBare = (marker: number): boolean => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);

function segmentName(marker: number): string {
  if (marker >= 0xe0 && marker <= 0xef) return `APP${marker - 0xe0}`;
  return marker === 0xfe ? 'COM' : marker.toString(16);
}

/** The part of a `Source` that the functions for chunks need. */
export type ChunkSource = Pick<Source, 'readAt'> & { readonly facts: Pick<Source['facts'], 'size'> };

/** The types of PNG chunks that hold texts. */
export const PNG_TEXTS: ReadonlySet<string> = new Set(['tEXt', 'zTXt', 'iTXt']);

/** The most PNG chunks to read. Each costs a read when the file is not in memory; encoders put 8 KiB into one chunk. */
const MAX_CHUNKS = 1_000_000;

/** Yields the chunks of a PNG like `chunksOf`. It reads only the start of each chunk. */
export function* pngChunksOf({ facts: { size }, readAt }: ChunkSource): Iterable<Chunk> {
  let at = 8;
  let type = '';
  for (let count = 0; count < MAX_CHUNKS && at + 8 <= size && type !== 'IEND'; count++) {
    const head = readAt(at, 8 + START);
    // The file became shorter.
    if (head.length < 8) return;
    const length = head.readUInt32BE(0);
    type = head.toString('latin1', 4, 8);
    const held = Math.min(length, size - at - 8);
    yield { type, start: head.toString('latin1', 8, 8 + Math.min(START, held)), at: at + 8, length: held };
    at += length + 12;
  }
  if (type !== 'IEND' || at >= size) return;
  yield { type: 'trailer', start: readAt(at, START).toString('latin1'), at, length: size - at };
}

function* riffChunks(bytes: Buffer): Iterable<Chunk> {
  if (bytes.length < 12) return;
  const end = Math.min(bytes.length, bytes.readUInt32LE(4) + 8);
  let at = 12;
  while (at + 8 <= end) {
    const length = bytes.readUInt32LE(at + 4);
    yield chunk(bytes, bytes.toString('latin1', at, at + 4), at + 8, length);
    at += 8 + length + (length % 2);
  }
  yield* trailer(bytes, end);
}

function* trailer(bytes: Buffer, at: number): Iterable<Chunk> {
  if (at < bytes.length) yield chunk(bytes, 'trailer', at, bytes.length - at);
}

function chunk(bytes: Buffer, type: string, at: number, length: number): Chunk {
  // A damaged chunk can state a length beyond the end of the file.
  const held = Math.min(Math.max(0, length), Math.max(0, bytes.length - at));
  return { type, start: bytes.toString('latin1', at, at + Math.min(START, held)), at, length: held };
}
