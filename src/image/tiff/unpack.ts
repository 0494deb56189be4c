import { constants, inflateSync } from 'node:zlib';
import { COMPRESSION as C } from './tags.ts';

/** Decompressed bytes, and whether they are complete. */
export interface Unpacked {
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/** A strip may decompress to this many bytes more than expected. */
const SPARE = 64 * 1024;

/** Decompresses a strip or tile to `length` bytes; unreadable parts stay zero. */
export function unpack(packed: Buffer, compression: number, length: number, reversed: boolean): Unpacked {
  const input = reversed ? reversedBits(packed) : packed;
  switch (compression) {
    case C.lzw:
      return filled(length, (out) => lzw(input, out));
    case C.packbits:
      return filled(length, (out) => packBits(input, out));
    case C.deflate:
    case C.oldDeflate:
      return inflated(input, length);
    default:
      return filled(length, (out) => input.copy(out));
  }
}

/** `unpackTo` returns the number of bytes written. */
function filled(length: number, unpackTo: (out: Buffer) => number): Unpacked {
  const bytes = Buffer.alloc(length);
  return { bytes, whole: unpackTo(bytes) >= length };
}

/** Complete only with its end and checksum. A truncated stream gives all its bytes, a damaged one gives none. */
function inflated(input: Buffer, length: number): Unpacked {
  // One chunk for the whole output: zlib would join several chunks in a second buffer of the same size.
  const options = { chunkSize: length + 64, maxOutputLength: length + SPARE };
  const inflate = (finishFlush: number): Buffer => inflateSync(input, { finishFlush, ...options });
  try {
    return firstBytes(inflate(constants.Z_FINISH), length);
  } catch {
    return { bytes: firstBytes(truncatedStream(inflate), length).bytes, whole: false };
  }
}

/** The first `length` bytes; copies only when there are fewer. */
function firstBytes(bytes: Buffer, length: number): Unpacked {
  if (bytes.length < length) return filled(length, (out) => bytes.copy(out));
  return { bytes: bytes.subarray(0, length), whole: true };
}

function truncatedStream(inflate: (finishFlush: number) => Buffer): Buffer {
  try {
    return inflate(constants.Z_SYNC_FLUSH);
  } catch {
    return Buffer.alloc(0);
  }
}

/** TIFF 6.0, section 9. */
function packBits(input: Buffer, out: Buffer): number {
  let [at, to] = [0, 0];
  while (at < input.length && to < out.length) {
    const count = input.readInt8(at++);
    if (count >= 0) {
      to += input.copy(out, to, at, at + count + 1);
      at += count + 1;
    } else if (count !== -128 && at < input.length) {
      const run = Math.min(1 - count, out.length - to);
      out.fill(input[at++]!, to, to + run);
      to += run;
    }
  }
  return to;
}

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const CODES = 4096;

/** Decompressed length of PackBits in bytes. */
export function packBitsLength(input: Buffer): number {
  let [at, length] = [0, 0];
  while (at < input.length) {
    const count = input.readInt8(at++);
    if (count >= 0) {
      length += Math.min(count + 1, input.length - at);
      at += count + 1;
    } else if (count !== -128 && at < input.length) {
      at++;
      length += 1 - count;
    }
  }
  return length;
}

/** TIFF 6.0, section 13. Each code after the first adds the previous string and one more byte to the table. */
function lzw(input: Buffer, out: Buffer): number {
  // Position and length of each code's last written string.
  const starts = new Uint32Array(CODES);
  const lengths = new Uint16Array(CODES);
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
    if (previous >= 0 && next < CODES) {
      starts[next] = previous;
      lengths[next++] = start - previous + 1;
      if (next === (1 << width) - 1 && width < 12) width++;
    }
    previous = start;
  }
  return to;
}

/** Reverses the bits of each byte (FillOrder 2). */
function reversedBits(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => REVERSED_BYTES[byte]!));
}

const REVERSED_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  [0, 1, 2, 3, 4, 5, 6, 7].reduce((so, bit) => so | (((byte >> bit) & 1) << (7 - bit)), 0),
);
