import type { PixelSize } from '../../model.ts';
import type { Frames } from '../steps/frames.ts';

/** The most colours in a palette. */
const MAX_COLOURS = 256;

/** A picture of numbered colours. */
export interface Numbered extends PixelSize {
  /** One byte per pixel. */
  readonly numbers: Uint8Array;
  readonly bits: 1 | 2 | 4 | 8;
  /** The colour of each number as 32 bits, red, green, blue, opacity; null for even greys from black to white. */
  readonly palette: readonly number[] | null;
}

type Indexed = Numbered & { readonly palette: readonly number[] };

/** The picture with numbered colours, where a pixel then takes fewer bits; else null. */
export function numbered(pixels: Frames): Numbered | null {
  const picture = greyLevels(pixels) ?? indexed(pixels);
  return picture?.bits === 8 && pixels.channels === 1 ? null : picture;
}

/** The numbers in rows of bytes, the first pixel in the highest bits. */
export function packedRows({ width, height, bits, numbers }: Numbered): Buffer {
  if (bits === 8) return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.length);
  const row = Math.ceil((width * bits) / 8);
  const rows = Buffer.alloc(row * height);
  const inByte = 8 / bits;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = y * row + Math.floor(x / inByte);
      rows[at] = rows[at]! | (numbers[i]! << (8 - bits * ((x % inByte) + 1)));
    }
  }
  return rows;
}

/** Drops an alpha channel that is opaque everywhere, and stores a grey picture as one channel, unless it `isColour`. */
export function withoutSpareChannels(pixels: Frames, isColour = false): Frames {
  const { data, channels } = pixels;
  const keepsAlpha = channels % 2 === 0 && !isOpaque(data, channels);
  const colours = channels < 3 || (!isColour && isGrey(data, channels)) ? [0] : [0, 1, 2];
  const kept = keepsAlpha ? [...colours, channels - 1] : colours;
  if (kept.length === channels) return pixels;
  const made = Buffer.allocUnsafe((data.length / channels) * kept.length);
  for (let at = 0, put = 0; at < data.length; at += channels) {
    for (let i = 0; i < kept.length; i++) made[put++] = data[at + kept[i]!]!;
  }
  return { ...pixels, data: made, channels: kept.length as Frames['channels'] };
}

function isOpaque(data: Buffer, channels: number): boolean {
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== 255) return false;
  return true;
}

function isGrey(data: Buffer, channels: number): boolean {
  for (let at = 0; at < data.length; at += channels) {
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  }
  return true;
}

/** Numbers the levels of a grey picture when fewer than 8 bits can express them; else null. */
function greyLevels({ data, width, height, channels }: Frames): Numbered | null {
  if (channels !== 1) return null;
  const stepOf = (bits: number): number => 255 / (2 ** bits - 1);
  const bits = ([1, 2, 4] as const).find((each) => data.every((level) => level % stepOf(each) === 0));
  if (bits === undefined) return null;
  return { width, height, bits, numbers: data.map((level) => level / stepOf(bits)), palette: null };
}

/** Numbers the colours of the picture; null when a palette cannot contain them all. */
function indexed({ data, width, height, channels }: Frames): Indexed | null {
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  const known = new Map<number, number>();
  const numbers = new Uint8Array(width * height);
  let last = -1;
  let number = 0;
  for (let i = 0, at = 0; i < numbers.length; i++, at += channels) {
    const alpha = channels % 2 === 0 ? data[at + channels - 1]! : 255;
    const colour = ((data[at]! << 24) | (data[at + green]! << 16) | (data[at + blue]! << 8) | alpha) >>> 0;
    if (colour !== last) {
      last = colour;
      number = known.get(colour) ?? known.size;
      if (number === known.size) {
        if (number === MAX_COLOURS) return null;
        known.set(colour, number);
      }
    }
    numbers[i] = number;
  }
  const bits = ([1, 2, 4] as const).find((each) => known.size <= 2 ** each) ?? 8;
  return sorted({ width, height, bits, numbers, palette: [...known.keys()] });
}

/** Sorts by opacity, for a short list of transparent colours, then by lightness, for similar numbers. */
function sorted({ palette, numbers, ...rest }: Indexed): Indexed {
  const order = palette.map((_, i) => i).sort((a, b) => rank(palette[a]!) - rank(palette[b]!));
  const renumbered = new Uint8Array(palette.length);
  for (const [to, from] of order.entries()) renumbered[from] = to;
  const colours = order.map((from) => palette[from]!);
  return { ...rest, palette: colours, numbers: numbers.map((from) => renumbered[from]!) };
}

/** Opacity first, then lightness by ITU-R BT.601 in thousandths. */
function rank(colour: number): number {
  const lightness = 299 * (colour >>> 24) + 587 * ((colour >>> 16) & 255) + 114 * ((colour >>> 8) & 255);
  return (colour & 255) * 256_000 + lightness;
}
