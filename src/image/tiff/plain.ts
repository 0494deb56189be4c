import { type Target, targetOf } from './colours.ts';
import type { Directory, Tiff } from './directory.ts';
import { headOf } from './head.ts';
import { inPlane, type Layout, largestUnpacked, rowsInSegment, unpackedBytes } from './layout.ts';
import { prepareSamples, rowTaker, type SampleRow } from './samples.ts';
import { tiffRefusal } from './support.ts';
import { PHOTOMETRIC, TAG } from './tags.ts';
import { unpack } from './unpack.ts';
import type { Segment } from './whole.ts';

/** What is written of a TIFF that libvips would read wrongly: chunky samples of 8 or 16 bits, not compressed. */
export interface Plain {
  /** The file up to its pixels: enough to read the header. */
  readonly head: Buffer;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that `write` takes beside the file at its peak. */
  readonly work: number;
  /**
   * The whole file. Throws an `Error` that names the first strip or tile that is damaged; `lenient` leaves such parts
   * black. Errors: `unsupported_format` for floats that are mostly no colours.
   */
  write(lenient: boolean): Buffer;
}

/** Floats beyond 0 to 1 that are still cut off there: highlights, rounding. */
const OUTSIDE = 0.01;

export function plainOf(
  tiff: Tiff,
  directory: Directory,
  layout: Layout,
  segments: readonly Segment[],
): Plain {
  const target = targetOf(directory, layout);
  const profile = target.isSrgb ? Buffer.alloc(0) : directory.bytes(TAG.IccProfile);
  // More than 8 bits only show when a profile stretches them.
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
 * The same strip or tile of each plane is unpacked at the same time, and the one before may not be given back yet. A
 * row of each is held as numbers of 8 bytes.
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

/** Writes all pixels to the file, strip by strip or tile by tile. */
function fill(file: Buffer, start: number, work: Work): void {
  const { layout, channels, bits } = work;
  const { width, height, segmentWidth, segmentHeight, across, planar, samples } = layout;
  const out = bits === 16 ? new Uint16Array(file.buffer, file.byteOffset + start) : file.subarray(start);
  const planes = planar ? samples : 1;
  const perPlane = layout.segments / planes;
  const store = storer(work, out);
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

/** Unpacks a strip or tile, and gives the samples of the first columns of each of its rows. */
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

/** YCbCr whose chroma is shared by the pixels of a unit (TIFF 6.0, section 21): their luma, then Cb, then Cr. */
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

/** Converts rows and stores them; `end` judges whether what was stored was colours at all. */
function storer({ layout, target, bits }: Work, out: Uint8Array | Uint16Array) {
  const { samples, colours, planar, extra, format } = layout;
  const most = 2 ** bits - 1;
  const isMultiplied = extra[0] === 1;
  // Samples of palettes stay as they are stored.
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
          if (!(value >= -OUTSIDE && value <= 1 + OUTSIDE)) outside++;
          if (value > highest) highest = value;
          if (value < lowest) lowest = value;
          out[to++] = value >= 1 ? most : value > 0 ? Math.round(value * most) : 0;
        }
        seen += target.colours;
        if (extra.length > 0) out[to++] = alpha >= 1 ? most : alpha > 0 ? Math.round(alpha * most) : 0;
      }
    },
    end(): void {
      if (format !== 3 || outside <= seen * OUTSIDE) return;
      const [low, high] = [lowest, highest].map((value) => Number(value.toPrecision(3)));
      throw tiffRefusal(`floating-point samples that are not 0 to 1 (but ${low} to ${high})`);
    },
  };
}
