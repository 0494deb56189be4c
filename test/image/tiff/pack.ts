/** TIFF compressions for tests. */
import { deflateSync } from 'node:zlib';

export type Packing = 'none' | 'lzw' | 'deflate' | 'packbits';

export const COMPRESSIONS: Readonly<Record<Packing, number>> = {
  none: 1,
  lzw: 5,
  deflate: 8,
  packbits: 32773,
};

export function pack(bytes: Buffer, packing: Packing): Buffer {
  if (packing === 'deflate') return deflateSync(bytes);
  if (packing === 'packbits') return packBits(bytes);
  return packing === 'lzw' ? lzw(bytes) : bytes;
}

function packBits(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  const runAt = (at: number): number => {
    let run = 1;
    while (run < 128 && at + run < bytes.length && bytes[at + run] === bytes[at]) run++;
    return run;
  };
  for (let at = 0; at < bytes.length; ) {
    const run = runAt(at);
    let end = at;
    while (end < bytes.length && end - at < 128 && runAt(end) < 3) end++;
    if (run > 2) parts.push(Buffer.from([257 - run, bytes[at]!]));
    else parts.push(Buffer.from([end - at - 1]), bytes.subarray(at, end));
    at = run > 2 ? at + run : end;
  }
  return Buffer.concat(parts);
}

/** TIFF 6.0, section 13: codes from the highest bit on; the width grows one code early. */
function lzw(bytes: Buffer): Buffer {
  const out: number[] = [];
  let [held, bits, width] = [0, 0, 9];
  const emit = (code: number): void => {
    held = held * 2 ** width + code;
    bits += width;
    while (bits >= 8) {
      bits -= 8;
      out.push(Math.floor(held / 2 ** bits));
      held %= 2 ** bits;
    }
  };
  // Maps the code of a string's start and the string's last byte to the string's code.
  let table = new Map<number, number>();
  let next = 258;
  const clear = (): void => {
    emit(256);
    [table, next, width] = [new Map(), 258, 9];
  };
  // Codes widen when the table contains the last entry of a width.
  const grow = (): void => {
    if (next++ === 2 ** width - 1) width++;
  };
  clear();
  let code = -1;
  for (const byte of bytes) {
    const longer = code < 0 ? byte : table.get(code * 256 + byte);
    if (longer !== undefined) {
      code = longer;
      continue;
    }
    emit(code);
    table.set(code * 256 + byte, next);
    grow();
    if (next > 4094) clear();
    code = byte;
  }
  if (code >= 0) emit(code);
  grow();
  emit(257);
  if (bits > 0) out.push((held * 2 ** (8 - bits)) & 255);
  return Buffer.from(out);
}
