import { crc32 } from 'node:zlib';
import type { PixelSize } from '../../model.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** PNG colour types (PNG, third edition, 11.2.1). */
export const COLOUR_TYPE = { grey: 0, rgb: 2, indexed: 3, greyAlpha: 4, rgba: 6 } as const;

/** Samples per pixel by colour type. */
export const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** What an IHDR chunk states. */
interface PngHeader extends PixelSize {
  /** Per sample. */
  readonly bits: number;
  readonly type: number;
  /** Absent for rows from top to bottom. */
  readonly isInterlaced?: boolean;
}

/** The other chunks that pixels need, in the order of a file. */
interface Contents {
  readonly PLTE?: Buffer | undefined;
  readonly tRNS?: Buffer | undefined;
  readonly IDAT: Buffer;
}

/** The seven passes of an interlaced PNG: first x, first y, step across, step down. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The rows of a pass. */
export interface Pass extends PixelSize {
  /** Bytes of a row with its filter byte. */
  readonly row: number;
}

/** The passes of a picture with this many bits per pixel: one that is not interlaced has one. Empty passes are left out. */
export function passesOf({ width, height }: PixelSize, bits: number, isInterlaced: boolean): Pass[] {
  return (isInterlaced ? PASSES : [[0, 0, 1, 1] as const]).flatMap(([x, y, dx, dy]) => {
    const [across, down] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return across <= 0 || down <= 0
      ? []
      : [{ width: across, height: down, row: 1 + Math.ceil((across * bits) / 8) }];
  });
}

/** Bytes of all rows with their filter bytes. */
export const unpackedLength = (passes: readonly Pass[]): number =>
  passes.reduce((sum, { row, height }) => sum + row * height, 0);

/** A PNG file. Chunks without content are left out. */
export function pngFile(
  { width, height, bits, type, isInterlaced }: PngHeader,
  { PLTE, tRNS, IDAT }: Contents,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, type, 0, 0, isInterlaced ? 1 : 0], 8);
  const chunks = Object.entries({ IHDR: header, PLTE, tRNS, IDAT }).flatMap(([name, content]) =>
    content?.length ? pngChunk(name, content) : [],
  );
  return Buffer.concat([SIGNATURE, ...chunks, pngChunk('IEND', Buffer.alloc(0))]);
}

/** Length, type, content and checksum (PNG, third edition, 5.3). */
export function pngChunk(type: string, content: Buffer): Buffer {
  const made = Buffer.alloc(content.length + 12);
  made.writeUInt32BE(content.length, 0);
  made.write(type, 4, 'latin1');
  made.set(content, 8);
  made.writeUInt32BE(crc32(made.subarray(4, content.length + 8)), content.length + 8);
  return made;
}
