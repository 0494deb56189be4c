import { type PlainPicture, plainPicture } from '../plain.ts';
import { isFloatLab, type Target, targetOf } from './colours.ts';
import type { Directory, Tiff } from './directory.ts';
import { type Layout, rowsInSegment, unpackedBytes } from './layout.ts';
import { rowReader } from './samples.ts';
import { tiffRefusal } from './support.ts';
import { TAG } from './tags.ts';
import { unpack } from './unpack.ts';
import type { Segment } from './whole.ts';

/** Floats may exceed 0 to 1 by this much, and this share may exceed it further: highlights, rounding. */
const TOLERANCE = 0.01;

/**
 * The replacement for a TIFF that libvips misreads: chunky samples of 8 or 16 bits, uncompressed. Errors of `write`: an
 * `Error` that names the first damaged strip or tile, `unsupported_format` for floats beyond colours.
 */
export function plainOf(
  tiff: Tiff,
  first: Directory,
  layout: Layout,
  segments: readonly Segment[],
): PlainPicture {
  const target = targetOf(first, layout);
  const profile = target.isSrgb ? Buffer.alloc(0) : first.bytes(TAG.IccProfile);
  // More than 8 bits are visible only when a profile stretches them.
  const bits = layout.bits > 8 && profile.length > 0 && target.colours !== 4 ? 16 : 8;
  const { width, height, extra } = layout;
  const { colours } = target;
  const orientation = first.number(TAG.Orientation) ?? 1;
  const stated = { width, height, colours, alpha: extra.length > 0, bits, profile, orientation };
  return plainPicture(stated, workOf(layout), (pixels, lenient) => {
    const out = bits === 16 ? new Uint16Array(pixels.buffer, pixels.byteOffset) : pixels;
    store(rowsOf(tiff, layout, segments, lenient), layout, target, out);
  });
}

const channelsOf = ({ extra }: Layout, { colours }: Target): number => colours + extra.length;

/** Bytes of a strip or tile of each plane, of the previous one, and of one row of each as 8-byte numbers. */
function workOf(layout: Layout): number {
  const { planes, samples, segments, segmentWidth, segmentHeight, width } = layout;
  const held = segments > planes ? 2 : 1;
  return held * (unpackedBytes(layout, segmentHeight) * planes + Math.min(segmentWidth, width) * samples * 8);
}

/** Yields the rows of all strips or tiles: the number of the first pixel in the picture, and samples by plane. */
function* rowsOf(tiff: Tiff, layout: Layout, segments: readonly Segment[], lenient: boolean) {
  const { width, height, segmentWidth, segmentHeight, across, planes, compression, reversed } = layout;
  const perPlane = layout.segments / planes;
  for (let index = 0; index < perPlane; index++) {
    const left = (index % across) * segmentWidth;
    const top = Math.floor(index / across) * segmentHeight;
    const columns = Math.min(segmentWidth, width - left);
    const rows = rowsInSegment(layout, index);
    const size = unpackedBytes(layout, rows);
    const readers = Array.from({ length: planes }, (_, plane) => {
      const number = plane * perPlane + index;
      const { at, length } = segments[number] ?? { at: 0, length: 0 };
      const { bytes, whole } = unpack(tiff.readAt(at, length), compression, size, reversed);
      if (whole || lenient) return rowReader(bytes, layout, tiff.littleEndian, rows, columns);
      const name = `${layout.tiled ? 'tile' : 'strip'} ${number + 1} of ${layout.segments}`;
      throw new Error(`${name} cannot be unpacked`);
    });
    for (let y = 0; y < segmentHeight && top + y < height; y++)
      yield { from: (top + y) * width + left, columns, values: readers.map((read) => read(y)) };
  }
}

type TiffRows = ReturnType<typeof rowsOf>;

/** Converts rows and stores them. Errors: `unsupported_format` when too many floats are not colours. */
function store(rows: TiffRows, layout: Layout, target: Target, out: Uint8Array | Uint16Array): void {
  const { samples, colours, planes, extra, format } = layout;
  const most = 2 ** (out.BYTES_PER_ELEMENT * 8) - 1;
  const code = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * most);
  const isLab = isFloatLab(layout);
  const pixel = new Float64Array(5);
  let [outside, lowest, highest] = [0, 0, 0];
  for (const { from, columns, values } of rows) {
    const sampleAt = (x: number, sample: number): number =>
      planes > 1 ? values[sample]![x]! : values[0]![x * samples + sample]!;
    let to = from * channelsOf(layout, target);
    for (let x = 0; x < columns; x++) {
      for (let i = 0; i < colours; i++) pixel[i] = sampleAt(x, i);
      const alpha = extra.length > 0 ? sampleAt(x, colours) / target.opaque : 1;
      // Sound Lab can have colours outside sRGB: its lightness is checked instead.
      const lightness = pixel[0]! / 100;
      target.convert(pixel, extra[0] === 1 ? Math.max(alpha, 1e-9) : 1);
      for (let i = 0; i < target.colours; i++) {
        const checked = isLab ? lightness : pixel[i]!;
        if (!(checked >= -TOLERANCE && checked <= 1 + TOLERANCE)) outside++;
        if (checked > highest) highest = checked;
        if (checked < lowest) lowest = checked;
        out[to++] = code(pixel[i]!);
      }
      if (extra.length > 0) out[to++] = code(alpha);
    }
  }
  if (format !== 3) return;
  const isInside = outside <= layout.width * layout.height * target.colours * TOLERANCE;
  // ImageMagick stores Lab as 0 to 1, which would be black.
  if (isInside && !(isLab && highest <= 0.01)) return;
  const unit = isLab ? 100 : 1;
  const [low, high] = [lowest, highest].map((value) => Number((value * unit).toPrecision(3)));
  const what = isLab ? 'Lab samples with a lightness that is' : 'samples that are';
  throw tiffRefusal(`floating-point ${what} not 0 to ${unit} (but ${low} to ${high})`);
}
