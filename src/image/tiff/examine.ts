import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import { undecodable } from '../formats.ts';
import type { Source } from '../open.ts';
import { corrupt } from '../steps/corrupt.ts';
import { countDirectories, type Directory, directoryAt, openTiff, type Tiff } from './directory.ts';
import { cameraRaw } from './kind.ts';
import { type Layout, layoutOf } from './layout.ts';
import { type Plain, plainOf } from './plain.ts';
import { readingOf } from './support.ts';
import { TAG } from './tags.ts';
import { lackOf, segmentsOf } from './whole.ts';

/** How the first directory of a TIFF is read. */
export interface TiffReading {
  /** Directories, as far as they can be followed. */
  readonly frames: number;
  /**
   * What libvips must refuse in strict mode: of tiles only `warning` catches those that cannot be read, and nothing
   * harmless; of strips `error` does, where `warning` would refuse private tags too (libvips 8.18, tiff2vips.c).
   */
  readonly failOn: 'error' | 'warning';
  /** Why it is not whole, where that is to be overlooked. */
  readonly damage: ImgtoolError | null;
  /** What libvips is given instead; null when it reads the file itself. */
  readonly plain: Plain | null;
}

/** Pixels that a tile may always have: 4096 x 4096. */
const TILE = 2 ** 24;
/** How many times the pixels of its picture a larger tile may have. */
const TILE_TO_PICTURE = 4;

/** Of a TIFF with segments missing the others can be read. */
const IN_PART = { format: 'tiff', progressive: false };

/**
 * Decides from its structure how a TIFF is read; later directories do not matter. Errors: `corrupt`, `too_large`,
 * `unsupported_format`.
 */
export function examine(source: Source, { lenient, pixels }: Limits): TiffReading {
  const readAt = (position: number, length: number) => source.readAt(position, length);
  const { size } = source.facts;
  // What is held in memory was judged as it was recognised.
  const camera = typeof source.input === 'string' ? cameraRaw(readAt, size) : null;
  if (camera !== null) throw undecodable(camera);
  const damaged = (what: string) => corrupt(new Error(what), lenient);
  const tiff = openTiff(readAt, size);
  const first = tiff && directoryAt(tiff, tiff.first);
  if (tiff === null || first === null) throw damaged('its directory cannot be read');
  const layout = layoutOf(first);
  if (layout === null) throw damaged('its directory has no picture size');
  const reading = readingOf(layout, first.number(TAG.InkSet) ?? 1);
  if (layout.tiled) assertTile(layout, pixels);
  const segments = segmentsOf(tiff, first, layout);
  // What the limit refuses is not unpacked to see whether it is whole.
  const lack = layout.width * layout.height > pixels ? null : lackOf(tiff, layout, segments);
  const damage = lack === null ? null : corrupt(new Error(lack), lenient, IN_PART);
  if (damage !== null && !lenient) throw damage;
  const frames = countDirectories(tiff);
  if (typeof source.input !== 'string') simplify(source.input, tiff, first, layout);
  return {
    frames,
    failOn: layout.tiled ? 'warning' : 'error',
    damage,
    plain: reading === 'rewritten' ? plainOf(tiff, first, layout, segments) : null,
  };
}

/**
 * A tile is unpacked as a whole, also where it is much larger than the picture: libvips refuses one more than about
 * twice as wide.
 */
function assertTile({ width, height, segmentWidth, segmentHeight }: Layout, pixels: number): void {
  const most = Math.min(pixels, Math.max(TILE, TILE_TO_PICTURE * width * height));
  if (segmentWidth * segmentHeight <= most) return;
  const { message } = tooManyPixels(segmentWidth, segmentHeight, most);
  throw new ImgtoolError('too_large', `a tile of ${message}`, {
    fix: 'save it in smaller tiles or in strips',
  });
}

/**
 * Changes two tags of the bytes in memory, whose digest is taken, so that libvips reads the first directory alone and
 * as it is meant: it walks all of them, and fails at one that is broken; and it reads planes of a single sample of less
 * than 8 bits as black.
 */
function simplify(bytes: Buffer, tiff: Tiff, first: Directory, { samples }: Layout): void {
  if (first.next !== 0) bytes.fill(0, first.nextAt, first.nextAt + (tiff.big ? 8 : 4));
  const planar = first.position(TAG.PlanarConfiguration);
  if (samples > 1 || planar === null || planar + 2 > bytes.length) return;
  if (tiff.littleEndian) bytes.writeUInt16LE(1, planar);
  else bytes.writeUInt16BE(1, planar);
}
