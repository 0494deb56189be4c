import type { Directory } from './directory.ts';
import { COMPRESSION, PHOTOMETRIC, TAG } from './tags.ts';

/** How a directory stores its pixels. */
export interface Layout {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly photometric: number;
  readonly compression: number;
  /** Bits of one sample; 0 when the samples of a pixel differ. */
  readonly bits: number;
  readonly bitsOfEach: readonly number[];
  /** As SampleFormat counts: 1 unsigned, 2 signed, 3 floating point. */
  readonly format: number;
  /** Samples of a pixel: its colours, then transparency and the like. */
  readonly samples: number;
  readonly colours: number;
  /** What the samples behind the colours are: 1 associated alpha, 2 unassociated alpha, 0 not said. */
  readonly extra: readonly number[];
  /** Each sample in a plane of its own. */
  readonly planar: boolean;
  readonly tiled: boolean;
  /** Pixels of a strip or tile. */
  readonly segmentWidth: number;
  readonly segmentHeight: number;
  /** Strips or tiles in a row, in a column, and of the whole picture. */
  readonly across: number;
  readonly segments: number;
  readonly predictor: number;
  /** Horizontal and vertical; 1, 1 for all but YCbCr. */
  readonly subsampling: readonly [number, number];
}

const COLOURS: Readonly<Record<number, number>> = {
  [PHOTOMETRIC.whiteIsZero]: 1,
  [PHOTOMETRIC.blackIsZero]: 1,
  [PHOTOMETRIC.palette]: 1,
  [PHOTOMETRIC.mask]: 1,
  [PHOTOMETRIC.cmyk]: 4,
};

/** Pixels across or down at most, and samples of a pixel: what 31 and 16 bits count. */
const SIDE = 2 ** 31 - 1;
const SAMPLES = 65_535;

/** Null when a directory has no picture, or numbers that no picture has. */
export function layoutOf(directory: Directory): Layout | null {
  const number = (tag: number, missing: number): number => directory.number(tag) ?? missing;
  const width = number(TAG.ImageWidth, 0);
  const height = number(TAG.ImageLength, 0);
  const samples = number(TAG.SamplesPerPixel, 1);
  const sides = [TAG.TileWidth, TAG.TileLength].map((tag) => number(tag, 1));
  if (![width, height, ...sides].every((side) => isCount(side, SIDE)) || !isCount(samples, SAMPLES))
    return null;
  const bitsOfEach = directory.numbers(TAG.BitsPerSample, samples);
  const bits = bitsOfEach[0] ?? 1;
  const photometric = number(TAG.Photometric, PHOTOMETRIC.whiteIsZero);
  const colours = Math.min(samples, COLOURS[photometric] ?? 3);
  const extra = directory.numbers(TAG.ExtraSamples);
  const planar = number(TAG.PlanarConfiguration, 1) === 2 && samples > 1;
  const tiled = directory.has(TAG.TileWidth);
  const segmentWidth = tiled ? number(TAG.TileWidth, width) : width;
  const rows = number(TAG.RowsPerStrip, height);
  // 0, and what is no number of rows, stand for all of them.
  const strip = isCount(rows, height) ? rows : height;
  const segmentHeight = tiled ? number(TAG.TileLength, height) : strip;
  const across = Math.ceil(width / segmentWidth);
  const down = Math.ceil(height / segmentHeight);
  const isYcbcr = photometric === PHOTOMETRIC.ycbcr;
  const [horizontal = 2, vertical = horizontal] = directory.numbers(TAG.YCbCrSubSampling);
  return {
    ...{ width, height, photometric, samples, colours, planar, tiled, segmentWidth, segmentHeight, across },
    compression: number(TAG.Compression, COMPRESSION.none),
    bits: bitsOfEach.some((each) => each !== bits) ? 0 : bits,
    bitsOfEach,
    // 4 means that it is not said, and is read as unsigned.
    format: [1, 2, 3, 5, 6].find((each) => each === number(TAG.SampleFormat, 1)) ?? 1,
    extra: Array.from({ length: samples - colours }, (_, i) => extra[i] ?? 0),
    segments: across * down * (planar ? samples : 1),
    predictor: number(TAG.Predictor, 1),
    subsampling: isYcbcr ? [horizontal, vertical] : [1, 1],
  };
}

const isCount = (n: number, most: number): boolean => Number.isInteger(n) && n >= 1 && n <= most;

/** Rows of a strip or tile that hold something: the last strip may be shorter, tiles never are. */
export function rowsInSegment(
  { tiled, segmentHeight, height, across }: Layout,
  index: number,
  planeIndex = index,
): number {
  if (tiled) return segmentHeight;
  return Math.min(segmentHeight, height - Math.floor(planeIndex / across) * segmentHeight);
}

/** Bytes of a strip or tile of so many rows once it is unpacked. */
export function unpackedBytes(layout: Layout, rows: number): number {
  const { segmentWidth, samples, planar, bits, subsampling } = layout;
  const [horizontal, vertical] = subsampling;
  if (horizontal * vertical > 1) {
    // A unit holds the luma of its pixels and one pair of chroma.
    const units = Math.ceil(segmentWidth / horizontal) * Math.ceil(rows / vertical);
    return (units * (horizontal * vertical + 2) * bits) / 8;
  }
  const perPixel = planar ? bits : layout.bits === 0 ? sum(layout.bitsOfEach) : bits * samples;
  return Math.ceil((segmentWidth * perPixel) / 8) * rows;
}

/** Bytes of the largest strip or tile once it is unpacked. */
export const largestUnpacked = (layout: Layout): number => unpackedBytes(layout, layout.segmentHeight);

/** The row of strips or tiles that one belongs to counts within its plane. */
export const inPlane = ({ planar, samples, segments }: Layout, index: number): number =>
  planar ? index % (segments / samples) : index;

const sum = (numbers: readonly number[]): number => numbers.reduce((so, each) => so + each, 0);
