import type { SourceFormat } from './formats.ts';
import type { Source } from './open.ts';

/** A piece of a picture's file, by what its format calls it. */
export interface Chunk {
  /** `APP1`, `COM` …, `tEXt` …, `EXIF` …; `trailer` for what lies behind the picture's end. */
  readonly type: string;
  /** The beginning of what it holds, enough to tell what that is. */
  readonly start: string;
  /** Offset of what it holds. */
  readonly at: number;
  /** Bytes it holds. */
  readonly length: number;
}

/** Bytes of a chunk's beginning: more than the longest name that one starts with. */
const START = 40;

/**
 * The pieces of a JPEG, PNG or WebP in their order, as far as they can be followed; of other formats none. Nothing is
 * unpacked. `whole` goes on behind the first scan of a JPEG.
 */
export function chunksOf(bytes: Buffer, format: SourceFormat, whole: boolean): Iterable<Chunk> {
  switch (format) {
    case 'jpeg':
      return segments(bytes, whole);
    case 'png':
      return pngChunks(bytes);
    case 'webp':
      return riffChunks(bytes);
    default:
      return [];
  }
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
    // Compressed pixels, padding and what is damaged hold no markers.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return;
  }
}

/** A zero that is stuffed into the pixels, a restart or a start: no length follows. */
const isBare = (marker: number): boolean => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);

function segmentName(marker: number): string {
  if (marker >= 0xe0 && marker <= 0xef) return `APP${marker - 0xe0}`;
  return marker === 0xfe ? 'COM' : marker.toString(16);
}

/** What of a source its chunks are read from. */
export type ChunkSource = Pick<Source, 'readAt'> & { readonly facts: Pick<Source['facts'], 'size'> };

const pngChunks = (bytes: Buffer): Iterable<Chunk> =>
  pngChunksOf({
    facts: { size: bytes.length },
    readAt: (position, length) => bytes.subarray(position, position + length),
  });

/** Chunks of a PNG that are looked at. Each takes a read where the file is not held; encoders write 8 KiB into one. */
const MOST = 1_000_000;

/** The pieces of a PNG, as `chunksOf` finds them; of what they hold no more than the start is read. */
export function* pngChunksOf({ facts: { size }, readAt }: ChunkSource): Iterable<Chunk> {
  let at = 8;
  for (let count = 0; count < MOST && at + 8 <= size; count++) {
    const head = readAt(at, 8 + START);
    // The file has become shorter.
    if (head.length < 8) return;
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    const held = Math.min(length, Math.max(0, size - at - 8));
    yield { type, start: head.toString('latin1', 8, 8 + Math.min(START, held)), at: at + 8, length: held };
    at += length + 12;
    if (type === 'IEND') {
      if (at < size)
        yield { type: 'trailer', start: readAt(at, START).toString('latin1'), at, length: size - at };
      return;
    }
  }
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
  // What a chunk claims beyond the end of the file is not there.
  const held = Math.min(Math.max(0, length), Math.max(0, bytes.length - at));
  return { type, start: bytes.toString('latin1', at, at + Math.min(START, held)), at, length: held };
}
