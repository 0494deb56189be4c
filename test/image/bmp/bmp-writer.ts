/** Writes bitmaps and icons of every kind, independently of the reader. */

/** A kind of bitmap. Without `fields` and `runs`, the pixels are not compressed. */
export interface Kind {
  readonly bits: 1 | 2 | 4 | 8 | 16 | 24 | 32;
  /** Bytes of the header: 12 and 64 are those of OS/2. */
  readonly header?: 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124;
  readonly topDown?: boolean;
  /** Compresses runs (RLE4 or RLE8). */
  readonly runs?: boolean;
  /** Masks of red, green, blue and alpha. */
  readonly fields?: readonly number[];
  /** The number of colours in the palette; default: all of the depth. */
  readonly colours?: number;
  readonly profile?: Buffer;
  /** Puts alpha into the fourth byte of 32 bits, without fields. */
  readonly alpha?: boolean;
}

/** Red, green, blue and alpha of a pixel, 0 to 255. */
type Pixel = readonly [number, number, number, number];

export interface Drawn {
  readonly bytes: Buffer;
  /** The pixels as red, green, blue and alpha, the highest row first. */
  readonly pixels: Uint8Array;
}

export const SIZE = { width: 37, height: 23 };

/** A smooth picture that differs from all its rotations. Alpha falls from left to right. */
const colourAt = (x: number, y: number): Pixel => [
  (x * 255) / (SIZE.width - 1),
  (y * 255) / (SIZE.height - 1),
  (x * 7 + y * 11) % 256,
  255 - x * 4,
];

/** Runs, single pixels and a rest, over the whole palette. */
const indexAt = (x: number, y: number, colours: number): number =>
  (x < 12 ? y : x < 20 ? x * 3 + y : 5 * y + 1) % colours;

/** The palette: each colour differs from the others. */
const colourOf = (index: number): Pixel => [
  (index * 83 + 20) % 256,
  (index * 29 + 90) % 256,
  (index * 151) % 256,
  255,
];

/** Draws a bitmap without the 14 bytes of a file. `rows` replaces the stated height. */
function dibOf(kind: Kind, rows = SIZE.height) {
  const { width, height } = SIZE;
  const { bits, header = 40, topDown = false, runs = false, fields, profile } = kind;
  const size = header;
  const head = Buffer.alloc(size);
  head.writeUInt32LE(size);
  if (size === 12) {
    for (const [i, value] of [width, rows, 1, bits].entries()) head.writeUInt16LE(value, 4 + i * 2);
  } else {
    head.writeInt32LE(width, 4);
    head.writeInt32LE(topDown ? -rows : rows, 8);
    head.writeUInt16LE(1, 12);
    head.writeUInt16LE(bits, 14);
  }
  const compression =
    fields === undefined ? (runs ? (bits === 8 ? 1 : 2) : 0) : fields.length > 3 && size === 40 ? 6 : 3;
  const colours = bits <= 8 ? (kind.colours ?? 2 ** bits) : 0;
  if (size >= 40) {
    head.writeUInt32LE(compression, 16);
    head.writeUInt32LE(kind.colours ?? 0, 32);
  }
  const masks = Buffer.alloc((fields?.length ?? 0) * 4);
  for (const [i, mask] of (fields ?? []).entries()) masks.writeUInt32LE(mask, i * 4);
  const isInside = size > 40 && size !== 64;
  if (isInside) masks.copy(head, 40);
  const palette = Array.from({ length: colours }, (_, i) => {
    const [red, green, blue] = colourOf(i);
    return size === 12 ? [blue, green, red] : [blue, green, red, 0];
  }).flat();
  const before = Buffer.concat([head, isInside ? Buffer.alloc(0) : masks, Buffer.from(palette)]);
  const pixels = new Uint8Array(width * height * 4);
  const lines: Buffer[] = [];
  for (let line = 0; line < height; line++) {
    const y = topDown ? line : height - 1 - line;
    const drawn = bits <= 8 ? indexed(y, bits, colours, runs) : direct(y, kind);
    lines.push(drawn.bytes);
    pixels.set(drawn.pixels, y * width * 4);
  }
  if (runs) lines.push(Buffer.from([0, 1]));
  const data = Buffer.concat(lines);
  if (profile !== undefined) {
    head.writeUInt32LE(0x4d424544, 56);
    head.writeUInt32LE(before.length + data.length, 112);
    head.writeUInt32LE(profile.length, 116);
    head.copy(before);
  }
  return { bytes: Buffer.concat([before, data, profile ?? Buffer.alloc(0)]), before: before.length, pixels };
}

/** Draws a BMP file. */
export function bmpOf(kind: Kind): Drawn {
  const { bytes, before, pixels } = dibOf(kind);
  const file = Buffer.alloc(14);
  file.write('BM', 'latin1');
  file.writeUInt32LE(14 + bytes.length, 2);
  file.writeUInt32LE(14 + before, 10);
  return { bytes: Buffer.concat([file, bytes]), pixels };
}

function indexed(y: number, bits: number, colours: number, runs: boolean) {
  const indexes = Array.from({ length: SIZE.width }, (_, x) => indexAt(x, y, colours));
  const pixels = indexes.flatMap(colourOf);
  if (runs) return { bytes: packed(indexes, bits), pixels };
  const bytes = Buffer.alloc(Math.ceil((SIZE.width * bits) / 32) * 4);
  for (const [x, index] of indexes.entries())
    bytes[(x * bits) >> 3]! |= index << (8 - bits - ((x * bits) & 7));
  return { bytes, pixels };
}

/** One row in runs: twelve equal pixels, eight different ones, and a last run in two parts. */
function packed(indexes: readonly number[], bits: number): Buffer {
  const both = (index: number): number => (bits === 8 ? index : index * 17);
  const literal = indexes.slice(12, 20);
  const stored = bits === 8 ? literal : [0, 2, 4, 6].map((i) => literal[i]! * 16 + literal[i + 1]!);
  const rest = indexes.length - 20;
  return Buffer.from([
    ...[12, both(indexes[0]!), 0, 8, ...stored],
    ...[rest - 3, both(indexes[20]!), 3, both(indexes[20]!), 0, 0],
  ]);
}

const USUAL: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x3e0, 0x1f],
  24: [0xff0000, 0xff00, 0xff],
  32: [0xff0000, 0xff00, 0xff],
};

function direct(y: number, { bits, alpha = false, fields = USUAL[bits]! }: Kind) {
  const { width } = SIZE;
  const bytes = Buffer.alloc(Math.ceil((width * bits) / 32) * 4);
  const pixels: number[] = [];
  for (let x = 0; x < width; x++) {
    let stored = 0n;
    const shown = [0, 0, 0, 255];
    for (const [i, mask] of (alpha ? [...fields, 0xff000000] : fields).entries()) {
      if (mask === 0) continue;
      const most = mask.toString(2).replace(/0+$/, '').length;
      const shift = mask.toString(2).length - most;
      const value = Math.round((colourAt(x, y)[i]! * (2 ** most - 1)) / 255);
      stored |= BigInt(value) << BigInt(shift);
      shown[i] = Math.round((value * 255) / (2 ** most - 1));
    }
    bytes.writeUIntLE(Number(stored), (x * bits) / 8, bits / 8);
    pixels.push(...shown);
  }
  return { bytes, pixels };
}

/** A picture of an icon: a PNG, or a bitmap with a mask where `isMasked` says so. */
export type IconPart =
  | { readonly png: Buffer; readonly width: number; readonly height: number }
  | { readonly kind: Kind; readonly isMasked: (x: number, y: number) => boolean };

/** Draws an ICO, or a CUR with `type` 2. The pixels are those of the last bitmap. */
export function icoOf(parts: readonly IconPart[], type: 1 | 2 = 1): Drawn {
  let pixels = new Uint8Array(0);
  const images = parts.map((part) => {
    if ('png' in part) return part.png;
    const { bytes, pixels: drawn } = dibOf(part.kind, SIZE.height * 2);
    pixels = drawn;
    return Buffer.concat([bytes, maskOf(part.isMasked, drawn, part.kind)]);
  });
  const head = Buffer.alloc(6 + parts.length * 16);
  head.writeUInt16LE(type, 2);
  head.writeUInt16LE(parts.length, 4);
  let at = head.length;
  for (const [i, image] of images.entries()) {
    const part = parts[i]!;
    const { width, height } = 'png' in part ? part : SIZE;
    head[6 + i * 16] = width & 255;
    head[7 + i * 16] = height & 255;
    head.writeUInt16LE(1, 10 + i * 16);
    if (type === 1) head.writeUInt16LE('png' in part ? 32 : part.kind.bits, 12 + i * 16);
    head.writeUInt32LE(image.length, 14 + i * 16);
    head.writeUInt32LE(at, 18 + i * 16);
    at += image.length;
  }
  return { bytes: Buffer.concat([head, ...images]), pixels };
}

/** The mask that follows the pixels, the lowest row first. Without alpha of its own, the picture takes it over. */
function maskOf(
  isMasked: (x: number, y: number) => boolean,
  pixels: Uint8Array,
  { alpha = false }: Kind,
): Buffer {
  const { width, height } = SIZE;
  const stride = Math.ceil(width / 32) * 4;
  const mask = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isMasked(x, y)) continue;
      mask[(height - 1 - y) * stride + (x >> 3)]! |= 0x80 >> (x & 7);
      if (!alpha) pixels[(y * width + x) * 4 + 3] = 0;
    }
  }
  return mask;
}
