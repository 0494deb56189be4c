import { type Frames, from, raw } from '../steps/frames.ts';
import { sharp } from '../vips.ts';
import { bare, packedPng } from './file.ts';
import { greyLevels, indexed, withoutSpareChannels } from './reduce.ts';
import { rebuiltPng } from './source.ts';

/** With at most this many colours, a pixel takes less than a byte, and no other encoding is smaller. */
const FEW_COLOURS = 16;

/** Above this effort (0 to 10), every encoding is tried. */
const THOROUGH_EFFORT = 6;

/**
 * Encodes losslessly without metadata, with as few channels and colours as the pixels need. `source` is the PNG that the
 * pixels were decoded from, if it has their size. Its compressed pixels are kept when they are smaller. With `isColour`, for
 * a profile of colours, grey pixels stay colours.
 */
export async function encodePng(
  pixels: Frames,
  effort: number,
  source: Buffer | null,
  isColour = false,
): Promise<Buffer> {
  const spare = withoutSpareChannels(pixels, isColour);
  const made = await smallest(spare, effort);
  const own = source === null ? null : rebuiltPng(source);
  return own !== null && own.length < made.length && (await hasPixels(own, spare, isColour)) ? own : made;
}

async function smallest(pixels: Frames, effort: number): Promise<Buffer> {
  const thorough = effort > THOROUGH_EFFORT;
  const most = thorough ? 9 : levelOf(effort);
  const levels = greyLevels(pixels);
  if (levels !== null) return packedPng(levels, most);
  const colours = indexed(pixels);
  if (colours !== null && colours.palette.length <= FEW_COLOURS) return packedPng(colours, most);
  // A palette of many colours suits graphics; filters suit gradients. A palette of greys would save nothing.
  const palette = pixels.channels === 1 ? null : colours;
  const ways: Way[] = [];
  if (palette !== null) ways.push((level) => packedPng(palette, Math.min(level, most)));
  if (palette === null || thorough) ways.push((level) => filtered(pixels, level, thorough));
  if (thorough) ways.push((level) => filtered(pixels, level, false));
  return (await best(ways))(palette === null ? levelOf(effort) : most);
}

/** Encodes with a zlib level, 1 to 9. */
type Way = (level: number) => Promise<Buffer>;

/** The zlib level for comparing encodings. Level 1 of libvips' zlib-ng cannot compare them: its codes are fixed. */
const TRIAL_LEVEL = 2;

/** Returns the way whose file is smallest at low effort. The same way is smallest at high effort. */
async function best(ways: readonly Way[]): Promise<Way> {
  if (ways.length === 1) return ways[0]!;
  const lengths: number[] = [];
  for (const way of ways) lengths.push((await way(TRIAL_LEVEL)).length);
  return ways[lengths.indexOf(Math.min(...lengths))]!;
}

/** True when a PNG contains exactly these pixels. */
async function hasPixels(png: Buffer, { data, channels }: Frames, isColour: boolean): Promise<boolean> {
  // A damaged PNG does not match.
  const found = await raw(sharp(png, { limitInputPixels: false })).catch(() => null);
  if (found === null) return false;
  const spare = withoutSpareChannels(found, isColour);
  return spare.channels === channels && spare.data.equals(data);
}

/** Encodes with a filter chosen for each row, or without filters. */
async function filtered(pixels: Frames, level: number, adaptiveFiltering: boolean): Promise<Buffer> {
  const pipeline = pixels.channels < 3 ? from(pixels).toColourspace('b-w') : from(pixels);
  // sharp's own `effort` and `quality` would reduce the picture to a palette with loss.
  return bare(await pipeline.png({ compressionLevel: level, adaptiveFiltering }).toBuffer());
}

const levelOf = (effort: number): number => Math.max(1, Math.round(effort * 0.9));
