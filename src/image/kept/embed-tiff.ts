import { directoryAt, openTiff } from '../tiff/directory.ts';
import { TAG } from '../tiff/tags.ts';

const BYTES = 1;

/** Writes XMP into a classic TIFF of one picture (XMP specification, part 3): the packet and a new directory at its end. */
export function embedTiff(bytes: Buffer, { xmp }: { readonly xmp: Buffer | null }): Buffer {
  if (xmp === null) return bytes;
  const tiff = openTiff((at, length) => bytes.subarray(at, at + length), bytes.length);
  const found = tiff && directoryAt(tiff, tiff.first);
  if (tiff === null || found === null) throw new Error('an encoded TIFF has no directory');
  const { littleEndian, first } = tiff;
  const count = (found.nextAt - first - 2) / 12;
  const entries = Array.from({ length: count }, (_, i) =>
    bytes.subarray(first + 2 + i * 12, first + 14 + i * 12),
  );
  const xmpAt = bytes.length + (bytes.length % 2);
  const directoryStart = xmpAt + xmp.length + (xmp.length % 2);
  const made = Buffer.alloc(directoryStart + 2 + (count + 1) * 12 + 4);
  const write = (value: number, at: number, size: 2 | 4): number =>
    littleEndian ? made.writeUIntLE(value, at, size) : made.writeUIntBE(value, at, size);
  bytes.copy(made);
  xmp.copy(made, xmpAt);
  write(directoryStart, 4, 4);
  let at = write(count + 1, directoryStart, 2);
  const tagOf = (entry: Buffer) => (littleEndian ? entry.readUInt16LE() : entry.readUInt16BE());
  const before = entries.filter((entry) => tagOf(entry) < TAG.Xmp);
  for (const entry of before) at += entry.copy(made, at);
  at = write(xmpAt, write(xmp.length, write(BYTES, write(TAG.Xmp, at, 2), 2), 4), 4);
  for (const entry of entries.slice(before.length)) at += entry.copy(made, at);
  return made;
}
