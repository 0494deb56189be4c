import { type Frames, raw } from '../steps/frames.ts';
import { sharp } from '../vips.ts';
import { compressed, smallest } from './compress.ts';
import { COLOUR_TYPE, pngFile } from './file.ts';
import { type Numbered, numbered, packedRows, withoutSpareChannels } from './reduce.ts';
import { rebuiltPng } from './source.ts';

/** Up to this size in bytes, a palette can weigh more than it saves. */
const SMALL = 65_536;

/** The colour type of each number of channels. */
const TYPES = [COLOUR_TYPE.grey, COLOUR_TYPE.greyAlpha, COLOUR_TYPE.rgb, COLOUR_TYPE.rgba];

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
  const made = await reduced(spare, effort);
  const own = source === null ? null : rebuiltPng(source, made.length);
  return own !== null && own.length < made.length && (await hasPixels(own, spare, isColour)) ? own : made;
}

async function reduced(pixels: Frames, effort: number): Promise<Buffer> {
  const picture = numbered(pixels);
  if (picture === null) return inChannels(pixels, effort);
  const made = await inNumbers(picture, effort);
  if (picture.bits < 8 || pixels.data.length > SMALL) return made;
  return smallest([made, await inChannels(pixels, effort)]);
}

async function inChannels(pixels: Frames, effort: number): Promise<Buffer> {
  const { width, height, channels } = pixels;
  const header = { width, height, bits: 8, type: TYPES[channels - 1]! };
  return pngFile(header, { IDAT: await compressed(pixels, effort) });
}

async function inNumbers(picture: Numbered, effort: number): Promise<Buffer> {
  const { width, height, bits, palette } = picture;
  const data = packedRows(picture);
  const IDAT = await compressed({ data, width: data.length / height, height, channels: 1 }, effort);
  if (palette === null) return pngFile({ width, height, bits, type: COLOUR_TYPE.grey }, { IDAT });
  const colours = palette.flatMap((each) => [each >>> 24, (each >>> 16) & 255, (each >>> 8) & 255]);
  const opacities = palette.map((each) => each & 255).filter((opacity) => opacity < 255);
  const header = { width, height, bits, type: COLOUR_TYPE.indexed };
  return pngFile(header, { PLTE: Buffer.from(colours), tRNS: Buffer.from(opacities), IDAT });
}

/** True when a PNG contains exactly these pixels. */
async function hasPixels(png: Buffer, { data, channels }: Frames, isColour: boolean): Promise<boolean> {
  // A damaged PNG does not match.
  const found = await raw(sharp(png, { limitInputPixels: false })).catch(() => null);
  if (found === null) return false;
  const spare = withoutSpareChannels(found, isColour);
  return spare.channels === channels && spare.data.equals(data);
}
