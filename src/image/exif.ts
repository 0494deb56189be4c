import { type Directory, directoryAt, openTiff } from './tiff/directory.ts';
import { TAG } from './tiff/tags.ts';

/** ColorSpace of a picture that is not sRGB. */
const UNCALIBRATED = 0xffff;

/** The EXIF orientation, 1 to 8; null without one. */
export function orientationOf(exif: Buffer): number | null {
  const found = directoryOf(exif)?.number(TAG.Orientation);
  return [1, 2, 3, 4, 5, 6, 7, 8].find((orientation) => orientation === found) ?? null;
}

/** True for Adobe RGB (1998): an uncalibrated picture of a DCF optional file (DCF 2.0, 5.4). */
export function isAdobeRgb(exif: Buffer): boolean {
  const [details] = directoryOf(exif)?.below(TAG.ExifDirectory, 1) ?? [];
  if (details?.number(TAG.ColorSpace) !== UNCALIBRATED) return false;
  const [interoperability] = details.below(TAG.InteroperabilityDirectory, 1);
  return interoperability?.bytes(TAG.InteroperabilityIndex).toString('latin1', 0, 3) === 'R03';
}

/** The main directory of an EXIF block, which is a small TIFF (Exif 2.32, 4.5 and 4.6); null for a damaged block. */
function directoryOf(exif: Buffer): Directory | null {
  const bytes = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  const tiff = openTiff((position, length) => bytes.subarray(position, position + length), bytes.length);
  return tiff && directoryAt(tiff, tiff.first);
}
