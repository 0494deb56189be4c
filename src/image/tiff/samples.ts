import type { Layout } from './layout.ts';
import { PHOTOMETRIC } from './tags.ts';

/** Reads rows, each over the row before. Samples are 0 to 1; palette indexes and floats are as stored. */
export function rowReader(bytes: Buffer, layout: Layout, isLittle: boolean, rows: number, columns: number) {
  const row = new Float64Array((columns * layout.samples) / layout.planes);
  const [horizontal, vertical] = layout.subsampling;
  if (horizontal * vertical > 1) return (y: number) => takeUnits(bytes, y, row, layout);
  const rowBytes = bytes.length / rows;
  prepare(bytes, layout, isLittle, rowBytes);
  return (y: number) => takeSamples(bytes.subarray(y * rowBytes, (y + 1) * rowBytes), row, layout);
}

/** Reads YCbCr units with shared chroma (TIFF 6.0, section 21): the luma of each pixel, then Cb, then Cr. */
function takeUnits(bytes: Buffer, y: number, row: Float64Array, layout: Layout): Float64Array {
  const [h, v] = layout.subsampling;
  const size = h * v + 2;
  const start = Math.floor(y / v) * Math.ceil(layout.segmentWidth / h) * size;
  for (let x = 0; x < row.length / 3; x++) {
    const unit = start + Math.floor(x / h) * size;
    row[x * 3] = bytes[unit + (y % v) * h + (x % h)]! / 255;
    row[x * 3 + 1] = bytes[unit + h * v]! / 255;
    row[x * 3 + 2] = bytes[unit + h * v + 1]! / 255;
  }
  return row;
}

/** Converts samples to this machine's byte order, and undoes the predictor (TIFF 6.0, 14; Technical Note 3). */
function prepare(bytes: Buffer, layout: Layout, isLittle: boolean, rowBytes: number): void {
  const { bits, predictor, planes, samples } = layout;
  const stride = samples / planes;
  if (predictor === 3) {
    for (let at = 0; at + rowBytes <= bytes.length; at += rowBytes)
      undoFloatPredictor(bytes.subarray(at, at + rowBytes), stride, bits / 8);
    return;
  }
  if (!isLittle && bits === 16) bytes.swap16();
  if (!isLittle && bits === 32) bytes.swap32();
  if (predictor !== 2) return;
  const values = integers(bytes, bits);
  const perRow = (rowBytes * 8) / bits;
  for (let row = 0; row < values.length; row += perRow)
    for (let i = row + stride; i < row + perRow; i++) values[i]! += values[i - stride]!;
}

/** Undoes the float predictor, which stores differences of bytes, all highest bytes first. */
function undoFloatPredictor(row: Buffer, stride: number, size: number): void {
  for (let i = stride; i < row.length; i++) row[i]! += row[i - stride]!;
  const sorted = Buffer.from(row);
  const count = row.length / size;
  for (let i = 0; i < count; i++)
    for (let byte = 0; byte < size; byte++) row[i * size + byte] = sorted[(size - 1 - byte) * count + i]!;
}

function integers(bytes: Buffer, bits: number): Uint8Array | Uint16Array | Uint32Array {
  if (bits === 16) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  if (bits === 32) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  return bytes;
}

/** Fills a row from prepared bytes. */
function takeSamples(bytes: Buffer, row: Float64Array, { bits, format, photometric }: Layout): Float64Array {
  const most = photometric === PHOTOMETRIC.palette ? 1 : 2 ** bits - 1;
  if (format === 3 && bits === 32) {
    row.set(new Float32Array(bytes.buffer, bytes.byteOffset, row.length));
    return row;
  }
  const values = integers(bytes, bits);
  const inByte = 8 / bits;
  for (let i = 0; i < row.length; i++) {
    if (format === 3) row[i] = HALVES[values[i]!]!;
    else if (bits >= 8) row[i] = values[i]! / most;
    else
      row[i] = ((bytes[Math.floor(i / inByte)]! >> (8 - bits * ((i % inByte) + 1))) & (2 ** bits - 1)) / most;
  }
  return row;
}

/** The values of IEEE 754 half precision, indexed by their 16 bits. */
const HALVES = Float64Array.from({ length: 65_536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
});
