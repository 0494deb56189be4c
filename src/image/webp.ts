/** Writes a WebP of several parts (WebP container specification). */

/** Flags in the first byte of `VP8X`. */
export const HAS_ALPHA = 0x10;
const HAS = { icc: 0x20, exif: 0x08, xmp: 0x04 };

/** Metadata of a WebP; null or absent for none. */
interface Beside {
  readonly icc?: Buffer | null;
  readonly exif?: Buffer | null;
  readonly xmp?: Buffer | null;
}

/**
 * `head` is the content of `VP8X` without flags of metadata. The profile comes before the chunks of the picture, other
 * metadata after them.
 */
export function webpFile(head: Buffer, pictures: readonly Buffer[], beside: Beside): Buffer {
  const { icc = null, exif = null, xmp = null } = beside;
  const stated = Buffer.from(head);
  stated[0] = stated[0]! | (icc && HAS.icc)! | (exif && HAS.exif)! | (xmp && HAS.xmp)!;
  const parts = [
    Buffer.from('WEBP', 'latin1'),
    riffChunk('VP8X', stated),
    ...(icc === null ? [] : [riffChunk('ICCP', icc)]),
    ...pictures,
    ...(exif === null ? [] : [riffChunk('EXIF', exif)]),
    ...(xmp === null ? [] : [riffChunk('XMP ', xmp)]),
  ];
  return riffChunk('RIFF', Buffer.concat(parts));
}

/** Name, length, content, and padding to an even length. */
export function riffChunk(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}
