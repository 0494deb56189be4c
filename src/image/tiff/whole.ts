import type { Directory, Tiff } from './directory.ts';
import { type Layout, rowsInSegment, unpackedBytes } from './layout.ts';
import { COMPRESSION, TAG } from './tags.ts';
import { packBits, unpack } from './unpack.ts';

/** Position and length of a strip or tile in the file, in bytes. */
export type Segment = { readonly at: number; readonly length: number };

/**
 * The most bytes that one compressed byte expands to. In LZW, 9 bits expand to at most 3,839 bytes, the longest string
 * of a full table (TIFF 6.0, section 13). The ratio of Deflate is from zlib's technical notes.
 */
const MAX_RATIO: Readonly<Record<number, number>> = {
  [COMPRESSION.none]: 1,
  [COMPRESSION.packbits]: 64,
  [COMPRESSION.lzw]: 3413,
  [COMPRESSION.deflate]: 1032,
  [COMPRESSION.oldDeflate]: 1032,
};

/** Bytes at the end of a JPEG to search for its end marker: some writers add padding. */
const TAIL_BYTES = 64 * 1024;
/** This many zeros at the end of a strip or tile make it look unfinished. */
const TAIL_ZEROS = 4;
/** The most bytes to decompress only to check whether a strip or tile is complete. */
const MAX_UNPACKED = 64 * 2 ** 20;
const JPEG_END = Buffer.from([0xff, 0xd9]);

/** Returns the listed strips or tiles of a directory, at most as many as its layout needs. */
export function segmentsOf(tiff: Tiff, directory: Directory, layout: Layout): Segment[] {
  const { tiled, compression, segments } = layout;
  const offsets = directory.numbers(tiled ? TAG.TileOffsets : TAG.StripOffsets, segments);
  const counts = directory.numbers(tiled ? TAG.TileByteCounts : TAG.StripByteCounts, segments);
  return offsets.map((at, i) => {
    // Old writers omit the byte count of uncompressed pixels, or write a wrong one.
    if (compression === COMPRESSION.none) return { at, length: plainLength(layout, i) };
    return { at, length: counts[i] ?? (segments === 1 ? Math.max(0, tiff.size - at) : 0) };
  });
}

/** Returns why a picture is incomplete, or null. Compares the size of the file with the number of pixels. */
export function lackOf(tiff: Tiff, layout: Layout, segments: readonly Segment[]): string | null {
  const count = (n: number): string => n.toLocaleString('en');
  const what = layout.tiled ? 'tiles' : 'strips';
  if (segments.length < layout.segments) {
    return `its directory lists ${count(segments.length)} of ${count(layout.segments)} ${what}`;
  }
  const end = segments.reduce((last, { at, length }) => Math.max(last, at + length), 0);
  if (end > tiff.size) return `the file ends after ${count(tiff.size)} of ${count(end)} bytes`;
  const empty = segments.findIndex(({ length }) => length === 0);
  if (empty >= 0) return `number ${count(empty + 1)} of its ${what} is empty`;
  const most = MAX_RATIO[layout.compression];
  if (most !== undefined && segments.some(({ length }, i) => length * most < plainLength(layout, i))) {
    return `its bytes are too few to hold ${count(layout.width)} x ${count(layout.height)} pixels`;
  }
  const cut = firstWithoutEnd(tiff, layout, segments);
  return cut < 0 ? null : `number ${count(cut + 1)} of its ${what} has no end`;
}

/**
 * The index of the first strip or tile without its end, or -1. Shared bytes are checked once, and the search stops after
 * as many bytes as the file has. WebP is not checked: its arithmetic coder also ends plain areas with zeros.
 */
function firstWithoutEnd(tiff: Tiff, layout: Layout, segments: readonly Segment[]): number {
  const { compression } = layout;
  const isJpeg = compression === COMPRESSION.jpeg;
  const isChecked = isJpeg || MAX_RATIO[compression] !== undefined;
  const checked = new Set<string>();
  let left = isChecked && compression !== COMPRESSION.none ? tiff.size : 0;
  return segments.findIndex((segment, i) => {
    if (left <= 0) return false;
    if (isJpeg) {
      left -= Math.min(segment.length, TAIL_BYTES);
      return !tailOf(tiff, segment, TAIL_BYTES).includes(JPEG_END);
    }
    const plain = plainLength(layout, i);
    const key = `${segment.at} ${segment.length} ${plain}`;
    if (tailOf(tiff, segment, TAIL_ZEROS).some((byte) => byte !== 0) || checked.has(key)) return false;
    checked.add(key);
    left -= segment.length;
    return !isComplete(tiff.readAt(segment.at, segment.length), compression, plain);
  });
}

function tailOf(tiff: Tiff, { at, length }: Segment, most: number): Buffer {
  const bytes = Math.min(length, most);
  return tiff.readAt(at + length - bytes, bytes);
}

/** Checks bytes that end in zeros: libvips 8.18 accepts such PackBits, and accepts Deflate without its checksum. */
function isComplete(packed: Buffer, compression: number, plain: number): boolean {
  if (compression === COMPRESSION.packbits) return packBits(packed, plain) === plain;
  // A complete stream does not end in zeros, and the memory estimate does not cover this decompression.
  return plain <= MAX_UNPACKED && unpack(packed, compression, plain, false).whole;
}

const plainLength = (layout: Layout, index: number): number =>
  unpackedBytes(layout, rowsInSegment(layout, index % (layout.segments / layout.planes)));
