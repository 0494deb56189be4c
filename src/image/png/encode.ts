import { from, type Pixels, raw } from '../steps/pixels.ts';
import { sharp } from '../vips.ts';
import { bare, packedPng } from './file.ts';
import { greyLevels, indexed, withoutSpareChannels } from './reduce.ts';

/** Colours up to which a pixel takes less than a byte, so that nothing else is smaller. */
const FEW = 16;

/** Effort, 0 to 10, above which every way is tried. */
const THOROUGH = 6;

/**
 * Encodes without loss: transparency that is opaque all over is dropped, grey takes one channel, and few colours take a
 * palette. Nothing beside the pixels is written. `source` is the PNG that they were decoded from, where they have its
 * size: they stay compressed as they are there when that is smaller.
 */
export async function encodePng(pixels: Pixels, effort: number, source: Buffer | null): Promise<Buffer> {
  const spare = withoutSpareChannels(pixels);
  const made = await smallest(spare, effort);
  const own = source === null ? null : bare(source);
  return own !== null && own.length < made.length && (await shows(own, spare)) ? own : made;
}

async function smallest(pixels: Pixels, effort: number): Promise<Buffer> {
  const thorough = effort > THOROUGH;
  const most = thorough ? 9 : levelOf(effort);
  const levels = greyLevels(pixels);
  if (levels !== null) return packedPng(levels, most);
  const colours = indexed(pixels);
  if (colours !== null && colours.palette.length <= FEW) return packedPng(colours, most);
  // A palette of many colours suits graphics, filters suit gradients. That of grey would save nothing.
  const palette = pixels.channels === 1 ? null : colours;
  const ways: Way[] = [];
  if (palette !== null) ways.push((level) => packedPng(palette, Math.min(level, most)));
  if (palette === null || thorough) ways.push((level) => filtered(pixels, level, thorough));
  if (thorough) ways.push((level) => filtered(pixels, level, false));
  return (await best(ways))(palette === null ? levelOf(effort) : most);
}

/** Makes a PNG with this level of zlib's, 1 to 9. */
type Way = (level: number) => Promise<Buffer>;

/** zlib's level that tells which way is best. Level 1 of libvips' zlib-ng does not: its codes are fixed. */
const LITTLE = 2;

/** The way whose file is the smallest with little effort: then it is with more, too. */
async function best(ways: readonly Way[]): Promise<Way> {
  if (ways.length === 1) return ways[0]!;
  let least = Number.POSITIVE_INFINITY;
  let found = ways[0]!;
  for (const way of ways) {
    const { length } = await way(LITTLE);
    if (length >= least) continue;
    least = length;
    found = way;
  }
  return found;
}

/** Offset of the number of bits of a sample. */
const BITS = 24;

/** Whether a PNG holds these very pixels, in no more than 8 bits. */
async function shows(png: Buffer, { data, channels }: Pixels): Promise<boolean> {
  if (png[BITS]! > 8) return false;
  // What is damaged shows something else.
  const found = await raw(sharp(png, { limitInputPixels: false })).catch(() => null);
  if (found === null) return false;
  const spare = withoutSpareChannels(found);
  return spare.channels === channels && spare.data.equals(data);
}

/** Rows are filtered each in its own way, or not at all. */
async function filtered(
  pixels: Pixels,
  compressionLevel: number,
  adaptiveFiltering: boolean,
): Promise<Buffer> {
  const grey = pixels.channels < 3;
  const pipeline = grey ? from(pixels).toColourspace('b-w') : from(pixels);
  // sharp's own `effort` and `quality` would reduce it to a palette with loss.
  const png = await pipeline.png({ compressionLevel, adaptiveFiltering }).toBuffer();
  return bare(png) ?? png;
}

/** zlib has levels 1 to 9. */
const levelOf = (effort: number): number => Math.max(1, Math.round(effort * 0.9));
