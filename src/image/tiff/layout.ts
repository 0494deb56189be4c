import type { Directory } from './directory.ts';
import { COMPRESSION, PHOTOMETRIC as P, TAG } from './tags.ts';

/** A kind of colours, and the sizes in bits of the samples that imgtool reads. */
interface ColourModel {
  readonly name: string;
  readonly samples: number;
  readonly unsigned: readonly number[];
  readonly floats: readonly number[];
}

/** How a directory stores its pixels. */
export type Layout = Readonly<NonNullable<ReturnType<typeof layoutOf>>>;

const GREY: ColourModel = { name: 'grey', samples: 1, unsigned: [1, 2, 4, 8, 16, 32], floats: [16, 32] };
const LAB: ColourModel = { name: 'Lab', samples: 3, unsigned: [8, 16], floats: [32] };

const MODELS: Readonly<Record<number, ColourModel>> = {
  [P.whiteIsZero]: GREY,
  [P.blackIsZero]: GREY,
  [P.rgb]: { ...GREY, name: 'RGB', samples: 3 },
  [P.palette]: { name: 'palette', samples: 1, unsigned: [1, 2, 4, 8, 16], floats: [] },
  [P.cmyk]: { name: 'CMYK', samples: 4, unsigned: [8, 16, 32], floats: [16, 32] },
  [P.ycbcr]: { name: 'YCbCr', samples: 3, unsigned: [8], floats: [] },
  [P.cielab]: LAB,
  [P.icclab]: LAB,
};

/** The most pixels of a side (31 bits), and the most samples of a pixel (16 bits). */
const MOST_SIDE = 2 ** 31 - 1;
const MOST_SAMPLES = 65_535;

/** Returns null for a directory without a picture or with impossible numbers. */
export function layoutOf(directory: Directory) {
  const number = (tag: number, missing: number): number => directory.number(tag) ?? missing;
  const [width, height] = [number(TAG.ImageWidth, 0), number(TAG.ImageLength, 0)];
  const [segmentWidth, tileHeight] = [number(TAG.TileWidth, width), number(TAG.TileLength, height)];
  const samples = number(TAG.SamplesPerPixel, 1);
  const isPossible = [width, height, segmentWidth, tileHeight].every((side) => isCount(side, MOST_SIDE));
  if (!isPossible || !isCount(samples, MOST_SAMPLES)) return null;
  const bitsOfEach = directory.numbers(TAG.BitsPerSample, samples);
  const bits = bitsOfEach[0] ?? 1;
  const photometric = number(TAG.Photometric, P.whiteIsZero);
  const model = MODELS[photometric];
  const colours = Math.min(samples, model?.samples ?? 3);
  const extra = directory.numbers(TAG.ExtraSamples);
  const planes = number(TAG.PlanarConfiguration, 1) === 2 ? samples : 1;
  const tiled = directory.has(TAG.TileWidth);
  const rows = number(TAG.RowsPerStrip, height);
  // 0 and invalid numbers of rows mean all rows.
  const stripHeight = isCount(rows, height) ? rows : height;
  const segmentHeight = tiled ? tileHeight : stripHeight;
  const across = Math.ceil(width / segmentWidth);
  const ratios = photometric === P.ycbcr ? directory.numbers(TAG.YCbCrSubSampling) : [1];
  const [horizontal = 2, vertical = horizontal] = ratios;
  return {
    ...{ width, height, photometric, bitsOfEach },
    /** Undefined for colours that imgtool does not read. */
    model,
    compression: number(TAG.Compression, COMPRESSION.none),
    /** Bits per sample; 0 when samples of a pixel differ. */
    bits: bitsOfEach.some((each) => each !== bits) ? 0 : bits,
    /** SampleFormat: 1 unsigned, 2 signed, 3 floating point. 4 means unspecified, which counts as unsigned. */
    format: [1, 2, 3, 5, 6].find((each) => each === number(TAG.SampleFormat, 1)) ?? 1,
    /** Samples per pixel: colours first, then alpha and others. */
    ...{ samples, colours },
    /** Meaning of the samples after the colours: 1 associated alpha, 2 unassociated alpha, 0 unspecified. */
    extra: Array.from({ length: samples - colours }, (_, i) => extra[i] ?? 0),
    /** 1, or the number of samples when each has its own plane. */
    planes,
    /** Size of a strip or tile in pixels. */
    ...{ tiled, segmentWidth, segmentHeight },
    /** Number of strips or tiles in a row, and in the whole picture. */
    across,
    segments: across * Math.ceil(height / segmentHeight) * planes,
    predictor: number(TAG.Predictor, 1),
    /** True when the bits of each byte are in reverse order. */
    reversed: number(TAG.FillOrder, 1) === 2,
    /** Horizontal and vertical; 1, 1 except for YCbCr. */
    subsampling: [horizontal, vertical] as const,
  };
}

const isCount = (n: number, most: number): boolean => Number.isInteger(n) && n >= 1 && n <= most;

/** Used rows of a strip or tile, by its index in the plane: the last strip can be shorter, tiles cannot. */
export function rowsInSegment({ tiled, segmentHeight, height, across }: Layout, index: number): number {
  return tiled ? segmentHeight : Math.min(segmentHeight, height - Math.floor(index / across) * segmentHeight);
}

/** Decompressed bytes of a strip or tile with this many rows. */
export function unpackedBytes(layout: Layout, rows: number): number {
  const { segmentWidth, samples, planes, bits } = layout;
  const [horizontal, vertical] = layout.subsampling;
  if (horizontal * vertical > 1) {
    // A unit holds the luma of its pixels and one pair of chroma.
    const units = Math.ceil(segmentWidth / horizontal) * Math.ceil(rows / vertical);
    return (units * (horizontal * vertical + 2) * bits) / 8;
  }
  return Math.ceil((segmentWidth * bits * samples) / planes / 8) * rows;
}
