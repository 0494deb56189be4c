import { type Bitmap, type BitmapSource, strideOf } from './bitmap.ts';

/** Writes the pixels of a bitmap into `out`, the highest row first: red, green, blue, and alpha with four channels. */
export function paint(
  source: BitmapSource,
  bitmap: Bitmap,
  channels: number,
  out: Buffer,
  lenient: boolean,
): void {
  const { width, height, topDown, packed, bits } = bitmap;
  const row = packed ? unpackedRows(source, bitmap, lenient) : storedRows(source, bitmap);
  const put =
    bits > 8 ? fieldsInto(bitmap, channels, out) : coloursInto(bitmap, packed ? 8 : bits, channels, out);
  for (let y = 0; y < height; y++) put(row(y), (topDown ? y : height - 1 - y) * width * channels);
}

/** True when any pixel is not transparent. A picture whose alpha is zero everywhere has no alpha. */
export function hasAlpha(source: BitmapSource, bitmap: Bitmap): boolean {
  const { fields, bits, width, height } = bitmap;
  const alpha = fields[3]!;
  if (bits <= 8 || alpha === 0) return false;
  const row = storedRows(source, bitmap);
  const bytes = bits / 8;
  for (let y = 0; y < height; y++) {
    const pixels = row(y);
    for (let at = 0; at < width * bytes; at += bytes) {
      if (((bits === 32 ? pixels.readInt32LE(at) : pixels.readUInt16LE(at)) & alpha) !== 0) return true;
    }
  }
  return false;
}

/** Makes pixels transparent where the mask of an icon, which follows its pixels, has a one. */
export function maskOut(source: BitmapSource, bitmap: Bitmap, out: Buffer): void {
  const { width, height, at } = bitmap;
  const mask = { ...bitmap, bits: 1, at: at + strideOf(width, bitmap.bits) * height };
  const row = storedRows(source, mask);
  for (let y = 0; y < height; y++) {
    const bits = row(y);
    let to = (bitmap.topDown ? y : height - 1 - y) * width * 4 + 3;
    for (let x = 0; x < width; x++, to += 4) if ((bits[x >> 3]! << (x & 7)) & 0x80) out[to] = 0;
  }
}

type StoredRows = (y: number) => Buffer;

/** Each row as it is stored; zeros where the file ends early. */
function storedRows(
  { readAt }: BitmapSource,
  { width, bits, at }: Pick<Bitmap, 'width' | 'bits' | 'at'>,
): StoredRows {
  const stride = strideOf(width, bits);
  return (y) => {
    const bytes = readAt(at + y * stride, stride);
    return bytes.length === stride ? bytes : Buffer.concat([bytes, Buffer.alloc(stride - bytes.length)]);
  };
}

/** Rows with a byte for each pixel. Errors: an `Error` when they end early. */
function unpackedRows({ readAt, facts }: BitmapSource, bitmap: Bitmap, lenient: boolean): StoredRows {
  const { width, height, at } = bitmap;
  const indexes = Buffer.alloc(width * height);
  const isWhole = unpackRuns(readAt(at, facts.size - at), bitmap, indexes);
  if (!isWhole && !lenient) throw new Error('its pixels end early');
  return (y) => indexes.subarray(y * width, (y + 1) * width);
}

/** Unpacks RLE4 or RLE8 ([MS-WMF] 3.1.6). False when the pixels end early. Pixels that it skips keep index 0. */
function unpackRuns(data: Buffer, { width, height, bits }: Bitmap, out: Buffer): boolean {
  const nibble = (byte: number, i: number): number => (i % 2 === 0 ? byte >> 4 : byte & 15);
  let [x, y, at] = [0, 0, 0];
  while (at + 1 < data.length && y < height) {
    const [count, value] = [data[at]!, data[at + 1]!];
    at += 2;
    if (count > 0 || value > 2) {
      // A run repeats one byte; without a count, as many indexes follow as the value says.
      const pixels = count > 0 ? count : value;
      const length = count > 0 ? 0 : Math.ceil((value * bits) / 8);
      if (at + length > data.length) return false;
      for (let i = 0; i < Math.min(pixels, width - x); i++) {
        const byte = count > 0 ? value : data[at + Math.floor((i * bits) / 8)]!;
        out[y * width + x + i] = bits === 8 ? byte : nibble(byte, i);
      }
      x = Math.min(width, x + pixels);
      at += length + (length % 2);
    } else if (value === 1) {
      return true;
    } else if (value === 0) {
      x = 0;
      y++;
    } else {
      x = Math.min(width, x + (data[at] ?? 0));
      y += data[at + 1] ?? 0;
      at += 2;
    }
  }
  return y >= height || (y === height - 1 && x === width);
}

type Put = (row: Buffer, to: number) => void;

/** Stores a row of palette indexes. An index without a colour is black. */
function coloursInto({ width, palette, entry }: Bitmap, bits: number, channels: number, out: Buffer): Put {
  const colours = Buffer.alloc(256 * entry);
  palette.copy(colours);
  const last = 2 ** bits - 1;
  return (row, start) => {
    for (let x = 0, to = start; x < width; x++, to += channels) {
      const bit = x * bits;
      const at = ((row[bit >> 3]! >> (8 - bits - (bit & 7))) & last) * entry;
      out[to] = colours[at + 2]!;
      out[to + 1] = colours[at + 1]!;
      out[to + 2] = colours[at]!;
      if (channels === 4) out[to + 3] = 255;
    }
  };
}

/** Stores a row of pixels with bit fields. */
function fieldsInto({ width, bits, fields }: Bitmap, channels: number, out: Buffer): Put {
  const parts = fields.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, scale: mask === 0 ? 0 : 255 / (mask >>> shift) };
  });
  const [red, green, blue, alpha] = parts as [MaskedField, MaskedField, MaskedField, MaskedField];
  const hasOpacity = alpha.mask !== 0;
  const bytes = bits / 8;
  return (row, start) => {
    for (let at = 0, to = start; at < width * bytes; at += bytes, to += channels) {
      const low = row[at]! | (row[at + 1]! << 8);
      const pixel = bytes === 2 ? low : low | (row[at + 2]! << 16) | (bytes === 4 ? row[at + 3]! << 24 : 0);
      out[to] = sample(pixel, red);
      out[to + 1] = sample(pixel, green);
      out[to + 2] = sample(pixel, blue);
      if (channels === 4) out[to + 3] = hasOpacity ? sample(pixel, alpha) : 255;
    }
  };
}

/** The bits of one channel, the distance of the lowest one, and the factor to 0 to 255. */
type MaskedField = { readonly mask: number; readonly shift: number; readonly scale: number };

const sample = (pixel: number, { mask, shift, scale }: MaskedField): number =>
  (((pixel & mask) >>> shift) * scale + 0.5) | 0;
