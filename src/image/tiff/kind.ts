import { cameraRawFormat, type Undecodable } from '../unreadable.ts';
import { chainOf, type Directory, openTiff, type ReadAt } from './directory.ts';
import { PHOTOMETRIC, TAG } from './tags.ts';

/** The most directories to examine, in the main chain and below the first. */
const MAX_DIRECTORIES = 16;

/** Sensor data of cameras: a colour filter array, or its demosaiced form before white balance (DNG 1.7). */
const SENSOR = new Set<number | undefined>([PHOTOMETRIC.cfa, PHOTOMETRIC.linearRaw]);

/** Compressions that cameras use: Sony, Kodak, Samsung, Nikon, lossy DNG, Kodak, Pentax. */
const PACKINGS = new Set<number | undefined>([32767, 32769, 32770, 32772, 34713, 34892, 65000, 65535]);

/** Names of raw formats by maker. */
const BRANDS: readonly (readonly [RegExp, string])[] = [
  [/^nikon/i, 'Nikon NEF'],
  [/^sony/i, 'Sony ARW'],
  [/^canon/i, 'Canon CR2'],
  [/^(pentax|ricoh)/i, 'Pentax PEF'],
  [/^samsung/i, 'Samsung SRW'],
  [/^hasselblad/i, 'Hasselblad 3FR'],
  [/^(seiko )?epson/i, 'Epson ERF'],
  [/^(phase ?one|leaf)/i, 'Phase One IIQ'],
  [/^mamiya/i, 'Mamiya MEF'],
  [/^(eastman )?kodak/i, 'Kodak'],
  [/^olympus/i, 'Olympus ORF'],
  [/^panasonic/i, 'Panasonic RW2'],
  [/^leica/i, 'Leica'],
];

/**
 * Returns the camera raw format of a TIFF, or null. A raw file contains sensor data, or its first directory is a
 * preview of a larger picture below it. Ordinary pictures also carry Make and DNGVersion, which decide only the name.
 */
export function cameraRaw(readAt: ReadAt, size: number): Undecodable | null {
  const tiff = openTiff(readAt, size);
  if (tiff === null) return null;
  const mark = readAt(8, 8).toString('latin1');
  if (mark.startsWith('CR\x02')) return cameraRawFormat('Canon CR2');
  if (/^(IIII.waR|MMMMRaw)/s.test(mark)) return cameraRawFormat('Phase One IIQ');
  const chain = [...chainOf(tiff, MAX_DIRECTORIES)];
  const [first] = chain;
  if (first === undefined) return null;
  const below = first.below(TAG.SubIFDs, MAX_DIRECTORIES);
  const isRaw = [...chain, ...below].some(isSensor) || isPreview(first, below);
  return isRaw ? cameraRawFormat(brandOf(first)) : null;
}

const isSensor = (directory: Directory): boolean =>
  SENSOR.has(directory.number(TAG.Photometric)) || PACKINGS.has(directory.number(TAG.Compression));

/** Below an ordinary picture, directories are smaller copies. */
function isPreview(first: Directory, below: readonly Directory[]): boolean {
  if (below.some((each) => pixelsOf(each) > pixelsOf(first))) return true;
  if (!isReduced(first) || !first.has(TAG.SubIFDs)) return false;
  return below.length === 0 || !below.every(isReduced);
}

const isReduced = (directory: Directory): boolean => ((directory.number(TAG.NewSubfileType) ?? 0) & 1) === 1;

const pixelsOf = (directory: Directory): number =>
  (directory.number(TAG.ImageWidth) ?? 0) * (directory.number(TAG.ImageLength) ?? 0);

function brandOf(first: Directory): string | null {
  if (first.has(TAG.DNGVersion)) return 'DNG';
  const make = first.bytes(TAG.Make).toString('latin1', 0, 60);
  return BRANDS.find(([maker]) => maker.test(make))?.[1] ?? null;
}
