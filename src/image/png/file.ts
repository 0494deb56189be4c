import { crc32 } from 'node:zlib';
import type { PixelSize } from '../../model.ts';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** PNG colour types (PNG, third edition, 11.2.1). */
export const COLOUR_TYPE = { grey: 0, rgb: 2, indexed: 3, greyAlpha: 4, rgba: 6 } as const;

/** What an IHDR chunk states. */
interface Header extends PixelSize {
  /** Per sample. */
  readonly bits: number;
  readonly type: number;
}

/** The other chunks that pixels need, in the order of a file. */
interface Contents {
  readonly PLTE?: Buffer | undefined;
  readonly tRNS?: Buffer | undefined;
  readonly IDAT: Buffer;
}

/** A PNG file that is not interlaced. Chunks without content are left out. */
export function pngFile({ width, height, bits, type }: Header, { PLTE, tRNS, IDAT }: Contents): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, type], 8);
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
