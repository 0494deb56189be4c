import { constants, inflateSync } from 'node:zlib';
import { COMPRESSION as C } from './tags.ts';

/** Decompressed bytes, and whether they are complete. */
type Unpacked = { readonly bytes: Buffer; readonly whole: boolean };

/** A strip may decompress to this many bytes more than expected. */
const SPARE = 64 * 1024;

/** Decompresses a strip or tile to `length` bytes; unreadable parts stay zero. */
export function unpack(packed: Buffer, compression: number, length: number, reversed: boolean): Unpacked {
  const input = reversed ? Buffer.from(packed.map((byte) => REVERSED_BYTES[byte]!)) : packed;
  if (compression === C.deflate || compression === C.oldDeflate) return inflated(input, length);
  const bytes = Buffer.alloc(length);
  let filled: number;
  if (compression === C.lzw) filled = lzw(input, bytes);
  else if (compression === C.packbits) filled = packBits(input, length, bytes);
  else filled = input.copy(bytes);
  return { bytes, whole: filled >= length };
}

/** Complete only with its end and checksum. A truncated stream gives all its bytes, a damaged one gives none. */
function inflated(input: Buffer, length: number): Unpacked {
  // One chunk for the whole output: zlib would join several chunks in a second buffer of the same size.
  const options = { chunkSize: length + 64, maxOutputLength: length + SPARE };
  for (const finishFlush of [constants.Z_FINISH, constants.Z_SYNC_FLUSH]) {
    try {
      const bytes = inflateSync(input, { finishFlush, ...options });
      const whole = bytes.length >= length;
      // Copies only when there are fewer bytes; the rest becomes zero.
      if (!whole) return { bytes: Buffer.concat([bytes], length), whole };
      return { bytes: bytes.subarray(0, length), whole: finishFlush === constants.Z_FINISH };
    } catch {
      // The next flush accepts a stream without its end.
    }
  }
  return { bytes: Buffer.alloc(length), whole: false };
}

/** Returns the number of decompressed bytes, at most `length` (TIFF 6.0, section 9). Without `out`, it only counts them. */
export function packBits(input: Buffer, length: number, out?: Buffer): number {
  let [at, to] = [0, 0];
  while (at < input.length && to < length) {
    const count = input.readInt8(at++);
    if (count >= 0) {
      const end = Math.min(at + count + 1, input.length, at + length - to);
      out?.set(input.subarray(at, end), to);
      to += end - at;
      at += count + 1;
    } else if (count !== -128 && at < input.length) {
      const end = Math.min(to + 1 - count, length);
      out?.fill(input[at]!, to, end);
      to = end;
      at++;
    }
  }
  return to;
}

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const LZW_CODES = 4096;

/** TIFF 6.0, section 13. Each code after the first adds the previous string and one more byte to the table. */
function lzw(input: Buffer, out: Buffer): number {
  // Position and length of each code's last written string.
  const starts = new Uint32Array(LZW_CODES);
  const lengths = new Uint16Array(LZW_CODES);
  let [at, held, bits, width, next, to] = [0, 0, 0, 9, FIRST, 0];
  let previous = -1;
  while (to < out.length) {
    while (bits < width) {
      if (at >= input.length) return to;
      held = ((held << 8) | input[at++]!) & 0xffffff;
      bits += 8;
    }
    bits -= width;
    const code = (held >> bits) & ((1 << width) - 1);
    if (code === END) return to;
    if (code === CLEAR) {
      [width, next, previous] = [9, FIRST, -1];
      continue;
    }
    const start = to;
    if (code < CLEAR) out[to++] = code;
    else if (previous < 0 || code > next) return to;
    else {
      // The newest code is the previous string plus its own first byte: source and target overlap.
      const from = code === next ? previous : starts[code]!;
      const end = Math.min(to + (code === next ? start - previous + 1 : lengths[code]!), out.length);
      for (let i = from; to < end; i++) out[to++] = out[i]!;
    }
    if (previous >= 0 && next < LZW_CODES) {
      starts[next] = previous;
      lengths[next++] = start - previous + 1;
      if (next === (1 << width) - 1 && width < 12) width++;
    }
    previous = start;
  }
  return to;
}

/** Each byte with its bits in reverse order (FillOrder 2). */
const REVERSED_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  [0, 1, 2, 3, 4, 5, 6, 7].reduce((so, bit) => so | (((byte >> bit) & 1) << (7 - bit)), 0),
);
