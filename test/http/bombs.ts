import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import { chunk, number, png } from '../image/png-writer.ts';

/** Pictures of some hundred kilobytes that unpack to a gigabyte. */

const MEGABYTES = 16;
/** Zeros that may be repeated within a stream: nothing refers to what stands before them. */
const ZEROS = deflateRawSync(Buffer.alloc(MEGABYTES * 2 ** 20), {
  finishFlush: constants.Z_FULL_FLUSH,
  level: 9,
});

/** A zlib stream of so many zeros, in whole blocks. */
function zeros(blocks: number): Buffer {
  const bytes = blocks * MEGABYTES * 2 ** 20;
  const last = deflateRawSync(Buffer.alloc(0));
  const adler = Buffer.concat([number(bytes % 65_521, 2), number(1, 2)]);
  const [head = 0x78, flags = 0x9c] = deflateSync(Buffer.alloc(0));
  return Buffer.concat([Buffer.from([head, flags]), ...Array<Buffer>(blocks).fill(ZEROS), last, adler]);
}

const GIGABYTE = zeros(64);

const withChunk = (type: string, head: string): Buffer =>
  png({ data: Array<number>(64 * 64 * 3).fill(99), width: 64, height: 64, channels: 3, bits: 8 }, [
    chunk(type, Buffer.concat([Buffer.from(head, 'latin1'), GIGABYTE])),
  ]);

/** 64 by 64 pixels, with a gigabyte of metadata. */
export const METADATA_BOMBS = {
  'a profile': withChunk('iCCP', 'x\0\0'),
  XMP: withChunk('iTXt', 'XML:com.adobe.xmp\0\x01\0\0\0'),
  EXIF: withChunk('zTXt', 'Raw profile type exif\0\0'),
} as const;

/** 50,000 by 50,000 pixels of two bits. */
export function pixelBomb(): Buffer {
  const side = number(50_000, 4);
  const header = Buffer.concat([side, side, Buffer.from([2, 0, 0, 0, 0])]);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const parts = [chunk('IHDR', header), chunk('IDAT', zeros(38)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}
