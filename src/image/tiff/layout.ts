import type { Directory } from './directory.ts';
import { COMPRESSION, PHOTOMETRIC, TAG } from './tags.ts';

/** How a directory stores its pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly photometric: number;
  readonly compression: number;
  /** Bits per sample; 0 when samples of a pixel differ. */
  readonly bits: number;
  readonly bitsOfEach: readonly number[];
  /** SampleFormat: 1 unsigned, 2 signed, 3 floating point. */
  readonly format: number;
  /** Samples per pixel: colours first, then alpha and others. */
  readonly samples: number;
  readonly colours: number;
  /** Meaning of the samples after the colours: 1 associated alpha, 2 unassociated alpha, 0 unspecified. */
  readonly extra: readonly number[];
  /** True when each sample has its own plane. */
  readonly planar: boolean;
  readonly tiled: boolean;
  /** Size of a strip or tile in pixels. */
  readonly segmentWidth: number;
  readonly segmentHeight: number;
  /** Number of strips or tiles in a row, in a column, and in the whole picture. */
  readonly across: number;
  readonly segments: number;
  readonly predictor: number;
  /** Horizontal and vertical; 1, 1 except for YCbCr. */
  readonly subsampling: readonly [number, number];
}

const COLOURS: Readonly<Record<number, number>> = {
  [PHOTOMETRIC.whiteIsZero]: 1,
  [PHOTOMETRIC.blackIsZero]: 1,
  [PHOTOMETRIC.palette]: 1,
  [PHOTOMETRIC.mask]: 1,
  [PHOTOMETRIC.cmyk]: 4,
};

/** Limits for width and height, and for samples per pixel: 31 and 16 bits. */
const SIDE = 2 ** 31 - 1;
const SAMPLES = 65_535;

/** Returns null for a directory without a picture or with impossible numbers. */
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
  // 0 and invalid numbers of rows mean all rows.
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
    // 4 means unspecified, which counts as unsigned.
    format: [1, 2, 3, 5, 6].find((each) => each === number(TAG.SampleFormat, 1)) ?? 1,
    extra: Array.from({ length: samples - colours }, (_, i) => extra[i] ?? 0),
    segments: across * down * (planar ? samples : 1),
    predictor: number(TAG.Predictor, 1),
    subsampling: isYcbcr ? [horizontal, vertical] : [1, 1],
  };
}

const isCount = (n: number, most: number): boolean => Number.isInteger(n) && n >= 1 && n <= most;

/** Used rows of a strip or tile, by its index in the plane: the last strip can be shorter, tiles cannot. */
export function rowsInSegment({ tiled, segmentHeight, height, across }: Layout, index: number): number {
  return tiled ? segmentHeight : Math.min(segmentHeight, height - Math.floor(index / across) * segmentHeight);
}

/** Decompressed bytes of a strip or tile with this many rows. */
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

/** Decompressed bytes of the largest strip or tile. */
export const largestUnpacked = (layout: Layout): number => unpackedBytes(layout, layout.segmentHeight);

/** The index of a strip or tile within its plane. */
export const inPlane = ({ planar, samples, segments }: Layout, index: number): number =>
  planar ? index % (segments / samples) : index;

const sum = (numbers: readonly number[]): number => numbers.reduce((so, each) => so + each, 0);
