/** Reads an EXIF block, which is a small TIFF (Exif 2.32, 4.5 and 4.6). Damaged values count as missing. */

const ORIENTATION = 0x112;
const EXIF_DIRECTORY = 0x8769;
const COLOR_SPACE = 0xa001;
const INTEROPERABILITY_DIRECTORY = 0xa005;
const INTEROPERABILITY_INDEX = 1;

/** ColorSpace of a picture that is not sRGB. */
const UNCALIBRATED = 0xffff;

/** The EXIF orientation, 1 to 8; null without one. */
export function orientationOf(exif: Buffer): number | null {
  const tiff = tiffOf(exif);
  const found = tiff && shortOf(tiff, tiff.first, ORIENTATION);
  return found !== null && found >= 1 && found <= 8 ? found : null;
}

/** True for Adobe RGB (1998): an uncalibrated picture of a DCF optional file (DCF 2.0, 5.4). */
export function isAdobeRgb(exif: Buffer): boolean {
  const tiff = tiffOf(exif);
  if (tiff === null) return false;
  const directory = longOf(tiff, tiff.first, EXIF_DIRECTORY);
  if (directory === null || shortOf(tiff, directory, COLOR_SPACE) !== UNCALIBRATED) return false;
  const interoperability = longOf(tiff, directory, INTEROPERABILITY_DIRECTORY);
  if (interoperability === null) return false;
  const at = entryOf(tiff, interoperability, INTEROPERABILITY_INDEX);
  // The entry itself stores values of up to 4 bytes.
  return at !== null && tiff.bytes.toString('latin1', at + 8, at + 11) === 'R03';
}

interface Tiff {
  readonly bytes: Buffer;
  readonly first: number;
  /** Reads an unsigned number of this many bytes; 0 beyond the end. */
  number(at: number, bytes: 2 | 4): number;
}

function tiffOf(exif: Buffer): Tiff | null {
  const bytes = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 8 || (order !== 'II' && order !== 'MM')) return null;
  const number = (at: number, length: 2 | 4): number => {
    if (at + length > bytes.length) return 0;
    return order === 'II' ? bytes.readUIntLE(at, length) : bytes.readUIntBE(at, length);
  };
  return { bytes, first: number(4, 4), number };
}

/** Offset of a tag's entry in a directory; null without one. */
function entryOf({ bytes, number }: Tiff, directory: number, tag: number): number | null {
  const end = Math.min(directory + 2 + number(directory, 2) * 12, bytes.length);
  for (let at = directory + 2; at < end; at += 12) if (number(at, 2) === tag) return at;
  return null;
}

function shortOf(tiff: Tiff, directory: number, tag: number): number | null {
  const at = entryOf(tiff, directory, tag);
  return at === null ? null : tiff.number(at + 8, 2);
}

function longOf(tiff: Tiff, directory: number, tag: number): number | null {
  const at = entryOf(tiff, directory, tag);
  return at === null ? null : tiff.number(at + 8, 4);
}
