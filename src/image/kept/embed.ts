import { deflateSync } from 'node:zlib';
import { ImgtoolError } from '../../errors.ts';
import type { PixelSize } from '../../model.ts';
import type { Format } from '../../variants/formats.ts';
import { chunksOf } from '../chunks.ts';
import { pngChunk } from '../png/file.ts';
import { HAS_ALPHA, riffChunk, webpFile } from '../webp.ts';
import { embedAvif } from './embed-avif.ts';
import { embedTiff } from './embed-tiff.ts';

/** Metadata to write into an output. */
export interface Blocks {
  /** Begins with a TIFF header. */
  readonly exif: Buffer | null;
  readonly xmp: Buffer | null;
  readonly icc: Buffer | null;
  /** Pixels per inch, 1 to 65,535. */
  readonly density: number | null;
}

/** Writes metadata into an encoded picture that has none. Its pixels stay as they are. Errors: `too_large`. */
export function embed(bytes: Buffer, format: Format, blocks: Blocks, size: PixelSize): Buffer {
  if (blocks.exif === null && blocks.xmp === null && blocks.icc === null && blocks.density === null)
    return bytes;
  switch (format) {
    case 'jpeg':
      return embedJpeg(bytes, blocks);
    case 'png':
      return embedPng(bytes, blocks);
    case 'webp':
      return embedWebp(bytes, blocks, size);
    case 'avif':
      return embedAvif(bytes, blocks);
    case 'tiff':
      return embedTiff(bytes, blocks);
    case 'gif':
      throw new Error('a GIF holds no metadata');
  }
}

/** The most bytes of a JPEG segment's content. */
const SEGMENT = 65_533;

/** The names of segments. That of JFIF 1.02 includes its version. */
const JFIF = Buffer.from('JFIF\0\x01\x01', 'latin1');
const EXIF = Buffer.from('Exif\0\0', 'latin1');
const XMP = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const ICC = Buffer.from('ICC_PROFILE\0', 'latin1');

/** Segments follow the start of the picture, in the order of most programs. libvips writes no JFIF header. */
function embedJpeg(bytes: Buffer, { exif, xmp, icc, density }: Blocks): Buffer {
  const segments = [bytes.subarray(0, 2)];
  const add = (marker: number, name: string, mark: Buffer, content: Buffer) => {
    const most = SEGMENT - mark.length;
    if (content.length > most) throw tooLarge(name, content.length, most);
    const start = Buffer.from([0xff, marker, 0, 0]);
    start.writeUInt16BE(mark.length + content.length + 2, 2);
    segments.push(start, mark, content);
  };
  if (density !== null) add(0xe0, 'density', JFIF, perInch(Math.round(density)));
  if (exif !== null) add(0xe1, 'EXIF', EXIF, exif);
  if (xmp !== null) add(0xe1, 'XMP', XMP, xmp);
  if (icc !== null) {
    const most = SEGMENT - ICC.length - 2;
    const count = Math.ceil(icc.length / most);
    if (count > 255) throw tooLarge('profile', icc.length, 255 * most);
    for (let i = 0; i < count; i++) {
      const mark = Buffer.concat([ICC, Buffer.from([i + 1, count])]);
      add(0xe2, 'profile', mark, icc.subarray(i * most, (i + 1) * most));
    }
  }
  return Buffer.concat([...segments, bytes.subarray(2)]);
}

/** Pixels per inch across and down, no thumbnail. */
const perInch = (density: number): Buffer =>
  Buffer.from([1, density >> 8, density & 0xff, density >> 8, density & 0xff, 0, 0]);

/** The error for metadata that a format cannot hold. */
export function tooLarge(name: string, bytes: number, most: number): ImgtoolError {
  const [found, limit] = [bytes, most].map((n) => n.toLocaleString('en'));
  const fix = 'keep less of it with {{keep}}, or make its metadata shorter';
  return new ImgtoolError('too_large', `its ${name} takes ${found} bytes, more than the ${limit} that fit`, {
    fix,
  });
}

const INCH = 0.0254;

/** Chunks follow the header (PNG, third edition, 5.6). */
function embedPng(bytes: Buffer, { exif, xmp, icc, density }: Blocks): Buffer {
  const [header] = chunksOf(bytes, 'png', false);
  const at = header!.at + header!.length + 4;
  const chunks: Buffer[] = [];
  if (icc !== null)
    chunks.push(pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(icc)])));
  if (density !== null) {
    const content = Buffer.alloc(9);
    const perMetre = Math.round(density / INCH);
    content.writeUInt32BE(perMetre, content.writeUInt32BE(perMetre, 0));
    content[8] = 1;
    chunks.push(pngChunk('pHYs', content));
  }
  if (exif !== null) chunks.push(pngChunk('eXIf', exif));
  // Not compressed, in no language.
  if (xmp !== null)
    chunks.push(pngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0', 'latin1'), xmp])));
  return Buffer.concat([bytes.subarray(0, at), ...chunks, bytes.subarray(at)]);
}

function embedWebp(bytes: Buffer, blocks: Blocks, { width, height }: PixelSize): Buffer {
  const chunks = [...chunksOf(bytes, 'webp', true)];
  const contents = chunks.map(({ at, length }) => bytes.subarray(at, at + length));
  const pictures = chunks.flatMap(({ type }, i) => (type === 'VP8X' ? [] : riffChunk(type, contents[i]!)));
  return webpFile(chunks[0]!.type === 'VP8X' ? contents[0]! : head(), pictures, blocks);

  function head(): Buffer {
    const made = Buffer.alloc(10);
    // A lossless picture states in its 29th bit whether it has transparency.
    if (chunks[0]!.type === 'VP8L' && (contents[0]![4]! & 0x10) !== 0) made[0] = HAS_ALPHA;
    made.writeUIntLE(width - 1, 4, 3);
    made.writeUIntLE(height - 1, 7, 3);
    return made;
  }
}
