import { ImgtoolError } from '../errors.ts';
import type { PixelSize } from '../model.ts';
import type { StatedColours } from './avif.ts';
import { COMPRESSION, PHOTOMETRIC, TAG } from './tiff/tags.ts';

/** A picture that libvips cannot read, as an uncompressed TIFF that libvips reads. */
export interface PlainPicture {
  /** The bytes before the pixels: enough to read the header. */
  readonly head: Buffer;
  /** Peak memory of `write` in bytes, with the file. */
  readonly memory: number;
  /** Returns the whole file. With `lenient`, damaged parts stay black, or transparent if the picture has alpha. Errors: those of damaged pixels. */
  write(lenient: boolean): Buffer;
}

/** How to read a picture that libvips may not be able to read as it is. */
export interface Examined {
  /** Number of pictures in the file. */
  readonly frames: number;
  /** Number of pages of a document. Absent for a format without pages. */
  readonly pages?: number;
  /** The number of the page that libvips reads, from 0. Absent for a format without pages. */
  readonly page?: number;
  /** libvips' `failOn` in strict mode. */
  readonly failOn: 'error' | 'warning';
  /** Why the picture is incomplete, when `lenient` accepts that. */
  readonly damage: ImgtoolError | null;
  /** Colours that the replacement file cannot state. Absent for a format without them. */
  readonly colours?: StatedColours;
  /** The replacement file for libvips; null when libvips reads the original. */
  readonly plain: PlainPicture | null;
}

/** What a plain TIFF states about its pixels. */
interface Stated extends PixelSize {
  /** 1 for grey, 3 for RGB, 4 for CMYK. */
  readonly colours: number;
  /** True for a last channel of alpha that the colours are not multiplied by. */
  readonly alpha: boolean;
  /** Bits per sample. */
  readonly bits: number;
  /** An ICC profile; empty for none. */
  readonly profile: Buffer;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
}

/** By number of colours; else RGB. */
const PHOTOMETRICS: Readonly<Record<number, number>> = { 1: PHOTOMETRIC.blackIsZero, 4: PHOTOMETRIC.cmyk };

/**
 * A plain picture whose chunky samples `paint` writes into zeros; `work` is the memory in bytes that this needs beside the
 * file. Samples of 16 bits are little-endian. Errors: `too_large`.
 */
export function plainPicture(
  stated: Stated,
  work: number,
  paint: (pixels: Buffer, lenient: boolean) => void,
): PlainPicture {
  const channels = stated.colours + (stated.alpha ? 1 : 0);
  const length = (stated.width * stated.height * channels * stated.bits) / 8;
  // The file ends before 4 GiB: the header and its profile have less than 32 MiB.
  if (length >= 2 ** 32 - 2 ** 25) throw new ImgtoolError('too_large', 'a picture of this size is not read');
  const head = plainHead(stated, channels, length);
  const size = head.length + length;
  return {
    head,
    memory: size + work,
    write(lenient) {
      const file = Buffer.alloc(size);
      head.copy(file);
      paint(file.subarray(head.length), lenient);
      return file;
    },
  };
}

/** Builds the header of a little-endian TIFF with one strip of chunky samples, which follows the header. */
function plainHead(stated: Stated, channels: number, length: number): Buffer {
  const { width, height, colours, alpha, bits, profile, orientation } = stated;
  const [SHORT, LONG, UNDEFINED] = [3, 4, 7];
  // There is space for twelve entries.
  const profileAt = 10 + 12 * 12 + 4;
  const head = Buffer.alloc(Math.ceil((profileAt + profile.length) / 8) * 8);
  const entries = [
    [TAG.ImageWidth, LONG, 1, width],
    [TAG.ImageLength, LONG, 1, height],
    // One number counts for all samples.
    [TAG.BitsPerSample, SHORT, 1, bits],
    [TAG.Compression, SHORT, 1, COMPRESSION.none],
    [TAG.Photometric, SHORT, 1, PHOTOMETRICS[colours] ?? PHOTOMETRIC.rgb],
    [TAG.StripOffsets, LONG, 1, head.length],
    [TAG.Orientation, SHORT, 1, orientation],
    [TAG.SamplesPerPixel, SHORT, 1, channels],
    [TAG.RowsPerStrip, LONG, 1, height],
    [TAG.StripByteCounts, LONG, 1, length],
    // 2: unassociated alpha (colours are not multiplied).
    ...(alpha ? [[TAG.ExtraSamples, SHORT, 1, 2]] : []),
    ...(profile.length > 0 ? [[TAG.IccProfile, UNDEFINED, profile.length, profileAt]] : []),
  ];
  head.write('II*\0\x08\0\0\0', 'latin1');
  head.writeUInt16LE(entries.length, 8);
  for (const [i, [tag = 0, type = 0, count = 0, value = 0]] of entries.entries()) {
    const at = head.writeUInt16LE(type, head.writeUInt16LE(tag, 10 + i * 12));
    head.writeUInt32LE(value, head.writeUInt32LE(count, at));
  }
  profile.copy(head, profileAt);
  return head;
}
