import { ImgtoolError, tooManyPixels } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import type { Source } from '../open.ts';
import type { Examined } from '../plain.ts';
import { type PageRange, withoutPage } from '../region.ts';
import { corrupt, undecodable } from '../unreadable.ts';
import { chainOf, type Directory, directoryAt, openTiff, type Tiff } from './directory.ts';
import { cameraRaw } from './kind.ts';
import { type Layout, layoutOf } from './layout.ts';
import { plainOf } from './plain.ts';
import { libvipsReads } from './support.ts';
import { TAG } from './tags.ts';
import { lackOf, segmentsOf } from './whole.ts';

/** A tile may always have this many pixels: 4096 x 4096. */
const MAX_SMALL_TILE = 2 ** 24;
/** A larger tile may have at most this many times the pixels of the picture. */
const MAX_TILE_TO_PICTURE = 4;

/** The most directories in which to look for pages: the entries of a hostile file take long to read. */
const MAX_PAGES = 500;

/** Bits of `NewSubfileType` of a smaller copy and of a mask. */
const NO_PAGE = 0b101;

const isPage = (directory: Directory): boolean =>
  ((directory.number(TAG.NewSubfileType) ?? 0) & NO_PAGE) === 0;

/** Decides how to read a page of a TIFF. Errors: `corrupt`, `too_large`, `outside_picture`, `unsupported_format`. */
export function examineTiff(source: Source, { lenient, pixels }: Limits, range: PageRange): Examined {
  const { readAt, facts } = source;
  // For a source in memory, detect.ts has already checked this.
  const camera = typeof source.input === 'string' ? cameraRaw(readAt, facts.size) : null;
  if (camera !== null) throw undecodable(camera);
  const damaged = (what: string) => corrupt(new Error(what), lenient);
  const tiff = openTiff(readAt, facts.size);
  if (tiff === null || directoryAt(tiff, tiff.first) === null) throw damaged('its directory cannot be read');
  const { frames, pages, found, end } = findPage(tiff, range);
  if (found === null) throw withoutPage(range.page, `the TIFF has ${pages}`);
  const { directory } = found;
  const layout = layoutOf(directory);
  if (layout === null) throw damaged('its directory has no picture size');
  const isPlain = libvipsReads(layout, directory.number(TAG.InkSet) ?? 1);
  if (layout.tiled) assertTile(layout, pixels);
  const segments = segmentsOf(tiff, directory, layout);
  // Do not decompress a picture above the limit to check its completeness.
  const lack = layout.width * layout.height > pixels ? null : lackOf(tiff, layout, segments);
  const damage =
    lack === null ? null : corrupt(new Error(lack), lenient, { format: 'tiff', progressive: false });
  if (damage !== null && !lenient) throw damage;
  if (typeof source.input !== 'string') {
    if (end !== null) endChain(source.input, tiff, end);
    makeChunky(source.input, tiff, directory, layout);
  }
  // For tiles, only `warning` catches unreadable ones, and rejects nothing harmless. For strips, `error` catches them, and
  // `warning` would also reject private tags (libvips 8.18, tiff2vips.c).
  const failOn = layout.tiled ? 'warning' : 'error';
  return {
    /** Number of directories, up to an unreadable one. */
    frames,
    pages,
    page: isPlain ? found.index : 0,
    failOn,
    damage,
    plain: isPlain ? null : plainOf(tiff, directory, layout, segments),
  };
}

/**
 * Counts directories and pages, and finds two pages: the wanted one, with its number among the directories, and the last
 * one that is read from this file. The first directory is always a page: without another choice, it is rendered.
 */
function findPage(tiff: Tiff, { page, last }: PageRange) {
  let [frames, pages] = [0, 0];
  let found: { readonly directory: Directory; readonly index: number } | null = null;
  let end: Directory | null = null;
  for (const directory of chainOf(tiff)) {
    if (frames === 0 || (frames < MAX_PAGES && isPage(directory))) {
      pages++;
      if (pages === page) found = { directory, index: frames };
      if (pages === last) end = directory;
    }
    frames++;
  }
  return { frames, pages, found, end };
}

/** A tile is decompressed as a whole, even when it is much larger than the picture. */
function assertTile({ width, height, segmentWidth, segmentHeight }: Layout, pixels: number): void {
  const most = Math.min(pixels, Math.max(MAX_SMALL_TILE, MAX_TILE_TO_PICTURE * width * height));
  if (segmentWidth * segmentHeight <= most) return;
  const { message } = tooManyPixels(segmentWidth, segmentHeight, most);
  const fix = 'save it in smaller tiles or in strips';
  throw new ImgtoolError('too_large', `a tile of ${message}`, { fix });
}

/** Ends the chain at the last page that is read, because libvips fails at a damaged later one. */
function endChain(bytes: Buffer, tiff: Tiff, { next, nextAt }: Directory): void {
  if (next !== 0) bytes.fill(0, nextAt, nextAt + tiff.word[0]);
}

/** Sets the planar configuration of single samples to chunky: libvips reads such planes below 8 bits as black. */
function makeChunky(bytes: Buffer, tiff: Tiff, directory: Directory, { samples }: Layout): void {
  const planar = directory.position(TAG.PlanarConfiguration);
  if (samples > 1 || planar === null || planar + 2 > bytes.length) return;
  if (tiff.littleEndian) bytes.writeUInt16LE(1, planar);
  else bytes.writeUInt16BE(1, planar);
}
