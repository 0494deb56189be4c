import type { Layout } from './layout.ts';

/** The samples of a row: 0 to 1 for unsigned integers, as stored for palette indexes and floats. */
export type SampleRow = Float64Array;

/** Fills a row with samples from an offset in prepared bytes. */
export type TakeRow = (bytes: Buffer, at: number, row: SampleRow) => void;

/**
 * Prepares a decompressed strip or tile for `rowTaker`: converts samples to this machine's byte order, and undoes the
 * predictor (TIFF 6.0, section 14; TIFF Technical Note 3 for floats).
 */
export function prepareSamples(bytes: Buffer, layout: Layout, littleEndian: boolean, rowBytes: number): void {
  const { bits, predictor, planar, samples } = layout;
  const stride = planar ? 1 : samples;
  if (predictor === 3) {
    for (let at = 0; at + rowBytes <= bytes.length; at += rowBytes)
      undoFloatPredictor(bytes.subarray(at, at + rowBytes), stride, bits / 8);
    return;
  }
  if (!littleEndian && bits === 16) bytes.swap16();
  if (!littleEndian && bits === 32) bytes.swap32();
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

export function rowTaker({ bits, format }: Layout, isIndex: boolean): TakeRow {
  const most = isIndex ? 1 : 2 ** bits - 1;
  if (bits < 8) return (bytes, at, row) => takeBits(bytes, at, row, bits, most);
  if (format === 3 && bits === 32) {
    return (bytes, at, row) => row.set(new Float32Array(bytes.buffer, bytes.byteOffset + at, row.length));
  }
  const scale = format === 3 ? (value: number) => HALVES[value]! : (value: number) => value / most;
  return (bytes, at, row) => {
    const values = integers(bytes.subarray(at, at + (row.length * bits) / 8), bits);
    for (let i = 0; i < row.length; i++) row[i] = scale(values[i]!);
  };
}

function takeBits(bytes: Buffer, at: number, row: SampleRow, bits: number, most: number): void {
  const each = 8 / bits;
  for (let i = 0; i < row.length; i++) {
    const shift = 8 - bits * ((i % each) + 1);
    row[i] = ((bytes[at + Math.floor(i / each)]! >> shift) & (2 ** bits - 1)) / most;
  }
}

/** The values of IEEE 754 half precision, indexed by their 16 bits. */
const HALVES = Float64Array.from({ length: 65_536 }, (_, half) => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
});
