import { type Target, targetOf } from './colours.ts';
import type { Directory, Tiff } from './directory.ts';
import { headOf } from './head.ts';
import { inPlane, type Layout, largestUnpacked, rowsInSegment, unpackedBytes } from './layout.ts';
import { prepareSamples, rowTaker, type SampleRow } from './samples.ts';
import { tiffRefusal } from './support.ts';
import { PHOTOMETRIC, TAG } from './tags.ts';
import { unpack } from './unpack.ts';
import type { Segment } from './whole.ts';

/** A replacement for a TIFF that libvips misreads: chunky samples of 8 or 16 bits, uncompressed. */
export interface Plain {
  /** The bytes before the pixels: enough to read the header. */
  readonly head: Buffer;
  /** Length of the whole file in bytes. */
  readonly size: number;
  /** Peak memory of `write` in bytes, without the file. */
  readonly work: number;
  /**
   * Returns the whole file. Throws an `Error` that names the first damaged strip or tile; with `lenient`, damaged parts
   * stay black. Errors: `unsupported_format` when too many floats are not colours.
   */
  write(lenient: boolean): Buffer;
}

/** Floats may exceed 0 to 1 by this much, and this share may exceed it further: highlights, rounding. */
const TOLERANCE = 0.01;

export function plainOf(
  tiff: Tiff,
  directory: Directory,
  layout: Layout,
  segments: readonly Segment[],
): Plain {
  const target = targetOf(directory, layout);
  const profile = target.isSrgb ? Buffer.alloc(0) : directory.bytes(TAG.IccProfile);
  // More than 8 bits are visible only when a profile stretches them.
  const bits = layout.bits > 8 && profile.length > 0 && target.colours !== 4 ? 16 : 8;
  const channels = target.colours + layout.extra.length;
  const head = headOf({
    layout,
    target,
    channels,
    bits,
    profile,
    orientation: directory.number(TAG.Orientation) ?? 1,
  });
  const size = head.length + (layout.width * layout.height * channels * bits) / 8;
  return {
    ...{ head, size, work: workOf(layout) },
    write(lenient) {
      const file = Buffer.alloc(size);
      head.copy(file);
      fill(file, head.length, { tiff, directory, layout, segments, target, channels, bits, lenient });
      return file;
    },
  };
}

/**
 * Returns the working memory in bytes. The same strip or tile of each plane is decompressed together, and the previous
 * one may still be in memory. One row of each is held as 8-byte numbers.
 */
function workOf(layout: Layout): number {
  const { planar, samples, segments, segmentWidth, width } = layout;
  const planes = planar ? samples : 1;
  const held = segments > planes ? 2 : 1;
  return held * (largestUnpacked(layout) * planes + Math.min(segmentWidth, width) * samples * 8);
}

interface Work {
  readonly tiff: Tiff;
  readonly directory: Directory;
  readonly layout: Layout;
  readonly segments: readonly Segment[];
  readonly target: Target;
  readonly channels: number;
  readonly bits: number;
  readonly lenient: boolean;
}

function fill(file: Buffer, start: number, work: Work): void {
  const { layout, channels, bits } = work;
  const { width, height, segmentWidth, segmentHeight, across, planar, samples } = layout;
  const out = bits === 16 ? new Uint16Array(file.buffer, file.byteOffset + start) : file.subarray(start);
  const planes = planar ? samples : 1;
  const perPlane = layout.segments / planes;
  const store = pixelWriter(work, out);
  for (let index = 0; index < perPlane; index++) {
    const left = (index % across) * segmentWidth;
    const top = Math.floor(index / across) * segmentHeight;
    const columns = Math.min(segmentWidth, width - left);
    const rows = Array.from({ length: planes }, (_, plane) =>
      rowsFrom(work, plane * perPlane + index, columns),
    );
    for (let y = 0; y < segmentHeight && top + y < height; y++) {
      const values = rows.map((row) => row(y));
      store.row(values, columns, ((top + y) * width + left) * channels);
    }
  }
  store.end();
}

/** Decompresses a strip or tile. Returns a function that reads the first `columns` pixels of a row. */
function rowsFrom(
  { tiff, directory, layout, segments, lenient }: Work,
  index: number,
  columns: number,
): (y: number) => SampleRow {
  const { segmentWidth, samples, planar, subsampling, photometric, compression } = layout;
  const rows = rowsInSegment(layout, inPlane(layout, index));
  const { at, length } = segments[index] ?? { at: 0, length: 0 };
  const size = unpackedBytes(layout, rows);
  const reversed = directory.number(TAG.FillOrder) === 2;
  const { bytes, whole } = unpack(tiff.readAt(at, length), compression, size, reversed);
  if (!whole && !lenient) {
    throw new Error(
      `${layout.tiled ? 'tile' : 'strip'} ${index + 1} of ${layout.segments} cannot be unpacked`,
    );
  }
  const row = new Float64Array(columns * (planar ? 1 : samples));
  const [horizontal, vertical] = subsampling;
  if (horizontal * vertical > 1) return (y) => takeUnits(bytes, y, row, segmentWidth, subsampling);
  const rowBytes = size / rows;
  prepareSamples(bytes, layout, tiff.littleEndian, rowBytes);
  const take = rowTaker(layout, photometric === PHOTOMETRIC.palette);
  return (y) => {
    take(bytes, y * rowBytes, row);
    return row;
  };
}

/** Reads YCbCr units with shared chroma (TIFF 6.0, section 21): the luma of each pixel, then Cb, then Cr. */
function takeUnits(
  bytes: Buffer,
  y: number,
  row: SampleRow,
  width: number,
  [h, v]: readonly [number, number],
): SampleRow {
  const size = h * v + 2;
  const start = Math.floor(y / v) * Math.ceil(width / h) * size;
  for (let x = 0; x < row.length / 3; x++) {
    const unit = start + Math.floor(x / h) * size;
    row[x * 3] = bytes[unit + (y % v) * h + (x % h)]! / 255;
    row[x * 3 + 1] = bytes[unit + h * v]! / 255;
    row[x * 3 + 2] = bytes[unit + h * v + 1]! / 255;
  }
  return row;
}

/** Returns `row`, which converts and stores a row, and `end`, which throws when too many values were not colours. */
function pixelWriter({ layout, target, bits }: Work, out: Uint8Array | Uint16Array) {
  const { samples, colours, planar, extra, format } = layout;
  const most = 2 ** bits - 1;
  const isMultiplied = extra[0] === 1;
  // Palette samples are not scaled to 0 to 1.
  const opaque = layout.photometric === PHOTOMETRIC.palette ? 2 ** layout.bits - 1 : 1;
  const pixel = new Float64Array(5);
  let [outside, seen, lowest, highest] = [0, 0, 0, 0];
  return {
    row(values: readonly SampleRow[], columns: number, from: number): void {
      let to = from;
      const at = (x: number, sample: number): number =>
        planar ? values[sample]![x]! : values[0]![x * samples + sample]!;
      for (let x = 0; x < columns; x++) {
        for (let i = 0; i < colours; i++) pixel[i] = at(x, i);
        const alpha = extra.length > 0 ? at(x, colours) / opaque : 1;
        target.convert(pixel, isMultiplied ? Math.max(alpha, 1e-9) : 1);
        for (let i = 0; i < target.colours; i++) {
          const value = pixel[i]!;
          if (!(value >= -TOLERANCE && value <= 1 + TOLERANCE)) outside++;
          if (value > highest) highest = value;
          if (value < lowest) lowest = value;
          out[to++] = value >= 1 ? most : value > 0 ? Math.round(value * most) : 0;
        }
        seen += target.colours;
        if (extra.length > 0) out[to++] = alpha >= 1 ? most : alpha > 0 ? Math.round(alpha * most) : 0;
      }
    },
    end(): void {
      if (format !== 3 || outside <= seen * TOLERANCE) return;
      const [low, high] = [lowest, highest].map((value) => Number(value.toPrecision(3)));
      throw tiffRefusal(`floating-point samples that are not 0 to 1 (but ${low} to ${high})`);
    },
  };
}
